package transport_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

var kinds = map[string]transporttest.Kind{
	"length": {
		Client:  func() transport.Stage { return transporttest.NewLength(true, false) },
		Server:  func() transport.Stage { return transporttest.NewLength(false, false) },
		Garbage: []byte("L\xff\xff"),
	},
	"length, away": {
		Client:  func() transport.Stage { return transporttest.NewLength(true, true) },
		Server:  func() transport.Stage { return transporttest.NewLength(false, true) },
		Garbage: []byte("garbage"),
	},
	"websocket in length": {
		Client: func() transport.Stage {
			return transport.NewStack(transporttest.NewLength(true, false), wsClient())
		},
		Server: func() transport.Stage {
			return transport.NewStack(transporttest.NewLength(false, false), wsServer())
		},
		Garbage: []byte("L\x00\x06BAD\r\n\r\n"),
	},
	"websocket in length, away": {
		Client: func() transport.Stage {
			return transport.NewStack(transporttest.NewLength(true, true), wsClient())
		},
		Server: func() transport.Stage {
			return transport.NewStack(transporttest.NewLength(false, true), wsServer())
		},
		Garbage: []byte("garbage"),
	},
	"length, away, in a websocket": {
		Client: func() transport.Stage {
			return transport.NewStack(wsClient(), transporttest.NewLength(true, true))
		},
		Server: func() transport.Stage {
			return transport.NewStack(wsServer(), transporttest.NewLength(false, true))
		},
	},
	"header, then length": {
		Client: func() transport.Stage {
			return transport.NewStack(&transporttest.Header{From: from}, transporttest.NewLength(true, false))
		},
		Server: func() transport.Stage {
			return transport.NewStack(new(transporttest.Header), transporttest.NewLength(false, false))
		},
		Garbage: []byte("garbage"),
	},
	"length, header in it": {
		Client: func() transport.Stage {
			return transport.NewStack(transporttest.NewLength(true, false), &transporttest.Header{From: from})
		},
		Server: func() transport.Stage {
			return transport.NewStack(transporttest.NewLength(false, false), new(transporttest.Header))
		},
		Garbage: []byte("garbage"),
	},
	"header": {
		Client:  func() transport.Stage { return &transporttest.Header{From: from} },
		Server:  func() transport.Stage { return new(transporttest.Header) },
		Garbage: []byte("garbage"),
	},
}

func wsClient() transport.Stage {
	return websocket.NewClient(websocket.ClientConfig{Host: "example.com"})
}

func wsServer() transport.Stage { return websocket.NewServer(websocket.ServerConfig{}) }

var from = netip.MustParseAddr("192.0.2.7")

func TestEveryStageKeepsTheContract(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) { transporttest.Check(t, kind) })
	}
}

// What the reader leaves is there again, before what comes next.
func TestHalfAFrameWaitsForItsReader(t *testing.T) {
	client, server := transport.NewLines(&transporttest.Header{From: from}), transport.NewLines(new(transporttest.Header))
	b := append(append([]byte{}, client.Begin(0)...), "abc"...)
	server.Begin(0)
	in, err := server.Receive(0, b)
	if err != nil || string(in.Plain) != "abc" {
		t.Fatalf("%q, %v", in.Plain, err)
	}
	if over := server.Keep(0, in.Plain[1:]); over || server.Held(0) != 2 {
		t.Fatalf("over %v, held %d: two bytes wait", over, server.Held(0))
	}
	in, _ = server.Receive(0, []byte("d"))
	if string(in.Plain) != "bcd" || !server.Keep(0, nil) || server.Held(0) != 0 {
		t.Fatalf("%q, held %d: the stage is over", in.Plain, server.Held(0))
	}
	if server.Addr(0) != from {
		t.Errorf("it comes from %v, want %v", server.Addr(0), from)
	}
	server.End(0)
	if server.Addr(0).IsValid() {
		t.Error("the address outlives its connection")
	}
}

// What waits of many connections waits for each of them.
func TestWhatWaitsOfManyConnections(t *testing.T) {
	server := transport.NewLines(transporttest.NewLength(false, false))
	text := func(s transport.Slot) string { return fmt.Sprint("text of ", s) }
	for s := range transport.Slot(20) {
		server.Begin(s)
		whole := append([]byte{'L', 0, byte(len(text(s)))}, text(s)...)
		_, err := server.Receive(s, whole[:5])
		if server.Keep(s, nil); err != nil || server.Held(s) != 4 {
			t.Fatalf("%d: %d held, %v", s, server.Held(s), err)
		}
	}
	for s := range transport.Slot(20) {
		in, err := server.Receive(s, []byte(text(s)[2:]))
		if err != nil || string(in.Plain) != text(s) {
			t.Errorf("%d: %q, %v", s, in.Plain, err)
		}
		if server.Keep(s, nil); server.Held(s) != 0 {
			t.Errorf("%d: %d held", s, server.Held(s))
		}
		server.End(s)
	}
}

// What was taken in an error's call is good, what waited is not, and nothing is kept.
func TestAnErrorEndsTheOpening(t *testing.T) {
	server := transport.NewLines(transporttest.NewLength(false, false))
	server.Begin(3)
	in, err := server.Receive(3, []byte("L\x00\x01a\xff\xffbcdef"))
	if err == nil || string(in.Plain) != "a" {
		t.Fatalf("%q, %v", in.Plain, err)
	}
	server.Keep(3, in.Plain)
	if held := server.Held(3); held != 0 {
		t.Errorf("%d bytes held after an error", held)
	}
	in, err = server.Receive(3, []byte("xyz"))
	if len(in.Plain) != 0 || in.Dropped != 3 || err != nil {
		t.Errorf("after an error: %+v, %v; what comes is dropped", in, err)
	}
	server.Keep(3, nil)
	server.End(3)
	if server.Begin(3); len(server.Close(3, 0)) == 0 {
		t.Error("the slot's next connection has no closing words")
	}
}

// What is kept for the next connections is bounded, however many have had much.
func TestSpareBuffersAreBounded(t *testing.T) {
	server := transport.NewLines(transporttest.NewLength(false, false))
	for _, size := range []int{1, 0x2fff} { // the lines of the first, which are kept, become those of the second
		for s := range transport.Slot(100) {
			server.Begin(s)
			_, err := server.Receive(s, append([]byte{'L', 0x30, 0}, make([]byte, size)...))
			if server.Keep(s, nil); err != nil {
				t.Fatal(err)
			}
		}
		for s := range transport.Slot(100) {
			server.End(s)
		}
	}
	if room := server.Spared(); room == 0 || room > 256<<10 {
		t.Errorf("%d bytes are kept of 100 connections that had 12 KiB each", room)
	}
}
