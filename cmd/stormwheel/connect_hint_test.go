package main

import (
	"net"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
)

// What goes wrong where a peer is not what it was taken for says what it is.
func TestConnectSaysWhatAPeerIs(t *testing.T) {
	web := serve(t, "--transports", "ws")
	tcp := serve(t, "--transports", "tcp")
	talks := serve(t, "--messages", "memory")
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for _, tc := range []struct{ name, server, say, want string }{
		{"a node of WebSocket alone", web.listen, "", "that is HTTP; try ws://"},
		{"a node of TCP alone", "ws://" + tcp.listen, "", "it speaks no WebSocket: try HOST:PORT alone"},
		{"one that says nothing", silent.Addr().String(), "", silent.Addr().String() + " takes the connection and says nothing: is it a node?"},
		{"a node of messages", talks.listen, "hi", "this node carries messages between users: use --chat"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel() // one waits
			p := stormwheel(t, "connect", "--server", tc.server)
			if tc.say != "" {
				p.say(tc.say)
			}
			if err := p.stdin.Close(); err != nil { // it ends, whatever it says
				t.Fatal(err)
			}
			p.until(tc.want)
		})
	}
}

// A token may be judged by a back end: nothing is said of secrets.
func TestARefusedTokenIsNotBlamedOnASecret(t *testing.T) {
	c := connectCmd{ID: "alice", TokenFile: "token"}
	if got := c.hint(&client.CodeError{Code: codec.CodeUnauthorized}); strings.Contains(got, "secret") || !strings.Contains(got, `"alice"`) {
		t.Errorf("the hint is %q", got)
	}
}
