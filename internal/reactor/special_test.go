package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// toldLimits is what a client with these limits hears in WELCOME.
func toldLimits(t *testing.T, cfg rigConfig, limits *Limits) codec.Limits {
	t.Helper()
	n := newNode(t, cfg)
	n.r.asker = &desk{}
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	n.r.authenticated(Answer{Handle: n.r.Handle(slot), Limits: limits})
	w, _ := answer(t, p)
	return w.Limits
}

func TestLimitsOfAGrantAreToldAndThoseOfAllAreTheRest(t *testing.T) {
	cfg := rigConfig{MaxFrameRate: 100, MaxByteRate: 1 << 20, MaxFrame: 64 << 10, UnsettledBytes: 256 << 10}
	all := toldLimits(t, cfg, nil)
	for _, tt := range []struct {
		name   string
		limits *Limits
		change func(*codec.Limits)
	}{
		{"none", &Limits{}, func(*codec.Limits) {}},
		{"fewer frames", &Limits{FrameRate: 5}, func(l *codec.Limits) { l.Frames, l.FrameBurst = 5, 20 }},
		{"more frames", &Limits{FrameRate: 5000}, func(l *codec.Limits) { l.Frames, l.FrameBurst = 5000, 20000 }},
		{"any number", &Limits{FrameRate: -1, ByteRate: -1, UnsettledBytes: -1}, func(l *codec.Limits) {
			l.Frames, l.FrameBurst, l.Bytes, l.ByteBurst, l.UnsettledBytes = 0, 0, 0, 0, 0
		}},
		{"a byte a second", &Limits{ByteRate: 1}, func(l *codec.Limits) { l.Bytes, l.ByteBurst = 1, 2*(64<<10+12) }},
		{"too many bytes", &Limits{ByteRate: 1 << 40}, func(l *codec.Limits) { l.Bytes, l.ByteBurst = MaxRate, 4*MaxRate }},
		{"small frames", &Limits{MaxFrame: 10 << 10}, func(l *codec.Limits) { l.MaxSend = 10 << 10 }},
		{"frames too small for a token", &Limits{MaxFrame: 1}, func(l *codec.Limits) { l.MaxSend = codec.MaxPayloadBeforeAuth }},
		{"frames too large", &Limits{MaxFrame: 1 << 30}, func(l *codec.Limits) {}},
		{"less unsettled than a frame", &Limits{UnsettledBytes: 1}, func(l *codec.Limits) { l.UnsettledBytes = 64 << 10 }},
		{"one small frame unsettled", &Limits{UnsettledBytes: 1, MaxFrame: 1}, func(l *codec.Limits) {
			l.MaxSend, l.UnsettledBytes = codec.MaxPayloadBeforeAuth, codec.MaxPayloadBeforeAuth
		}},
	} {
		want := all
		tt.change(&want)
		if got := toldLimits(t, cfg, tt.limits); got != want {
			t.Errorf("%s: told %+v, want %+v", tt.name, got, want)
		}
	}
}

// Each client is held to its own limits, side by side with others of other limits and of none, and
// the slot's next client to its own.
func TestEachClientIsHeldToItsOwnLimits(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100})
	n.r.asker = &desk{}
	send := func(slot Slot, frames int) {
		var b []byte
		for i := range frames {
			b = codec.AppendSend(b, uint64(i+1), nil)
		}
		n.r.Receive(n.now, slot, b)
	}
	for range 3 {
		slow, slowPeer := n.grant("slow", 0, &Limits{FrameRate: 5})
		usual, usualPeer := n.grant("usual", 0, nil)
		fast, fastPeer := n.grant("fast", 0, &Limits{FrameRate: 1000})
		if used := n.r.InUse().Bounds; used != 2 {
			t.Fatalf("%d sessions have limits of their own, want 2", used)
		}
		send(slow, 19) // HELLO was the first
		send(usual, 399)
		send(fast, 3999)
		if slowPeer.finished || usualPeer.finished || fastPeer.finished {
			t.Fatalf("within their limits: slow %v, usual %v, fast %v", slowPeer.finished, usualPeer.finished, fastPeer.finished)
		}
		n.run(2 * time.Second)
		send(slow, 11)
		send(usual, 150)
		send(fast, 1500)
		if code := goAwayCode(t, slowPeer); code != codec.CodeRateLimit || usualPeer.finished || fastPeer.finished {
			t.Fatalf("slow sends more than 5 a second: %v, usual %v, fast %v", code, usualPeer.finished, fastPeer.finished)
		}
		for _, slot := range []Slot{slow, usual, fast} {
			n.r.Closed(slot, ReasonPeerClosed)
		}
		if used := n.r.InUse(); used != (InUse{}) {
			t.Fatalf("in use %+v, want nothing", used)
		}
	}
}

// A frame that was begun behind HELLO is within any limits; a larger one is refused with its header.
func TestLimitsThatAreSmallerThanAFrameUnderWay(t *testing.T) {
	for size, ok := range map[int]bool{codec.MaxPayloadBeforeAuth - 8: true, codec.MaxPayloadBeforeAuth - 7: false} {
		handled := 0
		n := newNode(t, rigConfig{Handler: handler{Message: func(*caller, uint64, []byte) { handled++ }}})
		n.r.asker = &desk{}
		slot, p := n.dial()
		frame := codec.AppendSend(nil, 1, make([]byte, size))
		b := append(hello("alice"), frame...)
		const here = 100
		consumed, _ := n.r.receive(n.now, slot, b[:len(b)-len(frame)+here])
		if !ok {
			if code := goAwayCode(t, p); code != codec.CodeFrameTooLarge {
				t.Errorf("%d bytes: %v before WELCOME", size, code)
			}
			continue
		}
		b, p.held = b[consumed:], here
		n.r.authenticated(Answer{Handle: n.r.Handle(slot), Limits: &Limits{FrameRate: 1, ByteRate: 1, MaxFrame: 1, UnsettledBytes: 1}})
		n.run(time.Second)
		n.send(slot, b)
		if handled != 1 || p.finished {
			t.Errorf("%d bytes: handled %d, ended %v; want the frame handled", size, handled, p.finished)
		}
		n.r.receive(n.now, slot, codec.AppendSend(nil, 2, make([]byte, size+1))[:codec.HeaderLen])
		n.wantClosed(ReasonFrameTooLarge, 1)
	}
}
