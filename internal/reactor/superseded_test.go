package reactor

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// supersede brings a client to a second connection, and says what its first is.
func supersede(t *testing.T, cfg rigConfig) (n *node, slot Slot, p *peer) {
	t.Helper()
	cfg.Index = true
	n = newNode(t, cfg)
	slot, p = n.come(1, 1, nil)
	_ = n.r.mailbox.Deliver(n.r.Handle(slot), []byte("posted before"))
	n.come(1, 2, passOf(t, p))
	n.run(n.r.cfg.Tick)
	if !n.r.sessions.at(slot).is(superseded) {
		t.Fatal("the first is not superseded")
	}
	return n, slot, p
}

// What is on its way still comes and goes; what is new belongs to the session that took the place.
func TestASupersededSessionEndsWhatIsOnItsWay(t *testing.T) {
	var handled, settled int
	var refused error
	cfg := rigConfig{Handler: handler{
		Opened: func(s *caller) {
			if s.Attempt() == 1 {
				_ = s.DeliverAwaited([]byte("awaited"), "x")
			}
		},
		Message: func(*caller, uint64, []byte) { handled++ },
	}}
	var n *node
	cfg.Handler.Settled = func(o Outcome, _ Waiter) {
		if settled++; o.Result == Acknowledged {
			slot, _ := n.r.find(o.Handle)
			refused = errors.Join(n.r.Deliver(slot, nil), n.r.DeliverOptional(slot, nil), n.r.DeliverAwaited(slot, nil, "y"), n.r.Move(slot, nil))
		}
	}
	n, slot, p := supersede(t, cfg)
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Welcome, codec.Deliver, codec.Deliver}) {
		t.Fatalf("it got %v, want what was posted before", got)
	}
	p.in = nil
	n.send(slot, codec.AppendAck(codec.AppendSend(codec.AppendPing(nil, 7, 0), 1, []byte("again over the new one")), codec.AckOf(1)))
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Pong}) || handled != 0 || settled != 1 {
		t.Errorf("it got %v, %d messages handled, %d outcomes", got, handled, settled)
	}
	if joined, ok := refused.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 4 || !errors.Is(refused, ErrClosed) {
		t.Errorf("sending to it: %v", refused)
	}
	if n.r.Live(n.r.Handle(slot)) {
		t.Error("it is live for others")
	}
	n.send(slot, codec.AppendBye(nil))
	n.wantClosed(ReasonBye, 1)
	if !p.closed || n.r.counters.Sessions != 1 {
		t.Errorf("closed %v, %d sessions", p.closed, n.r.counters.Sessions)
	}
}

// It has 2 s. Who was heard meanwhile reads why it ends; who was not is taken for dead.
func TestASupersededSessionEndsAfterTwoSeconds(t *testing.T) {
	for _, heard := range []bool{false, true} {
		n, slot, p := supersede(t, rigConfig{})
		n.run(time.Second)
		if heard {
			n.send(slot, codec.AppendPing(nil, 1, 0))
		}
		n.run(500 * time.Millisecond)
		if lastCode(t, p) != 0 || p.aborted {
			t.Fatal("it ended early")
		}
		n.run(500*time.Millisecond + n.r.cfg.Tick)
		if code := lastCode(t, p); code != codec.CodeSuperseded || p.aborted == heard || p.finished != heard {
			t.Errorf("heard %v: it is told %v, reset %v", heard, code, p.aborted)
		}
		n.wantClosed(ReasonSuperseded, 1)
	}
}

// A look at it in between changes nothing, whatever else it is looked at for.
func TestASupersededSessionThatIsLookedAtEndsInTime(t *testing.T) {
	for _, unsent := range []int{0, 100} {
		n, slot, p := supersede(t, rigConfig{})
		p.unsent = unsent
		n.r.wheel.Pull(slot, n.now+500*time.Millisecond)
		n.run(2*time.Second + n.r.cfg.Tick)
		if code := lastCode(t, p); code != codec.CodeSuperseded {
			t.Errorf("%d bytes unsent: it is told %v", unsent, code)
		}
	}
}

