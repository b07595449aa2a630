package link

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// names is what a resolver knows.
type names map[string][]netip.AddrPort

func addresses(list ...string) (all []netip.AddrPort) {
	for _, a := range list {
		all = append(all, netip.MustParseAddrPort(a))
	}
	return all
}

// resolve answers for the attempt under way and returns where it leads.
func (r *rig) resolve(n names) string {
	r.t.Helper()
	addr := r.l.Resolved(r.now, r.attempt(), n[r.dials[len(r.dials)-1]])
	if addr == "" {
		r.t.Fatal("there is no attempt")
	}
	return addr
}

const edge = "edge.example:7000"

// The promise: three addresses, one of them alive, and nobody waits.
func TestEveryAddressOfANameIsTriedAtOnce(t *testing.T) {
	for _, refusal := range []error{syscall.ECONNREFUSED, errNoRoute, ErrTimeout} {
		for count := 1; count <= 20; count++ {
			var all []string
			for i := range count {
				all = append(all, fmt.Sprintf("10.0.0.%d:7000", i+1))
			}
			r := newRig(t, Config{Endpoints: []string{edge}})
			r.l.rng = rng(count)
			r.start()
			began := r.now
			var tried []string
			for range count - 1 {
				tried = append(tried, r.resolve(names{edge: addresses(all...)}))
				if refusal == ErrTimeout {
					began += r.l.Deadline() - r.now
					r.tick()
				} else {
					r.disconnected(refusal, false)
				}
				r.tick()
			}
			tried = append(tried, r.resolve(names{edge: addresses(all...)}))
			slices.Sort(tried)
			slices.Sort(all)
			if !slices.Equal(tried, all) || r.now != began {
				t.Errorf("%v, %d addresses: tried %v with waits of %v", refusal, count, tried, r.now-began)
			}
			r.connected()
			r.welcome(codec.WelcomeMessage{Terms: testTerms})
			if info := r.l.Info(); info.Dials != uint32(count) || info.ConnectTimeout != 5*time.Second {
				t.Errorf("%+v, want %d dials", info, count)
			}
		}
	}
}

func TestANameHasFailedWhenAllItsAddressesHave(t *testing.T) {
	for name, c := range map[string]struct {
		errs [2]error
		want standing
	}{
		"all refuse":        {[2]error{syscall.ECONNREFUSED, syscall.ECONNREFUSED}, failed},
		"some have no way":  {[2]error{errNoRoute, syscall.ECONNREFUSED}, failed},
		"the others do not": {[2]error{syscall.ECONNREFUSED, errNoRoute}, failed},
	} {
		r := newRig(t, Config{Endpoints: []string{edge}})
		n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1")}
		r.start()
		r.resolve(n)
		r.disconnected(c.errs[0], false)
		if why, _ := r.l.standingOf(r.now, hashAddress(edge)); why != free || r.wait() != 0 {
			t.Fatalf("%s: the name is %d after one of two, the wait is %v", name, why, r.wait())
		}
		r.tick()
		r.resolve(n)
		r.disconnected(c.errs[1], false)
		if r.wait() == 0 { // the one that refused is tried again, since no way leads to the other
			r.tick()
			r.resolve(n)
			r.disconnected(syscall.ECONNREFUSED, false)
		}
		if why, _ := r.l.standingOf(r.now, hashAddress(edge)); why != c.want || r.wait() == 0 {
			t.Errorf("%s: the name is %d, want %d; the wait is %v", name, why, c.want, r.wait())
		}
	}
}

// However often all have failed, all are tried again.
func TestEveryRoundTriesAllAddresses(t *testing.T) {
	n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1")}
	r := newRig(t, Config{Endpoints: []string{edge}})
	r.start()
	for round := range 40 {
		tried := map[string]bool{}
		for r.l.State() != StateBackingOff || r.wait() == 0 {
			if r.l.State() == StateBackingOff {
				r.tick()
			}
			tried[r.resolve(n)] = true
			r.disconnected(syscall.ECONNREFUSED, false)
		}
		if len(tried) != 3 {
			t.Fatalf("round %d: tried %v", round, tried)
		}
		r.now += maxPenalty // and not one is avoided
		r.tick()
	}
}

// A session's end blames its address: the name leads to others.
func TestALostAddressIsAvoidedAndItsNameIsNot(t *testing.T) {
	n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1")}
	for seed := range 50 {
		r := newRig(t, Config{Endpoints: []string{edge, "10.0.0.9:1"}})
		r.l.rng = rng(seed)
		r.start()
		if r.dials[0] != edge {
			continue
		}
		first := r.resolve(n)
		r.connected()
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		r.disconnected(errReset, false)
		if !r.l.anyFree(r.now) {
			t.Fatal("nothing is free")
		}
		r.tick()
		if r.dials[1] == edge {
			if second := r.resolve(n); second == first {
				t.Fatalf("seed %d: back to %s", seed, second)
			}
		}
	}
}

