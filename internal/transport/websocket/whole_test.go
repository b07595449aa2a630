package websocket

import (
	"strings"
	"testing"
)

// A short message that comes alone is opened the short way. Everything else takes the long one, and has lost nothing by
// the attempt.
func TestTheShortWayIsForAMessageAlone(t *testing.T) {
	long := strings.Repeat("x", maxControl)
	for what, c := range map[string]struct {
		before, wire string
		plain        string // "": it is not for the short way
	}{
		"a message":        {"", frame(fin|binary1, "abc"), "abc"},
		"one of 125 bytes": {"", frame(fin|binary1, long), long},
		"behind another":   {frame(fin|binary1, "abc"), frame(fin|binary1, "def"), "def"},
		"one of 126 bytes": {"", frame(fin|binary1, long+"x"), ""},
		// The byte of their length is that of a message of these reads, if it is taken for that.
		"a read of 126 and more":    {"", frame(fin|binary1, long+long)[:6+126], ""},
		"a read of 127 and more":    {"", frame(fin|binary1, strings.Repeat(long, 600))[:6+127], ""},
		"a read of 254":             {"", frame(fin|binary1, long+long+long)[:6+254], ""},
		"a read of 255":             {"", frame(fin|binary1, strings.Repeat(long, 600))[:6+255], ""},
		"an empty one":              {"", frame(fin|binary1, ""), ""},
		"a text message":            {"", frame(fin|text, "abc"), ""},
		"a fragment":                {"", frame(binary1, "abc"), ""},
		"a message in a message":    {frame(binary1, "abc"), frame(fin|binary1, "def"), ""},
		"the end of a message":      {frame(binary1, "abc"), frame(fin|continuation, "def"), ""},
		"a ping":                    {"", frame(ping, "abc"), ""},
		"reserved bits":             {"", frame(0x40|fin|binary1, "abc"), ""},
		"no mask":                   {"", bare(fin|binary1, "abc") + "defg", ""},
		"two messages":              {"", frame(fin|binary1, "abc") + frame(fin|binary1, "def"), ""},
		"less than a message":       {"", frame(fin|binary1, "abc")[:8], ""},
		"a header":                  {"", frame(fin|binary1, "abc")[:1], ""},
		"nothing":                   {"", "", ""},
		"what looks like one":       {frame(fin|binary1, "abc"+frame(fin|binary1, "def"))[:9], frame(fin|binary1, "def"), ""},
		"behind a half":             {frame(fin|binary1, "abc")[:4], frame(fin|binary1, "def"), ""},
		"behind a close frame":      {frame(goodbye, ""), frame(fin|binary1, "def"), ""},
		"behind what was malformed": {frame(0x40|fin|binary1, "abc"), frame(fin|binary1, "def"), ""},
	} {
		t.Run(what, func(t *testing.T) {
			s, twin := openServer(t), openServer(t)
			s.receive(c.before)
			twin.receive(c.before)
			plain, ok := s.lines.Whole(0, []byte(c.wire))
			if string(plain) != c.plain || ok != (c.plain != "") {
				t.Fatalf("it opens to %q, %v; want %q", plain, ok, c.plain)
			}
			if ok {
				s.got = append(s.got, plain...)
			} else {
				s.receive(c.wire)
			}
			twin.long(c.wire)
			if string(s.got) != string(twin.got) || s.frames != twin.frames || (s.err == nil) != (twin.err == nil) || s.lines.Held(0) != twin.lines.Held(0) {
				t.Errorf("%q, %d frames, %v; by the long way %q, %d frames, %v", s.got, s.frames, s.err, twin.got, twin.frames, twin.err)
			}
		})
	}
}

// Before the handshake is over there are no messages.
func TestTheShortWayIsForAnOpenWebSocket(t *testing.T) {
	s := newServerEnd(t, ServerConfig{})
	if plain, ok := s.lines.Whole(0, []byte(frame(fin|binary1, "abc"))); ok {
		t.Errorf("it opens to %q", plain)
	}
	s.receive(upgrade()[:50])
	if plain, ok := s.lines.Whole(0, []byte(frame(fin|binary1, "abc"))); ok {
		t.Errorf("within the request it opens to %q", plain)
	}
}

// What is not taken waits for what comes next, which takes the long way until all is taken.
func TestWhatTheShortWayGaveAndNobodyTookWaits(t *testing.T) {
	s := openServer(t)
	if plain, ok := s.lines.Whole(0, []byte(frame(fin|binary1, "abc"))); !ok || string(plain) != "abc" {
		t.Fatalf("it opens to %q", plain)
	}
	s.lines.Wait(0, []byte("bc"))
	if held := s.lines.Held(0); held != 2 {
		t.Errorf("%d bytes are held, want 2", held)
	}
	s.receive(frame(fin|binary1, "def"))
	if string(s.got) != "bcdef" || s.lines.Held(0) != 0 {
		t.Errorf("%q comes of it, %d bytes are held", s.got, s.lines.Held(0))
	}
	if plain, ok := s.lines.Whole(0, []byte(frame(fin|binary1, "ghi"))); !ok || string(plain) != "ghi" {
		t.Errorf("afterwards it opens to %q", plain)
	}
}