// Its own deadlines hold meanwhile, and a client that stays in a frame is not waited for.
func TestASupersededSessionIsNotWaitedFor(t *testing.T) {
	n, slot, p := supersede(t, rigConfig{})
	for range 12 {
		n.now += 200 * time.Millisecond
		p.held += 8 << 10
		n.r.receive(n.now, slot, make([]byte, 0))
		n.r.watchPartial(slot, p.held, false)
		n.turn(never)
	}
	if code := lastCode(t, p); code != codec.CodeSuperseded || p.aborted {
		t.Errorf("after 2.4 s in the middle of a frame it is told %v, reset %v", code, p.aborted)
	}
}

// The node stops, drains, or runs out of memory meanwhile.
func TestASupersededSessionOfANodeThatEnds(t *testing.T) {
	n, _, p := supersede(t, rigConfig{Alternates: []string{"b:1"}})
	n.drain(1e6)
	n.run(n.r.cfg.Tick)
	if lastCode(t, p) != 0 {
		t.Error("a drain has told it to go, which it does")
	}
	n.r.node.Stopping.Store(true)
	n.run(n.r.cfg.Tick)
	if n.wantClosed(ReasonShutdown, 2); lastCode(t, p) != codec.CodeShutdown {
		t.Errorf("it is told %v", lastCode(t, p))
	}
}

// What was kept of a paused one is not handled any more, nor is what comes: its client sends it again.
func TestASupersededSessionKeepsNothingForLater(t *testing.T) {
	handled := 0
	n := newNode(t, rigConfig{Index: true, Handler: handler{Message: func(*caller, uint64, []byte) { handled++ }}})
	slot, _ := n.come(1, 1, nil)
	_ = n.r.PauseRead(slot)
	n.send(slot, codec.AppendSend(nil, 1, []byte("kept")))
	n.come(1, 2, nil)
	n.run(n.r.cfg.Tick)
	n.send(slot, codec.AppendSend(nil, 2, []byte("late")))
	_ = n.r.ResumeRead(slot)
	n.run(n.r.cfg.Tick)
	if c := n.r.counters; handled != 0 || c.Kept != 0 || c.Paused != 0 || n.r.kept.inUse() != 0 {
		t.Errorf("%d handled, %d bytes kept, %d paused", handled, c.Kept, c.Paused)
	}
}

// In a full house the place goes to the newer session at once. The older may stay as a farewell may, as
// long as there is room for that.
func TestASupersededSessionWithoutAPlace(t *testing.T) {
	for _, room := range []int64{1, 0} {
		n := newNode(t, rigConfig{MaxConns: 1, Index: true})
		g := n.r.node.Conns
		g.MaxLingering = room
		slot, p := n.come(1, 1, nil)
		_, q := n.come(1, 2, passOf(t, p))
		n.runClosings()
		n.wantPlaces(1, 0)
		if stays := n.r.sessions.at(slot).state == stateReady; stays != (room > 0) || g.Lingering() != room || !welcomed(t, q) {
			t.Errorf("room for %d: it stays %v, %d linger", room, stays, g.Lingering())
		}
		n.run(5 * time.Second)
		n.wantPlaces(1, 0)
		if g.Lingering() != 0 || n.r.InUse().Extras != 0 {
			t.Errorf("%d linger, %d extras", g.Lingering(), n.r.InUse().Extras)
		}
	}
}

// Under Refuse nobody takes another process's place, with whatever pass, also in a full house.
func TestAPassIsNoWayAroundRefuse(t *testing.T) {
	for _, most := range []int{1, 2} {
		n := newNode(t, rigConfig{MaxConns: 1, Duplicates: gate.Refuse, MaxSameID: most})
		slot, p := n.come(1, 1, nil)
		_, q := n.come(2, 1, passOf(t, p))
		for range 4 {
			n.runClosings()
		}
		want := map[int]codec.Code{1: codec.CodeInUse, 2: codec.CodeFull}[most]
		if n.r.sessions.at(slot).state != stateReady || lastCode(t, q) != want {
			t.Errorf("of %d: the other is told %v, want %v", most, lastCode(t, q), want)
		}
		n.run(5 * time.Second)
		n.wantPlaces(1, 0)
	}
}
