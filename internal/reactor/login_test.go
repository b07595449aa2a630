package reactor

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

func TestANewerLoginReplacesTheOlderOnAnyLoop(t *testing.T) {
	for there := range 2 {
		var ends []Reason
		loops := newLoops(t, 2, rigConfig{Duplicates: gate.Replace, Handler: handler{Closed: func(_ *caller, why Reason) { ends = append(ends, why) }}})
		old, p := loops[0].come(1, 1, nil)
		old2 := loops[0].r.Handle(old)
		fresh, q := loops[there].come(2, 1, nil)
		if !welcomed(t, q) || lastCode(t, p) != 0 {
			t.Fatal("the newer is not welcomed, or the older ended within its callback")
		}
		say(loops)
		if code := lastCode(t, p); code != codec.CodeReplaced || !p.finished || !slices.Equal(ends, []Reason{ReasonReplaced}) {
			t.Errorf("the older is told %v, finished %v, Closed %v", code, p.finished, ends)
		}
		loops[0].wantClosed(ReasonReplaced, 1)
		if got := loops[there].r.app.(*stage).previous[loops[there].r.Handle(fresh)]; got != old2 || served(loops) != 1 {
			t.Errorf("it follows %x, want %x; %d sessions", got, old2, served(loops))
		}
		runAll(loops, 3*time.Second)
		wantNothingWaits(t, loops)
	}
}

// A login comes on another loop while the WELCOME of an earlier one is on its way, and is counted first: it
// stays, and the earlier one is replaced, though that asks later who has to make way.
func TestTheLaterLoginStaysThoughTheEarlierIsCountedAfterIt(t *testing.T) {
	var opened, ends []uint64
	loops := newLoops(t, 2, rigConfig{Duplicates: gate.Replace, Handler: handler{
		Opened: func(c *caller) { opened = append(opened, c.ID().Handle) },
		Closed: func(c *caller, why Reason) {
			if ends = append(ends, c.ID().Handle); why != ReasonReplaced {
				t.Errorf("closed: %v", why)
			}
		}}})
	first, _ := loops[0].come(1, 1, nil)
	oldest := loops[0].r.Handle(first)
	early, p := loops[0].dial()
	var late uint64
	var q *peer
	p.meanwhile = func() {
		var slot Slot
		slot, q = loops[1].come(3, 1, nil)
		late = loops[1].r.Handle(slot)
	}
	loops[0].arrive(early, 2, 1, nil)
	earlier := loops[0].r.Handle(early)
	if !welcomed(t, p) || q == nil || !welcomed(t, q) {
		t.Fatal("not both are welcomed")
	}
	say(loops)
	if lastCode(t, q) != 0 || lastCode(t, p) != codec.CodeReplaced || !p.finished {
		t.Errorf("the later is told %v, the earlier %v", lastCode(t, q), lastCode(t, p))
	}
	if !slices.Equal(ends, []uint64{oldest, earlier}) || !slices.Equal(opened, []uint64{oldest, late, earlier}) {
		t.Errorf("opened %x, closed %x", opened, ends)
	}
	previous := func(n *node, h uint64) (uint64, bool) {
		was, ok := n.r.app.(*stage).previous[h]
		return was, ok
	}
	if was, _ := previous(loops[1], late); was != oldest {
		t.Errorf("the later follows %x, want %x", was, oldest)
	}
	if was, ok := previous(loops[0], earlier); ok {
		t.Errorf("the earlier follows %x", was)
	}
	if got := loops[0].r.node.Roster.Lookup([]byte("alice"), nil); !slices.Equal(got, []uint64{late}) {
		t.Errorf("listed: %x, want %x", got, late)
	}
	runAll(loops, 3*time.Second)
	wantNothingWaits(t, loops)
}

// Another loop may end the older at once: whoever is told of that finds the newer.
func TestTheNewerIsKnownBeforeTheOlderMakesWay(t *testing.T) {
	loops := newLoops(t, 2, rigConfig{Duplicates: gate.Replace})
	loops[0].come(1, 1, nil)
	r := loops[1].r
	forward, asked, known := r.forward, 0, 0
	r.forward = func(c Closing) {
		if asked++; r.Live(c.heir) {
			known++
		}
		forward(c)
	}
	if _, q := loops[1].come(2, 1, nil); !welcomed(t, q) || asked != 1 || known != 1 {
		t.Errorf("%d are asked to make way, for one who is known in %d cases", asked, known)
	}
	say(loops)
	loops[0].wantClosed(ReasonReplaced, 1)
	runAll(loops, 3*time.Second)
	wantNothingWaits(t, loops)
}

// What was posted for a session that is replaced comes before its goodbye.
func TestWhatWasPostedComesBeforeReplaced(t *testing.T) {
	n := newNode(t, rigConfig{Duplicates: gate.Replace})
	old, p := n.come(1, 1, nil)
	_ = n.r.mailbox.Deliver(n.r.Handle(old), []byte("before"))
	n.come(2, 1, nil)
	n.runClosings()
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Welcome, codec.Deliver, codec.GoAway}) {
		t.Errorf("it got %v", got)
	}
}

