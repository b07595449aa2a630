package websocket

import (
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
)

func TestItKeepsTheContractOfAStage(t *testing.T) {
	transporttest.Check(t, transporttest.Kind{
		Client:  func() transport.Stage { return NewClient(ClientConfig{Host: "example.com"}) },
		Server:  func() transport.Stage { return NewServer(ServerConfig{}) },
		Garbage: []byte("GET / HTTP/1.1\r\nHost\r\n\r\n"),
	})
}

func TestAnOpenConnectionHasFourBytesAndNothingElse(t *testing.T) {
	client, server := newPair(t, ServerConfig{})
	client.send("abcdef")
	if server.take(client); string(server.got) != "abcdef" {
		t.Fatalf("%q arrived", server.got)
	}
	for name, d := range map[string]*side{"client": client.side, "server": server.side} {
		if n := len(d.pending); n != 0 || len(d.halves.all) != len(d.halves.free) {
			t.Errorf("%s: %d handshakes and %d of %d halves are kept", name, n, len(d.halves.all)-len(d.halves.free), len(d.halves.all))
		}
	}
}
