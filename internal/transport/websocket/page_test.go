package websocket

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// The example of docs/PROTOCOL.md is what the two sides say and take.
func TestThePagesExample(t *testing.T) {
	page, err := os.ReadFile("../../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```websocket\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatal("the page has no example")
	}
	server, client := newServerEnd(t, ServerConfig{}), newClientEnd(t)
	client.side.pending[0].key = "dGhlIHNhbXBsZSBub25jZQ=="
	client.said()
	var fromClient, fromServer string
	for line := range strings.Lines(block) {
		who, what, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		b := strings.ReplaceAll(what, "|", "\r\n")
		if !strings.Contains(what, "HTTP") {
			digits, _, _ := strings.Cut(what, "#")
			raw, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			b = string(raw)
		}
		if who == "client" {
			fromClient += b
			server.receive(b)
		} else {
			fromServer += b
			client.receive(b)
		}
	}
	server.send(string(client.got)) // the page's own GOAWAY
	server.close(codec.CodeKicked)
	ping := codec.AppendPing(nil, 1, 0)
	if string(server.got) != string(ping) {
		t.Errorf("the server has %x, want %x", server.got, ping)
	}
	f, _, err := codec.Decode(client.got, codec.MaxPayload)
	if m, bad := codec.ParseGoAway(f.Payload); err != nil || bad != nil || m.Code != codec.CodeKicked {
		t.Errorf("the client has %x, %v", client.got, err)
	}
	if said := server.said(); said != fromServer {
		t.Errorf("the server says\n%q, the page\n%q", said, fromServer)
	}
}
