package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestFaultOfKnowsWhatAnErrorIsAbout(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for _, c := range []struct {
		err  error
		want Fault
	}{
		{dial(syscall.ECONNREFUSED), FaultPeer}, {dial(syscall.ETIMEDOUT), FaultPeer}, {syscall.ECONNRESET, FaultPeer},
		{syscall.EPIPE, FaultPeer}, {io.EOF, FaultPeer}, {context.DeadlineExceeded, FaultPeer}, {errors.New("tls: bad certificate"), FaultPeer},
		{dial(syscall.ENETUNREACH), FaultPath}, {dial(syscall.EHOSTUNREACH), FaultPath}, {dial(syscall.EADDRNOTAVAIL), FaultPath},
		{dial(syscall.EAFNOSUPPORT), FaultPath}, {dial(syscall.EINVAL), FaultPath}, {dial(syscall.ENETDOWN), FaultPath},
		{dial(syscall.EPERM), FaultPath}, {dial(syscall.ENODEV), FaultPath},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, FaultPath},
		{&net.DNSError{Err: "server misbehaving", IsTemporary: true}, FaultPath},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, FaultPath},
		{&net.OpError{Op: "dial", Err: &net.AddrError{Err: "no suitable address found", Addr: "::1"}}, FaultPath},
		{dial(syscall.EMFILE), FaultHost}, {dial(syscall.ENFILE), FaultHost}, {dial(syscall.ENOMEM), FaultHost},
		{dial(syscall.ENOBUFS), FaultHost}, {dial(syscall.EADDRINUSE), FaultHost}, {syscall.ECONNABORTED, FaultHost},
		{fmt.Errorf("TokenSource: %w", &FaultError{FaultHost, dial(syscall.ECONNREFUSED)}), FaultHost},
	} {
		if got := FaultOf(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

const good, noRoute, noRoute2 = "10.0.0.1:7000", "[2001:db8::1]:7000", "[2001:db8::2]:7000"

var errNoRoute = &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}

// serveAgain dials until the good endpoint is reached, and says how it went. Nothing else can
// be reached, and the good one only from then on.
func (r *rig) serveAgain(from time.Duration) (after time.Duration, dials int) {
	r.t.Helper()
	for dials = 0; dials < 1000; dials++ {
		for r.l.State() == StateBackingOff {
			r.tick()
		}
		switch addr := r.dials[len(r.dials)-1]; {
		case addr != good:
			r.disconnected(errNoRoute, false)
		case r.now < from:
			r.disconnected(syscall.ECONNREFUSED, false)
		default:
			r.connected()
			r.welcome(codec.WelcomeMessage{Terms: testTerms})
			return r.now - from, dials
		}
	}
	r.t.Fatalf("not back %v after the node, %d dials", r.now-from, dials)
	return 0, 0
}

// The promise: an alternate without a route costs a client its turn, and no time.
func TestAnUnroutableAlternateKeepsNobodyAway(t *testing.T) {
	for name, alternates := range map[string]string{"none": "", "one": noRoute, "two": noRoute + "," + noRoute2} {
		for seed := range 200 {
			r := newRig(t, Config{Endpoints: []string{good}})
			r.l.rng = rng(seed)
			r.start()
			r.connected()
			terms := testTerms
			terms.Window = 3 * time.Second
			r.welcome(codec.WelcomeMessage{Terms: terms, Alternates: []byte(alternates)})
			r.now += 2 * time.Minute
			r.disconnected(errReset, false)
			back := r.now + 1500*time.Millisecond
			if after, dials := r.serveAgain(back); after > 4500*time.Millisecond || dials > 30 {
				t.Fatalf("alternates %s, seed %d: back %v after the node with %d dials in vain", name, seed, after, dials)
			}
		}
	}
}

// Behind a NAT, what nodes call each other is silence: no error, and one timeout after another.
func TestAlternatesThatSwallowEverythingKeepNobodyAway(t *testing.T) {
	for seed := range 100 {
		r := newRig(t, Config{Endpoints: []string{good}})
		r.l.rng = rng(seed)
		r.start()
		r.connected()
		terms := testTerms
		terms.Window = 3 * time.Second
		r.welcome(codec.WelcomeMessage{Terms: terms, Alternates: []byte("10.9.0.1:1,10.9.0.2:1,10.9.0.3:1,10.9.0.4:1,10.9.0.5:1,10.9.0.6:1,10.9.0.7:1,10.9.0.8:1")})
		r.now += 2 * time.Minute
		r.disconnected(errReset, false)
		back := r.now + 2*time.Second
		for r.l.State() != StateReady {
			switch {
			case r.l.State() == StateBackingOff || r.dials[len(r.dials)-1] != good:
				r.tick()
			case r.now < back:
				r.disconnected(syscall.ECONNREFUSED, false)
			default:
				r.connected()
				r.welcome(codec.WelcomeMessage{Terms: terms})
			}
		}
		if after := r.now - back; after > 20*time.Second {
			t.Fatalf("seed %d: back %v after the node, %v", seed, after, r.dials)
		}
	}
}

// A phone without its network: every destination fails alike, and none of them is to blame.
func TestWhenNoWayLeadsAnywhereNobodyIsBlamed(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{good, noRoute, "node.example:1"}})
	r.start()
	for range 3 {
		if r.l.State() == StateBackingOff {
			t.Fatalf("dials %v, and then a wait: not all were tried at once", r.dials)
		}
		r.disconnected(errNoRoute, false)
		if r.l.State() == StateBackingOff && r.wait() == 0 {
			r.tick()
		}
	}
	if wait := r.wait(); wait == 0 || wait > time.Second {
		t.Errorf("after %v a wait of %v, want U(0, 1s)", r.dials, wait)
	}
	for _, addr := range []string{good, noRoute, "node.example:1"} {
		if until := r.l.penalisedUntil(addr); until != 0 {
			t.Errorf("%s is penalised", addr)
		}
	}
	began, dials := r.now, len(r.dials)
	for range 120 {
		r.tick()
		r.disconnected(errNoRoute, false)
	}
	if took := r.now - began; took < time.Minute {
		t.Errorf("%d dials within %v: the waits do not grow", len(r.dials)-dials, took)
	}
	r.tick()
	r.ready(testTerms)
}

