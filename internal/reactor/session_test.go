package reactor

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// A reactor whose farewells waited has nothing of them left.
func TestExtrasAndNamesAreGivenBackWithTheirSession(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	for i := range 3 * extraChunk {
		slot, _ := n.dial()
		n.send(slot, hello(fmt.Sprint("client-", i)))
		n.send(slot, []byte("garbage"))    // a farewell has an extra
		n.r.Closed(slot, ReasonPeerClosed) // before it is over
		if i%2 == 0 {                      // and so has half a frame
			slot, _ = n.join()
			n.r.receive(n.now, slot, hello("x")[:9])
			n.r.Closed(slot, ReasonPeerReset)
		}
	}
	if u := n.r.InUse(); u != (InUse{}) {
		t.Errorf("all have left, and in use are still %+v", u)
	}
	if err := n.r.CheckWheel(); err != nil {
		t.Error(err)
	}
}

// What every idle client costs beside the wheel's 24 bytes and its id.
func TestAnIdleClientIsSmall(t *testing.T) {
	if got := unsafe.Sizeof(Session{}); got != 32 {
		t.Errorf("a session has %d bytes, want 32: half a cache line", got)
	}
	if got := unsafe.Sizeof([sessionChunk]Session{}); got != 32<<10 {
		t.Errorf("a chunk of sessions has %d bytes, want a size of the allocator", got)
	}
}

// still is a transport whose peers are all there and take everything.
type still struct{ sink }

func (still) RemoteAddr(timingwheel.ID) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, 1}) }

// A session, its deadline and its id, in the slabs of a loop. With gnet's own objects and a
// conn's 16 bytes that is all of an idle client.
func TestAHundredThousandIdleClientsTake80BytesEach(t *testing.T) {
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
	if n.r.counters.Sessions != clients || each > 80 {
		t.Errorf("%d sessions of %d, %.1f bytes each, want 80 at most: 32 a session, 24 in the wheel, 16 an id, 4 that it lives", n.r.counters.Sessions, clients, each)
	}
	runtime.KeepAlive(n)
}

func TestWhatFewNeedIsGivenBack(t *testing.T) {
	var e extras
	all := make([]Session, 3*extraChunk)
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
