package reactor

import (
	"bytes"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestWelcomeStatesTheTerms(t *testing.T) {
	n := newNode(t, rigConfig{Alternates: []string{"b:1", "c:2"}})
	n.r.cfg.Alternates = []byte("b:1,c:2")
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	m, err := codec.ParseWelcome(frames(t, p.in)[0].Payload)
	if err != nil {
		t.Fatal(err)
	}
	if m.Terms.Interval != 30*time.Second || m.Terms.Timeout != 75*time.Second {
		t.Errorf("terms %+v, want 30s and 75s", m.Terms)
	}
	if m.Session != n.r.SessionID(slot) || m.Session.Handle>>56 != 3 || m.Session.Epoch != 7 {
		t.Errorf("session %v, want epoch 7 and a handle of loop 3", m.Session)
	}
	if string(m.Node) != "n1" || string(m.Alternates) != "b:1,c:2" || m.ServerTime.UnixMilli() != 1_700_000_000_000 {
		t.Errorf("node %q alternates %q time %v", m.Node, m.Alternates, m.ServerTime)
	}
}

func TestPingsOfOneReadAreAnsweredByTheLatestToken(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	b := codec.AppendPing(nil, 1, 0)
	b = codec.AppendPing(b, 2, 0)
	b = codec.AppendPing(b, 3, 0)
	n.send(slot, b)
	all := frames(t, p.in)
	if len(all) != 1 || p.writes != 1 {
		t.Fatalf("%d frames in %d writes, want one of each", len(all), p.writes)
	}
	m, err := codec.ParsePong(all[0].Payload)
	if err != nil || m.Token != 3 || m.Terms.Timeout != 75*time.Second {
		t.Fatalf("PONG %+v, %v; want token 3 with the terms", m, err)
	}
}

func TestMalformedInputCostsOneConnectionAndSaysWhy(t *testing.T) {
	ping := codec.AppendPing(nil, 1, 0)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(ping)
		b[at] = to
		return b
	}
	tests := []struct {
		name  string
		input []byte
		why   Reason
		code  codec.Code
	}{
		{"garbage", []byte("GET / HTTP/1.1\r\n\r\n"), ReasonBadMagic, codec.CodeProtocolError},
		{"one wrong byte", []byte{0x54}, ReasonBadMagic, codec.CodeProtocolError},
		{"framing version", change(1, 0x20), ReasonBadFraming, codec.CodeProtocolError},
		{"flags", change(3, 0x80), ReasonBadFlags, codec.CodeProtocolError},
		{"length", change(4, 0xff), ReasonFrameTooLarge, codec.CodeFrameTooLarge},
		{"checksum", change(9, 0x77), ReasonBadChecksum, codec.CodeBadChecksum},
		{"short PING", codec.AppendFrame(nil, codec.Ping, 0, []byte{1}), ReasonBadPayload, codec.CodeProtocolError},
		{"short SEND", codec.AppendFrame(nil, codec.Send, 0, []byte{1}), ReasonBadPayload, codec.CodeProtocolError},
		{"short ACK", codec.AppendFrame(nil, codec.Ack, 0, nil), ReasonBadPayload, codec.CodeProtocolError},
		{"second HELLO", hello("bob"), ReasonUnexpected, codec.CodeProtocolError},
		{"server's frame", codec.AppendDeliver(nil, 1, nil), ReasonUnexpected, codec.CodeProtocolError},
		{"unknown type", codec.AppendFrame(nil, 99, 0, nil), ReasonUnexpected, codec.CodeProtocolError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(t, rigConfig{})
			_, other := n.join()
			slot, p := n.join()
			n.send(slot, tt.input)
			if code := goAwayCode(t, p); code != tt.code {
				t.Errorf("GOAWAY %v, want %v", code, tt.code)
			}
			last := frames(t, p.in)
			if m, _ := codec.ParseGoAway(last[len(last)-1].Payload); string(m.Reason) != tt.why.String() {
				t.Errorf("GOAWAY gives the reason %q, want %q", m.Reason, tt.why)
			}
			if !p.finished || p.closed || p.aborted {
				t.Errorf("finished %v closed %v aborted %v, want the write side finished only", p.finished, p.closed, p.aborted)
			}
			n.wantClosed(tt.why, 1)
			if n.r.counters.Sessions != 1 || other.closed || other.aborted || len(other.in) != 0 {
				t.Error("another client was affected")
			}
		})
	}
}