// A slot is at one node: its ticket means nothing to the others of its name.
func TestASlotIsKeptAtTheAddressThatGaveIt(t *testing.T) {
	n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1")}
	for seed := range 20 {
		r := newRig(t, Config{Endpoints: []string{edge}})
		r.l.rng = rng(seed)
		r.start()
		first := r.resolve(n)
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: codec.CodeBusy, Delay: time.Second, Ticket: []byte("t")})
		r.tick()
		if second := r.resolve(n); second != first {
			t.Fatalf("seed %d: the slot is at %s, went to %s", seed, first, second)
		}
	}
}

// This machine ran out of descriptors when its turn came: the turn is not lost.
func TestATicketThatNoHelloCarriedIsKept(t *testing.T) {
	n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1")}
	for seed := range 20 {
		for _, resolved := range []bool{false, true} {
			r := newRig(t, Config{Endpoints: []string{edge, good}})
			r.l.rng = rng(seed)
			r.start()
			if r.dials[0] != edge {
				continue
			}
			first := r.resolve(n)
			r.connected()
			r.goAway(codec.GoAwayMessage{Code: codec.CodeBusy, Delay: time.Second, Ticket: []byte("t")})
			r.tick()
			if resolved {
				r.resolve(n)
			}
			gone := r.l
			r.disconnected(syscall.EMFILE, false)
			r.tick()
			if r.dials[2] != edge {
				t.Fatalf("seed %d: went to %s", seed, r.dials[2])
			}
			if second := r.resolve(n); second != first {
				t.Fatalf("seed %d: went to %s, the ticket is from %s", seed, second, first)
			}
			r.connected()
			if m, err := codec.ParseHello(r.frames[len(r.frames)-1].Payload); err != nil || string(m.Ticket) != "t" {
				t.Fatalf("seed %d: HELLO with ticket %q, %v", seed, m.Ticket, err)
			}
			r.disconnected(errReset, false)
			r.tick()
			if last := r.dials[len(r.dials)-1]; last == edge {
				r.resolve(n)
			}
			r.connected()
			if m, err := codec.ParseHello(r.frames[len(r.frames)-1].Payload); err != nil || len(m.Ticket) != 0 {
				t.Fatalf("seed %d: the ticket %q again, %v", seed, m.Ticket, err)
			}
			// The node is not there: neither is its queue.
			gone.Disconnected(r.now, gone.Attempt(), syscall.ECONNREFUSED, &r.out)
			if gone.retry.here && !gone.anyFree(r.now) || gone.retry.ticket != "" {
				t.Fatalf("seed %d: %+v", seed, gone.retry)
			}
			r.out.Reset()
		}
	}
}

// A node of the name that drains: the name leads to another, at once.
func TestANameIsElsewhereInAHandover(t *testing.T) {
	n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1")}
	r := newRig(t, Config{Endpoints: []string{edge}})
	r.start()
	first := r.resolve(n)
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	if wait := r.l.Info().NextAttempt - r.now; wait != 0 {
		t.Errorf("a wait of %v", wait)
	}
	r.tick()
	if second := r.resolve(n); second == first {
		t.Errorf("back to %s, which drains", second)
	}
}

// A name that leads nowhere is that endpoint's fault, and no other's.
func TestANameWithoutAnAddressKeepsNobodyAway(t *testing.T) {
	for seed := range 20 {
		r := newRig(t, Config{Endpoints: []string{"gone.example:1", good}})
		r.l.rng = rng(seed)
		r.start()
		if after, _ := r.serveAgain(r.now); after != 0 {
			t.Errorf("seed %d: in after %v", seed, after)
		}
	}
}

func TestResolvedOfAnAttemptThatIsOverLeadsNowhere(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{edge}})
	r.start()
	r.disconnected(errReset, false)
	if addr := r.l.Resolved(r.now, 1, addresses("10.0.0.1:1")); addr != "" {
		t.Errorf("Resolved = %s", addr)
	}
}

// What an address did before a long session says nothing of it now.
func TestOtherAddressesAreForgivenDuringASession(t *testing.T) {
	n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1")}
	for lasts, want := range map[time.Duration]bool{penaltyTime: false, time.Hour: true} {
		r := newRig(t, Config{Endpoints: []string{edge}})
		r.start()
		r.resolve(n)
		r.disconnected(syscall.ECONNREFUSED, false)
		r.tick()
		r.resolve(n)
		r.connected()
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		r.now += lasts
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		if at := r.l.Info().NextAttempt; (at == r.now) != want {
			t.Errorf("a session of %v: the move waits %v", lasts, at-r.now)
		}
		if why, _ := r.l.standingOf(r.now, hashAddress(edge)); (why == free) != want {
			t.Errorf("a session of %v: the name is %d", lasts, why)
		}
	}
}