// Out of descriptors is no word about any node.
func TestHostTroubleBlamesNobody(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{good, noRoute}})
	r.start()
	for range 10 {
		r.disconnected(syscall.EMFILE, false)
		if wait := r.wait(); wait == 0 {
			t.Error("no wait")
		}
		r.tick()
	}
	if r.l.penalties != nil {
		t.Errorf("penalties %+v", *r.l.penalties)
	}
}

// The one that was lost is tried before the way to the other is tried again, and soonest first.
func TestPenalisedEndpointsAreTriedWhenNoWayLeadsToTheRest(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{good, "10.0.0.2:7000", noRoute}})
	r.l.penalise(r.now, hashAddress("10.0.0.2:7000"), failed)
	r.now += 10 * time.Second
	r.l.penalise(r.now, hashAddress(good), failed)
	r.start()
	r.disconnected(errNoRoute, false)
	r.tick()
	r.disconnected(errNoRoute, false)
	r.tick()
	want := []string{noRoute, "10.0.0.2:7000", good}
	if fmt.Sprint(r.dials) != fmt.Sprint(want) {
		t.Errorf("dials %v, want %v", r.dials, want)
	}
	if r.now != time.Hour+10*time.Second {
		t.Errorf("that took %v", r.now-time.Hour)
	}
}

// A drain whose only alternate has no route: the session goes on, without a spin.
func TestAHandoverWithoutAWayIsBackedOff(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{good}})
	r.start()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Alternates: []byte(noRoute)})
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	began := r.now
	for len(r.dials) < 20 {
		r.now = r.l.nextDeadline()
		r.l.tickNext(r.now, 0, &r.out)
		r.settle()
		r.wantState(StateReady)
		if r.dials[len(r.dials)-1] == good { // it drains
			r.connected()
			r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		} else {
			r.disconnected(errNoRoute, false)
		}
	}
	if took := r.now - began; took < time.Minute {
		t.Errorf("20 attempts within %v", took)
	}
}

func TestManyEndpointsWithoutAWayAreBounded(t *testing.T) {
	cfg := Config{}
	for i := range 200 {
		cfg.Endpoints = append(cfg.Endpoints, fmt.Sprintf("10.1.0.%d:1", i))
	}
	r := newRig(t, cfg)
	r.start()
	began := r.now
	for range 1000 {
		r.disconnected(errNoRoute, false)
		r.tick()
	}
	if r.now-began < time.Minute {
		t.Errorf("1000 dials within %v", r.now-began)
	}
	for range 100 {
		r.disconnected(errReset, false)
		r.tick()
	}
	if n := len(*r.l.penalties); n != maxPenalties {
		t.Errorf("%d penalties, want %d", n, maxPenalties)
	}
}

// The node that drains is no way out of a silence.
func TestAHandoverDoesNotGoBackAfterASilence(t *testing.T) {
	for seed := range 20 {
		r := newRig(t, Config{Endpoints: []string{good, "10.0.0.2:1", "10.0.0.3:1"}})
		r.l.rng = rng(seed)
		r.ready(testTerms)
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		for len(r.dials) < 3 {
			r.now = r.l.nextDeadline()
			r.l.tickNext(r.now, 0, &r.out)
			r.settle()
		}
		if r.dials[2] == r.dials[0] {
			t.Fatalf("dials %v", r.dials)
		}
	}
}

// A router that loses its way to a node tells all its clients at once.
func TestASessionThatLosesItsWayReturnsWithinTheWindow(t *testing.T) {
	low, high := sample(t, 300, Config{}, func(r *rig) time.Duration {
		stable(r)
		r.disconnected(&net.OpError{Op: "read", Err: syscall.EHOSTUNREACH}, false)
		if !r.l.anyFree(r.now) {
			t.Fatal("the only endpoint is avoided")
		}
		return r.wait()
	})
	if low > testTerms.Window/10 || high < testTerms.Window*9/10 || high > testTerms.Window {
		t.Errorf("waits from %v to %v, want U(0, %v)", low, high, testTerms.Window)
	}
	_, high = sample(t, 300, Config{}, func(r *rig) time.Duration {
		stable(r)
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		for len(r.dials) == 1 {
			r.tick()
		}
		r.l.Disconnected(r.now, r.l.Attempt(), &net.OpError{Op: "read", Err: syscall.EHOSTUNREACH}, &r.out)
		r.disconnected(errNoRoute, false) // and so does the attempt to move it
		return r.wait()
	})
	if high < testTerms.Window*9/10 {
		t.Errorf("waits up to %v after a move that failed with its session, want %v", high, testTerms.Window)
	}
	_, high = sample(t, 300, Config{}, func(r *rig) time.Duration {
		stable(r)
		r.l.NetworkChanged(r.now, &r.out)
		r.disconnected(&net.OpError{Op: "read", Err: syscall.EHOSTUNREACH}, false)
		return r.wait()
	})
	if high > localSpread {
		t.Errorf("waits up to %v where this side's network changed, want %v", high, localSpread)
	}
}
