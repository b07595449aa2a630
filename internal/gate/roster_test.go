package gate

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func newRoster(policy Duplicates, most int) *Roster {
	return NewRoster(NewSeals(nil, rand.Reader), policy, most)
}

var alice = []byte("alice")

// login enters and is welcomed.
func login(r *Roster, handle, incarnation uint64, attempt uint32) (Standing, []Displaced) {
	l := Login{handle, incarnation, attempt}
	standing, _ := r.Enter(alice, l)
	if standing != Among {
		return standing, nil
	}
	return standing, r.Displace(alice, l, nil)
}

func wantListed(t *testing.T, r *Roster, want ...uint64) {
	t.Helper()
	if got := r.Lookup(alice, nil); !slices.Equal(got, want) || r.Len() != len(want) {
		t.Errorf("listed: %v, %d in all, want %v", got, r.Len(), want)
	}
}

func TestReplaceEndsTheOldestLogin(t *testing.T) {
	r := newRoster(Replace, 2)
	login(r, 1, 10, 1)
	login(r, 2, 20, 1)
	if standing, displaced := login(r, 3, 30, 1); standing != Among || !slices.Equal(displaced, []Displaced{{Handle: 1}}) {
		t.Errorf("the third login: %v, displaces %v, want the first", standing, displaced)
	}
	wantListed(t, r, 2, 3)
}

// The bound is of those who were welcomed: who was not displaces nobody, also not by being counted.
func TestWhoIsNotWelcomedIsNotCounted(t *testing.T) {
	r := newRoster(Replace, 2)
	login(r, 1, 10, 1)
	login(r, 2, 20, 1)
	if standing, _ := r.Enter(alice, Login{3, 30, 1}); standing != Among {
		t.Fatalf("the third: %v", standing)
	}
	r.Leave(alice, 2)
	if _, displaced := login(r, 4, 40, 1); displaced != nil {
		t.Errorf("the fourth displaces %v for the third, who is not in", displaced)
	}
	r.Leave(alice, 3)
	wantListed(t, r, 1, 4)
}

func TestRefuseDisplacesNobody(t *testing.T) {
	r := newRoster(Refuse, 1)
	login(r, 1, 10, 1)
	standing, oldest := r.Enter(alice, Login{2, 20, 1})
	if standing != Taken || oldest != 1 {
		t.Errorf("a second login: %v, oldest %d", standing, oldest)
	}
	if standing, displaced := login(r, 3, 10, 2); standing != Among || !slices.Equal(displaced, []Displaced{{1, true}}) {
		t.Errorf("a handover: %v, displaces %v", standing, displaced)
	}
	r.Leave(alice, 3)
	if standing, _ := login(r, 4, 20, 1); standing != Alone {
		t.Errorf("when the other has gone: %v", standing)
	}
}

// A handover is no login: it takes its place in the order, and displaces its own session alone.
func TestAHandoverIsNoLogin(t *testing.T) {
	for _, policy := range []Duplicates{StandBeside, Replace, Refuse} {
		r := newRoster(policy, 2)
		login(r, 1, 10, 1)
		login(r, 2, 20, 1)
		if standing, displaced := login(r, 3, 10, 2); standing != Among || !slices.Equal(displaced, []Displaced{{1, true}}) {
			t.Errorf("%v: %v, displaces %v", policy, standing, displaced)
		}
		wantListed(t, r, 3, 2)
		if policy == Replace {
			if _, displaced := login(r, 4, 30, 1); !slices.Equal(displaced, []Displaced{{Handle: 3}}) {
				t.Errorf("the next login displaces %v, want the first process", displaced)
			}
		}
	}
}

// An older attempt that is read late is not listed, and a process without a number is always another.
func TestALateAttemptIsNotListed(t *testing.T) {
	r := newRoster(Replace, 1)
	login(r, 1, 10, 5)
	if standing, _ := r.Enter(alice, Login{2, 10, 4}); standing != Late {
		t.Errorf("an older attempt: %v", standing)
	}
	wantListed(t, r, 1)
	login(r, 3, 0, 5)
	if _, displaced := login(r, 4, 0, 4); !slices.Equal(displaced, []Displaced{{Handle: 3}}) {
		t.Errorf("of two without an incarnation the later displaces %v", displaced)
	}
}

