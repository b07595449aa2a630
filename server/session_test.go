package server

import (
	"errors"
	"testing"
	"time"
	"unsafe"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
)

// What the adapter keeps of an idle client beside gnet's own.
func TestAChunkOfConnsIsWholePages(t *testing.T) {
	if got := unsafe.Sizeof([connChunk]gnet.Conn{}); got <= 32<<10 || got%(8<<10) != 0 {
		t.Errorf("a chunk of conns has %d bytes, want whole pages of the allocator", got)
	}
}

// What a code means is the server's to say, but for those that are applications'.
func TestCloseTakesTheCodesOfApplicationsOnly(t *testing.T) {
	want := func(code codec.Code) bool {
		return code == 0 || code == codec.CodeKicked || code == codec.CodeReplaced || code == codec.CodeSuperseded || code == codec.CodeInUse ||
			code >= 3150 && code <= 3199 || code >= 3450 && code <= 3499 || code >= 3900 && code <= 3999
	}
	s := startNode(t, Config{Loops: 1, Tick: 20 * time.Millisecond})
	w, m := joinNode(t, s, "alice")
	for code := codec.Code(1); code < 4100; code++ {
		if want(code) {
			continue
		}
		if err := s.Close(m.Session, code); !errors.Is(err, ErrCode) {
			t.Fatalf("Server.Close with %d: %v, want ErrCode", code, err)
		}
		if err := (&Session{}).Close(code); !errors.Is(err, ErrCode) {
			t.Fatalf("Session.Close with %d: %v, want ErrCode", code, err)
		}
	}
	for code := range codec.Code(4100) {
		if !want(code) {
			continue
		}
		kick := code
		if code == 0 {
			kick = codec.CodeKicked
		}
		p := newPaper(t, Config{Handler: Handler{Message: func(s *Session, _ uint64, _ []byte) {
			if err := s.Close(code); err != nil {
				t.Errorf("Session.Close with %d: %v", code, err)
			}
		}}})
		slot, c := p.join("alice")
		p.r.Receive(p.now, slot, codec.AppendSend(nil, 1, nil))
		if f, _, _ := codec.Decode(c.in, codec.MaxPayload); f.Type != codec.GoAway {
			t.Errorf("Session.Close with %d: %v", code, f.Type)
		} else if m, err := codec.ParseGoAway(f.Payload); err != nil || m.Code != kick {
			t.Fatalf("Session.Close with %d: the session ends with %d, %v", code, m.Code, err)
		}
	}
	if err := s.Close(m.Session, 3450); err != nil {
		t.Fatal(err)
	}
	w.wantGoAway(3450)
}