func TestUnknownIgnorableFrameIsSkipped(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	n.send(slot, codec.AppendFrame(nil, 99, codec.FlagIgnorable, []byte("from the future")))
	if len(p.in) != 0 || n.r.counters.Sessions != 1 {
		t.Fatalf("answered by %v", frameTypes(t, p.in))
	}
}

func TestBeforeHelloOnlyHelloWithinItsLimitIsAccepted(t *testing.T) {
	for _, tt := range []struct {
		name  string
		input []byte
		why   Reason
	}{
		{"PING first", codec.AppendPing(nil, 1, 0), ReasonUnexpected},
		{"9 KiB", codec.AppendFrame(nil, codec.Hello, 0, make([]byte, 9<<10)), ReasonFrameTooLarge},
		{"no id", codec.AppendFrame(nil, codec.Hello, 0, []byte{1, 1, 0, 0, 0, 0, 0, 0}), ReasonBadPayload},
		{"nothing", codec.AppendFrame(nil, codec.Hello, 0, nil), ReasonBadPayload},
		{"crossed versions", codec.AppendFrame(nil, codec.Hello, 0, []byte{2, 1, 0, 0, 0, 0, 0, 0}), ReasonBadPayload},
		{"version 2 and a tail of its own", codec.AppendFrame(nil, codec.Hello, 0, []byte{2, 2, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 7}), ReasonVersion},
		{"version 2 and nothing else", codec.AppendFrame(nil, codec.Hello, 0, []byte{2, 2}), ReasonVersion},
		{"version 0", codec.AppendFrame(nil, codec.Hello, 0, make([]byte, 8)), ReasonVersion},
		{"version 1 of two and a garbled tail", codec.AppendFrame(nil, codec.Hello, 0, []byte{1, 2, 0, 0, 0, 0, 0, 0, 1, 0xff}), ReasonBadPayload},
		{"version 2 only", func() []byte {
			b, _ := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 2, MaxVersion: 9, ClientID: []byte("x")})
			return b
		}(), ReasonVersion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(t, rigConfig{})
			slot, p := n.dial()
			n.send(slot, tt.input)
			if code := goAwayCode(t, p); code != tt.why.Code() {
				t.Errorf("GOAWAY %v, want %v", code, tt.why.Code())
			}
			n.wantClosed(tt.why, 1)
		})
	}
}

func TestMessagesAreAckedOnlyByTheHandler(t *testing.T) {
	var got []string
	n := newNode(t, rigConfig{Handler: handler{
		Message: func(s *caller, id uint64, body []byte) {
			got = append(got, string(body))
			if id == 2 {
				s.Ack(id)
				s.DeliverAwaited(append([]byte("re: "), body...), "re")
			}
		},
		Settled: func(o Outcome, w Waiter) { got = append(got, w.(string)) },
	}})
	slot, p := n.join()
	n.send(slot, codec.AppendSend(codec.AppendSend(nil, 1, []byte("a")), 2, []byte("b")))
	all := frames(t, p.in)
	if len(all) != 2 || all[0].Type != codec.Deliver || all[1].Type != codec.Ack || p.writes != 1 {
		t.Fatalf("%v in %d writes, want DELIVER and ACK in one", frameTypes(t, p.in), p.writes)
	}
	id, body, _ := codec.ParseMessage(all[0].Payload)
	n.send(slot, codec.AppendAck(nil, codec.AckOf(id)))
	if want := []string{"a", "b", "re"}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Fatalf("handler saw %q, want %q", got, want)
	}
	if string(body) != "re: b" {
		t.Fatalf("delivered %q", body)
	}
}

func TestHeartbeatPathAllocatesNothing(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	ping := codec.AppendPing(nil, 1, 0)
	allocs := testing.AllocsPerRun(1000, func() {
		p.in = p.in[:0]
		n.now += 50 * time.Millisecond
		n.r.receive(n.now, slot, ping)
		n.r.Turn(n.now, 0, notOver)
	})
	if allocs != 0 {
		t.Fatalf("a heartbeat allocates %v times, want 0", allocs)
	}
}