// Who has been displaced before its WELCOME was written displaces nobody any more.
func TestWhoWasDisplacedDisplacesNobody(t *testing.T) {
	r := newRoster(Replace, 1)
	login(r, 1, 10, 1)
	r.Enter(alice, Login{2, 20, 1})
	r.Enter(alice, Login{3, 20, 2})
	if displaced := r.Displace(alice, Login{3, 20, 2}, nil); len(displaced) != 1 || displaced[0] != (Displaced{2, true}) {
		t.Errorf("displaced %v", displaced)
	}
	if displaced := r.Displace(alice, Login{2, 20, 1}, nil); displaced != nil {
		t.Errorf("one that is listed no more displaces %v", displaced)
	}
}

// Of two that come at once the later stays, though the earlier be counted after it: its WELCOME was written
// first, and its loop asked last.
func TestTheLaterOfTwoLoginsStays(t *testing.T) {
	for _, most := range []int{1, 2} {
		r := newRoster(Replace, most)
		for i := range most {
			login(r, uint64(i+1), uint64(i+10), 1)
		}
		early, late := Login{51, 60, 1}, Login{52, 70, 1}
		r.Enter(alice, early)
		r.Enter(alice, late)
		if displaced := r.Displace(alice, late, nil); !slices.Equal(displaced, []Displaced{{Handle: 1}}) {
			t.Errorf("most %d: the later displaces %v", most, displaced)
		}
		want := Displaced{Handle: uint64(most)}
		if most == 1 {
			want.Handle = early.Handle
		}
		if displaced := r.Displace(alice, early, nil); !slices.Equal(displaced, []Displaced{want}) {
			t.Errorf("most %d: counted last, the earlier displaces %v, want %v", most, displaced, want)
		}
		if got := r.Lookup(alice, nil); got[len(got)-1] != late.Handle || len(got) != most {
			t.Errorf("most %d: listed: %v", most, got)
		}
	}
}

// naive is a roster of one id as anybody would write it.
type naive struct {
	policy Duplicates
	most   int
	all    []named
}

type named struct {
	Login
	welcomed bool
}

func (n *naive) same(a, b Login) bool { return a.Incarnation == b.Incarnation && a.Incarnation != 0 }

// logins are the first of each process, in their order.
func (n *naive) logins(which func(s named) bool) (all []Login) {
	for _, s := range n.all {
		if which(s) && !slices.ContainsFunc(all, func(o Login) bool { return n.same(o, s.Login) }) {
			all = append(all, s.Login)
		}
	}
	return all
}

func (n *naive) enter(l Login) Standing {
	own := -1
	for i, s := range n.all {
		if n.same(s.Login, l) {
			if s.Attempt > l.Attempt {
				return Late
			}
			own = i
		}
	}
	others := n.logins(func(s named) bool { return !n.same(s.Login, l) })
	crowded := len(others) >= n.most
	switch {
	case own >= 0:
		n.all = slices.Insert(n.all, own+1, named{Login: l})
		return Among
	case crowded && n.policy == Refuse:
		return Taken
	case crowded && n.policy == Replace:
		n.all = append(n.all, named{Login: l})
		return Among
	}
	n.all = append(n.all, named{l, true})
	return Alone
}

func (n *naive) displace(l Login) (gone []Displaced) {
	at := slices.IndexFunc(n.all, func(s named) bool { return s.Handle == l.Handle })
	if at < 0 {
		return nil
	}
	n.all[at].welcomed = true
	drop := func(same bool, which func(s named) bool) {
		n.all = slices.DeleteFunc(n.all, func(s named) bool {
			if which(s) {
				gone = append(gone, Displaced{s.Handle, same})
				return true
			}
			return false
		})
	}
	drop(true, func(s named) bool { return s.Handle != l.Handle && n.same(s.Login, l) && s.Attempt <= l.Attempt })
	if len(gone) > 0 || n.policy != Replace {
		return gone
	}
	for {
		logins := n.logins(func(s named) bool { return s.welcomed })
		if len(logins) <= n.most {
			return gone
		}
		drop(false, func(s named) bool { return s.welcomed && (s.Handle == logins[0].Handle || n.same(s.Login, logins[0])) })
	}
}