// Who is refused, has gone, or whom WELCOME does not reach displaces nobody, and is not on the roster.
func TestWhoIsNotWelcomedDisplacesNobodyFromTheRoster(t *testing.T) {
	for name, come := range map[string]func(n *node){
		"FIN with HELLO": func(n *node) {
			slot, p := n.dial()
			p.left = true
			n.arrive(slot, 2, 1, nil)
		},
		"refused": func(n *node) {
			n.r.asker = asks(func() {})
			slot, _ := n.come(2, 1, nil)
			n.r.authenticated(Answer{Handle: n.r.Handle(slot), Why: ReasonUnauthorized})
		},
		"the authenticator's in_use": func(n *node) {
			n.r.asker = asks(func() {})
			slot, _ := n.come(2, 1, nil)
			n.r.authenticated(Answer{Handle: n.r.Handle(slot), Why: ReasonInUse, Delay: time.Minute})
		},
		"FIN during the check": func(n *node) {
			n.r.asker = asks(func() {})
			slot, p := n.come(2, 1, nil)
			p.left = true
			n.r.authenticated(Answer{Handle: n.r.Handle(slot)})
		},
		"RST before WELCOME": func(n *node) {
			slot, p := n.dial()
			p.reset = true
			n.arrive(slot, 2, 1, nil)
		},
		"its turn has not come": func(n *node) {
			for n.r.node.Queue.Ahead(n.now) == 0 {
				n.r.node.Queue.Ask(n.now, time.Minute)
			}
			n.come(2, 1, nil)
		},
		"a drain": func(n *node) {
			n.r.node.Drain.Begin()
			n.come(2, 1, nil)
		},
		"its address": func(n *node) {
			n.r.node.Addrs = gate.NewLimiter[netip.Addr](1, 0, crand.Reader)
			n.r.node.Addrs.Enter(n.now, gate.AddrKey(n.r.transport.RemoteAddr(0)))
			n.come(2, 1, nil)
		},
	} {
		for _, policy := range []gate.Duplicates{gate.Replace, gate.Refuse} {
			t.Run(fmt.Sprint(name, policy), func(t *testing.T) {
				closed := 0
				n := newNode(t, rigConfig{Duplicates: policy, Handler: handler{Closed: func(*caller, Reason) { closed++ }}})
				slot, p := n.come(1, 1, nil)
				come(n)
				n.runClosings()
				n.run(n.r.cfg.Tick)
				if n.r.sessions.at(slot).state != stateReady || closed != 0 || lastCode(t, p) != 0 {
					t.Error("the session was displaced by nobody")
				}
				if listed := n.r.node.Roster.Lookup([]byte("alice"), nil); len(listed) != 1 || listed[0] != n.r.Handle(slot) {
					t.Errorf("listed: %x", listed)
				}
			})
		}
	}
}

// A later attempt of a process is no login under any policy, with a pass or without, here and elsewhere.
func TestALaterAttemptTakesItsOwnPlaceOnly(t *testing.T) {
	for _, policy := range []gate.Duplicates{gate.StandBeside, gate.Replace, gate.Refuse} {
		for there := range 2 {
			loops := newLoops(t, 2, rigConfig{Duplicates: policy, MaxSameID: 2, Index: true})
			old, p := loops[0].come(1, 1, nil)
			_, beside := loops[1].come(2, 1, nil)
			_, q := loops[there].come(1, 2, nil)
			say(loops)
			if !welcomed(t, q) || !loops[0].r.sessions.at(old).is(superseded) || lastCode(t, p) != 0 {
				t.Errorf("%v: welcomed %v, the old one superseded: %v", policy, welcomed(t, q), loops[0].r.sessions.at(old).is(superseded))
			}
			if lastCode(t, beside) != 0 || served(loops) != 2 {
				t.Errorf("%v: the one beside is told %v, %d are served", policy, lastCode(t, beside), served(loops))
			}
			runAll(loops, 5*time.Second)
			if loops[0].wantClosed(ReasonSuperseded, 1); lastCode(t, p) != codec.CodeSuperseded || !p.aborted {
				t.Errorf("%v: a dead one is told %v, reset %v", policy, lastCode(t, p), p.aborted)
			}
			wantNothingWaits(t, loops)
		}
	}
}

// A HELLO of an older attempt that is read late is ended itself, before WELCOME.
func TestAZombieIsEndedOnAnyLoop(t *testing.T) {
	for there := range 2 {
		opened := 0
		loops := newLoops(t, 2, rigConfig{Index: true, Handler: handler{Opened: func(*caller) { opened++ }}})
		slot, p := loops[0].come(1, 5, nil)
		_, zombie := loops[there].come(1, 4, passOf(t, p))
		say(loops)
		if code := goAwayCode(t, zombie); code != codec.CodeSuperseded || opened != 1 || loops[0].r.sessions.at(slot).state != stateReady {
			t.Errorf("it is told %v; %d opened", code, opened)
		}
	}
}

