package websocket

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// Half an upgrade costs what has come of it, and no answer before its end.
func TestHalfAnUpgradeIsCountedAndRefusedInTime(t *testing.T) {
	s := newServerEnd(t, ServerConfig{})
	half := upgrade()[:40]
	s.receive(half)
	if held := s.lines.Held(0); held != len(half) || len(s.sent) != 0 {
		t.Errorf("%d bytes held of %d, it says %q", held, len(half), s.sent)
	}
	notice, _ := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeHelloTimeout})
	s.send(string(notice))
	s.close(codec.CodeHelloTimeout)
	if said := s.said(); !strings.HasPrefix(said, "HTTP/1.1 408 ") || !strings.HasSuffix(said, "\r\n\r\n"+string(notice)) {
		t.Errorf("it is refused with %q", said)
	}
	if held := s.lines.Held(0); held != 0 {
		t.Errorf("%d bytes held behind the end", held)
	}
}

// Frames that bring nothing are told, so that they can be charged.
func TestWhatBringsNothingIsCharged(t *testing.T) {
	for what, c := range map[string]struct {
		frames string
		want   int
	}{
		"a message":            {frame(fin|binary1, "abc"), 0},
		"pings":                {strings.Repeat(frame(ping, ""), 50), 50},
		"pongs":                {strings.Repeat(frame(pong, "x"), 50), 50},
		"fragments":            {frame(binary1, "a") + strings.Repeat(frame(continuation, "b"), 30) + frame(fin|continuation, "c"), 32},
		"fragments of nothing": {frame(binary1, "") + strings.Repeat(frame(continuation, ""), 49), 50},
		"empty messages":       {strings.Repeat(frame(fin|binary1, ""), 50), 50},
	} {
		s := openServer(t)
		s.receive(c.frames)
		if s.frames != c.want || s.err != nil {
			t.Errorf("%s: %d frames are charged, want %d (%v)", what, s.frames, c.want, s.err)
		}
	}
}

// A frame of 2^62 bytes is a stream: what has come of it is opened, and nothing is made room for.
func TestALongFrameIsAStream(t *testing.T) {
	s := openServer(t)
	s.receive("\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00abc")
	s.receive("def")
	if string(s.got) != "abcdef" || s.lines.Held(0) != 0 || s.err != nil {
		t.Errorf("%q, %d held, %v", s.got, s.lines.Held(0), s.err)
	}
	s.lines.End(0)
	if n := len(s.side.halves.all) - len(s.side.halves.free); n != 0 {
		t.Errorf("%d halves are kept behind the end", n)
	}
}

func TestTheClientBehindTrustedProxies(t *testing.T) {
	for _, c := range []struct {
		believed bool
		fields   string
		want     string
	}{
		{false, "X-Forwarded-For: 192.0.2.1", ""},
		{true, "X-Forwarded-For: 192.0.2.1", "192.0.2.1"},
		{true, "X-Forwarded-For: 6.6.6.6, 192.0.2.1", "192.0.2.1"},
		{true, "X-Forwarded-For: 192.0.2.1, 10.0.0.1, 10.0.0.2", "192.0.2.1"},
		{true, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1", "192.0.2.1"},
		{true, "X-Forwarded-For: 192.0.2.1:4711", "192.0.2.1"},
		{true, "X-Forwarded-For: [2001:db8::1]:4711", "2001:db8::1"},
		{true, "X-Forwarded-For: 2001:db8::1", "2001:db8::1"},
		{true, "X-Forwarded-For: ::ffff:192.0.2.1", "192.0.2.1"},
		{true, "X-Forwarded-For: 10.0.0.1, 10.0.0.2", "10.0.0.1"},
		{true, "X-Forwarded-For: 192.0.2.1, unknown", ""},
		{true, "X-Forwarded-For: ", ""},
		{true, "X: y", ""},
	} {
		d := NewServer(ServerConfig{Trusted: netip.MustParsePrefix("10.0.0.0/8").Contains})
		s := newEnd(t, &d.side, d)
		if c.believed {
			d.Believe(0)
		}
		s.receive(upgrade(c.fields))
		want, _ := netip.ParseAddr(c.want)
		if addr := s.lines.Addr(0); addr != want || s.err != nil {
			t.Errorf("%q, believed %v: %v, %v; want %v", c.fields, c.believed, addr, s.err, want)
		}
		if s.lines.End(0); s.lines.Addr(0).IsValid() {
			t.Error("the address outlives its connection")
		}
	}
}