func TestTheRosterIsLikeANaiveOne(t *testing.T) {
	for seed := range uint64(300) {
		rnd := mrand.New(mrand.NewPCG(seed, 1))
		policy, most := Duplicates(rnd.IntN(3)), 1+rnd.IntN(3)
		r, n := newRoster(policy, most), &naive{policy: policy, most: most}
		var pending []Login
		for handle := range uint64(200) {
			l := Login{handle, uint64(rnd.IntN(6)), uint32(rnd.IntN(5))}
			got, _ := r.Enter(alice, l)
			if want := n.enter(l); got != want {
				t.Fatalf("seed %d: Enter %v: %v, want %v", seed, l, got, want)
			}
			if got == Among {
				pending = append(pending, l)
			}
			for len(pending) > 0 && rnd.IntN(2) == 0 {
				i := rnd.IntN(len(pending))
				p := pending[i]
				pending = slices.Delete(pending, i, i+1)
				if rnd.IntN(4) == 0 { // WELCOME did not reach it
					r.Leave(alice, p.Handle)
					n.all = slices.DeleteFunc(n.all, func(s named) bool { return s.Handle == p.Handle })
					continue
				}
				if got, want := r.Displace(alice, p, nil), n.displace(p); !slices.Equal(got, want) {
					t.Fatalf("seed %d: Displace %v: %v, want %v", seed, p, got, want)
				}
			}
			if len(n.all) > 0 && rnd.IntN(5) == 0 {
				i := rnd.IntN(len(n.all))
				r.Leave(alice, n.all[i].Handle)
				n.all = slices.Delete(n.all, i, i+1)
			}
			var want []uint64
			for _, s := range n.all {
				want = append(want, s.Handle)
			}
			if got := r.Lookup(alice, nil); !slices.Equal(got, want) {
				t.Fatalf("seed %d: listed %v, want %v", seed, got, want)
			}
		}
	}
}

// Many ids keep what is theirs while the table grows, and nothing is left when they have gone.
func TestTheRosterKeepsIDsApart(t *testing.T) {
	r := newRoster(Replace, 1)
	id := func(i int) []byte { return fmt.Appendf(nil, "client-%d", i) }
	const n = 20000
	for i := range n {
		if standing, _ := r.Enter(id(i), Login{Handle: uint64(i), Incarnation: 1}); standing != Alone {
			t.Fatalf("login %d: %v", i, standing)
		}
	}
	for i := range n {
		if got := r.Lookup(id(i), nil); len(got) != 1 || got[0] != uint64(i) {
			t.Fatalf("%d: %v", i, got)
		}
		r.Leave(id(i), uint64(i))
		r.Leave(id(i), uint64(i)) // it is not there any more
	}
	if r.Len() != 0 {
		t.Errorf("%d left", r.Len())
	}
	for i := range r.shards {
		for _, head := range r.shards[i].heads {
			if head != 0 {
				t.Fatal("a chain is not empty")
			}
		}
	}
}

// A session costs the roster 32 bytes and its share of a table; a login allocates nothing once there
// is room.
func TestTheRosterIsSmall(t *testing.T) {
	r := newRoster(Replace, 1)
	var id [12]byte
	name := func(i int) []byte { return fmt.Appendf(id[:0], "client-%d", i) }
	const n = 200_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		r.Enter(name(i), Login{Handle: uint64(i)})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	bytes := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.1f bytes a session", bytes)
	if bytes > 56 {
		t.Errorf("%.1f bytes a session, want at most 56", bytes)
	}
	s, tag := r.shard(alice) // the hash has a pool, which the race detector upsets
	drop := func(e *entry) bool { return e.handle == 1 }
	if got := testing.AllocsPerRun(1000, func() {
		s.enter(tag, Login{Handle: 1}, Replace, 1)
		s.remove(tag, drop)
	}); got != 0 {
		t.Errorf("a login allocates %v times", got)
	}
	runtime.KeepAlive(r)
}

func BenchmarkRosterLogin(b *testing.B) {
	r := newRoster(Replace, 1)
	for b.Loop() {
		r.Enter(alice, Login{Handle: 1})
		r.Leave(alice, 1)
	}
}