// Without an index the pass of a zombie names the session that is newer, perhaps on another loop:
// that one says so.
func TestAZombieWithAPassIsEndedWithoutAnIndex(t *testing.T) {
	loops := newLoops(t, 2, rigConfig{})
	slot, p := loops[0].come(1, 5, nil)
	_, zombie := loops[1].come(1, 4, passOf(t, p))
	say(loops)
	if code := lastCode(t, zombie); code != codec.CodeSuperseded || loops[0].r.sessions.at(slot).is(superseded) {
		t.Errorf("it is told %v", code)
	}
	runAll(loops, 3*time.Second)
	wantNothingWaits(t, loops)
}

// race has very many clients say HELLO as alice on all loops, in any order with what loops say to each
// other, some of whom are not there any more or never take their WELCOME, or come back as a later attempt.
// until says how far it may have come at any time.
func race(t *testing.T, loops []*node, rnd *rand.Rand, logins int, check func()) {
	t.Helper()
	attempts := make(map[uint64]uint32)
	for i := range logins {
		n := loops[rnd.IntN(len(loops))]
		incarnation := uint64(i + 1)
		switch rnd.IntN(10) {
		case 0:
			incarnation = uint64(rnd.IntN(i+1) + 1) // comes back
		case 1:
			incarnation = 0
		}
		attempts[incarnation]++
		slot, p := n.dial()
		p.reset, p.left = rnd.IntN(20) == 0, rnd.IntN(20) == 0
		if other := loops[rnd.IntN(len(loops))]; other != n && rnd.IntN(4) == 0 { // another login while it is welcomed
			p.meanwhile = func() { other.come(1<<41+uint64(i), 1, nil) }
		}
		n.arrive(slot, incarnation, attempts[incarnation], nil)
		if rnd.IntN(4) == 0 {
			loops[rnd.IntN(len(loops))].runClosings()
		}
		if rnd.IntN(16) == 0 { // it ends while it is displaced, perhaps
			n.r.Closed(Slot(rnd.IntN(len(n.net.peers))), ReasonPeerClosed)
		}
		if check != nil && i%64 == 0 {
			check()
		}
	}
	// The last is well: there is somebody.
	loops[0].come(1<<40, 1, nil)
	say(loops)
}

func TestARaceOfLoginsLeavesAsManyAsMayBe(t *testing.T) {
	for seed := range uint64(3) {
		for _, most := range []int{1, 3} {
			replaced := 0
			loops := newLoops(t, 4, rigConfig{Duplicates: gate.Replace, MaxSameID: most, AdmitRate: 1e9,
				Handler: handler{Closed: func(_ *caller, why Reason) {
					if why == ReasonReplaced {
						replaced++
					}
				}}})
			rnd := rand.New(rand.NewPCG(seed, uint64(most)))
			race(t, loops, rnd, 10_000, nil)
			for range 3 { // those that are there now are all well
				loops[rnd.IntN(4)].come(rnd.Uint64()|1<<50, 1, nil)
			}
			say(loops)
			listed := loops[0].r.node.Roster.Len()
			if got := served(loops); got != most || listed != most || replaced < 5000 {
				t.Errorf("seed %d: %d sessions, %d listed, want %d; %d replaced", seed, got, listed, most, replaced)
			}
			runAll(loops, 5*time.Second)
			wantNothingWaits(t, loops)
		}
	}
}

// Under Refuse nobody is ever displaced, however many come, and there are never more than may be.
func TestARaceOfLoginsDisplacesNobodyUnderRefuse(t *testing.T) {
	for _, most := range []int{1, 3} {
		loops := newLoops(t, 4, rigConfig{Duplicates: gate.Refuse, MaxSameID: most, AdmitRate: 1e9,
			Handler: handler{Closed: func(_ *caller, why Reason) {
				if why != ReasonPeerClosed && why != ReasonSuperseded && why != ReasonPeerReset {
					t.Fatalf("a session ended: %v", why)
				}
			}}})
		race(t, loops, rand.New(rand.NewPCG(1, uint64(most))), 10_000, func() {
			if got := served(loops); got > 2*most { // one more for each that is about to be superseded
				t.Fatalf("%d sessions, at most %d may be", got, most)
			}
		})
		if got := served(loops); got < 1 || got > most {
			t.Errorf("%d sessions in the end, want 1 to %d", got, most)
		}
		refused := uint64(0)
		for _, n := range loops {
			refused += n.r.counters.Closes[ReasonInUse]
		}
		if refused < 5000 {
			t.Errorf("%d were refused", refused)
		}
		runAll(loops, 5*time.Second)
		wantNothingWaits(t, loops)
	}
}
