package server

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/panjf2000/gnet/v2"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// What the adapter keeps of an idle client beside gnet's own.
func TestAChunkOfConnsIsWholePages(t *testing.T) {
	if got := unsafe.Sizeof([connChunk]gnet.Conn{}); got <= 32<<10 || got%(8<<10) != 0 {
		t.Errorf("a chunk of conns has %d bytes, want whole pages of the allocator", got)
	}
}

// What every idle client costs beside the wheel's 24 bytes and its id.
func TestAnIdleClientIsSmall(t *testing.T) {
	if got := unsafe.Sizeof(session{}); got != 32 {
		t.Errorf("a session has %d bytes, want 32: half a cache line", got)
	}
	if got := unsafe.Sizeof([sessionChunk]session{}); got != 32<<10 {
		t.Errorf("a chunk of sessions has %d bytes, want a size of the allocator", got)
	}
}

// still is a transport whose peers are all there and take everything.
type still struct{ sink }

func (still) RemoteAddr(timingwheel.ID) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, 1}) }

// A session, its deadline and its id, in the slabs of a loop. With gnet's own objects and a
// conn's 16 bytes that is all of an idle client.
func TestAHundredThousandIdleClientsTake75BytesEach(t *testing.T) {
	const clients = 100_000
	n := newNode(t, rigConfig{AdmitRate: clients, IDRate: -1})
	n.r.transport = still{sink{n.net}}
	held := func() int64 {
		runtime.GC()
		runtime.GC() // the first one leaves what pools hold
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc) + n.r.wheel.Stats().Bytes
	}
	before := held()
	for i := range clients {
		n.now += 100 * time.Microsecond
		slot, _ := n.r.Open(n.now)
		hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: fmt.Appendf(nil, "client-%07d", i)})
		if err != nil {
			t.Fatal(err)
		}
		n.r.receive(n.now, slot, hello)
		n.r.receive(n.now, slot, codec.AppendPing(nil, 1, 0))
	}
	n.r.forgetArrivals()
	each := float64(held()-before) / clients
	t.Logf("%d sessions, %.1f bytes each", n.r.counters.Sessions, each)
	if n.r.counters.Sessions != clients || each > 75 {
		t.Errorf("%d sessions of %d, %.1f bytes each, want 75 at most: 32 a session, 24 in the wheel, 16 an id", n.r.counters.Sessions, clients, each)
	}
	runtime.KeepAlive(n)
}

func TestWhatFewNeedIsGivenBack(t *testing.T) {
	var e extras
	all := make([]session, 3*extraChunk)
	for round := range 2 {
		for i := range all {
			if x := e.need(&all[i]); *x != (extra{}) {
				t.Fatalf("round %d: got one that is in use", round)
			}
			e.need(&all[i]).pongToken = uint64(i)
		}
		for i := range all {
			if got := e.of(&all[i]).pongToken; got != uint64(i) {
				t.Fatalf("round %d: %d has the token of %d", round, i, got)
			}
			if e.spare(&all[i]); i > 0 && all[i].extra == 0 {
				t.Fatalf("round %d: %d lost what it needs", round, i)
			}
			e.drop(&all[i])
		}
	}
	if len(e.chunks) != 3 || noExtra != (extra{}) {
		t.Errorf("%d chunks, want 3; %+v", len(e.chunks), noExtra)
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
