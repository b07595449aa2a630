package foreign

import (
	"bytes"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestAnEchoIsReadInAnySplit(t *testing.T) {
	e, err := newEcho(Config{Interval: time.Second, Timeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	if wire, answered := e.Outbound(nil, decoded(t, hello)); len(wire) != 0 || !answered {
		t.Errorf("HELLO becomes % x, answered %v; want nothing, and a WELCOME at once", wire, answered)
	}
	ping := codec.AppendPing(nil, 5, 0)
	wire, answered := e.Outbound(nil, decoded(t, ping))
	if !bytes.Equal(wire, ping) || answered {
		t.Errorf("PING becomes % x", wire)
	}
	for n := range len(wire) {
		if frame, consumed, need := e.Inbound(nil, wire[:n], Asked{Token: 5}); len(frame) != 0 || consumed != 0 || need <= n {
			t.Errorf("%d bytes of the echo: % x, consumed %d, need %d", n, frame, consumed, need)
		}
	}
	want := codec.AppendPong(nil, codec.PongMessage{Token: 5, Terms: codec.Terms{Interval: time.Second, Timeout: 3 * time.Second}})
	if frame, consumed, _ := e.Inbound(nil, append(wire, wire...), Asked{Token: 6}); !bytes.Equal(frame, want) || consumed != len(wire) {
		t.Errorf("two echoes: % x, consumed %d; want a PONG for one", frame, consumed)
	}
	for _, bad := range [][]byte{[]byte("hello"), codec.AppendBye(nil), hello} {
		if frame, _, _ := e.Inbound(nil, bad, Asked{Token: 5}); !bytes.Equal(frame, noFrame) {
			t.Errorf("% x is taken for an echo: % x", bad, frame)
		}
	}
}

func TestTheEchoOfASendIsItsACK(t *testing.T) {
	e, err := newEcho(Config{Interval: time.Second, SendBytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	send := codec.AppendSend(nil, 7, make([]byte, 100))
	wire, answered := e.Outbound(nil, decoded(t, send))
	if !bytes.Equal(wire, send) || answered {
		t.Errorf("SEND becomes % x", wire)
	}
	for n := range len(wire) {
		if frame, consumed, need := e.Inbound(nil, wire[:n], Asked{}); len(frame) != 0 || consumed != 0 || need <= n {
			t.Errorf("%d bytes of the echo: % x, consumed %d, need %d", n, frame, consumed, need)
		}
	}
	if frame, consumed, _ := e.Inbound(nil, wire, Asked{}); !bytes.Equal(frame, codec.AppendAck(nil, codec.AckOf(7))) || consumed != len(wire) {
		t.Errorf("its echo is % x, consumed %d; want its ACK", frame, consumed)
	}
	if frame, _, _ := e.Inbound(nil, codec.AppendSend(nil, 7, make([]byte, 101)), Asked{}); !bytes.Equal(frame, noFrame) {
		t.Errorf("more than was sent is taken for an echo: % x", frame)
	}
}
