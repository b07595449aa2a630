package peer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"
)

// What is known of a user's sessions is true whether they are few or many.
func TestSessionsOfOneUser(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var d directory
	owners := []*node{{name: "a"}, {name: "b"}, {name: "c"}}
	want := make(map[sessionKey]bool)
	for step := range 20_000 {
		e := &entry{owner: owners[rng.IntN(3)], id: fmt.Sprint(rng.IntN(60)), user: "u", roles: roleUser}
		e.claim.Stamp = uint64(1 + rng.IntN(2))
		switch rng.IntN(2 + step/10_000) { // many come first, then many go
		case 0:
			d.add(e)
			want[e.key()] = true
		default:
			d.remove(e.owner, []byte(e.id), []byte(e.user), e.claim.Stamp, roleUser)
			delete(want, e.key())
		}
		if step%1000 == 999 {
			d.drop(e.owner)
			for k := range want {
				if k.owner == e.owner {
					delete(want, k)
				}
			}
		}
		u := d.users["u"]
		if u == nil {
			u = new(visited)
		}
		if len(u.sessions) != len(want) || u.places != nil && len(u.places) != len(want) {
			t.Fatalf("step %d: %d sessions in %d places, want %d", step, len(u.sessions), len(u.places), len(want))
		}
		for i, e := range u.sessions {
			if at := u.place(e.key()); !want[e.key()] || at != i {
				t.Fatalf("step %d: %v is at %d, and known to be at %d", step, e.key(), i, at)
			}
		}
		if n := len(u.sessions); u.places == nil && n > manySessions || u.places != nil && n <= manySessions/2 {
			t.Fatalf("step %d: places of %d sessions are kept: %v", step, n, u.places != nil)
		}
	}
}

// All that a node has registered, and nothing else, is found without a look at what others have.
func TestDirectoryKnowsWhatIsWhose(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var d directory
	owners := []*node{{name: "a"}, {name: "b"}, {name: "c"}}
	want := make(map[sessionKey]byte)
	for step := range 20_000 {
		p, roles := owners[rng.IntN(3)], byte(1+rng.IntN(3))
		k := sessionKey{p, uint64(1 + rng.IntN(3)), fmt.Sprint(rng.IntN(20))}
		switch rng.IntN(200) {
		case 0:
			d.drop(p)
			for k := range want {
				if k.owner == p {
					delete(want, k)
				}
			}
			if p.entries != nil || len(p.follows) > 0 {
				t.Fatalf("step %d: something is left of what was dropped", step)
			}
		default:
			if d.follow(p, k.id, rng.IntN(2) == 0); rng.IntN(2) == 0 {
				d.remove(p, []byte(k.id), []byte(k.id), k.stamp, roles)
				if want[k] &^= roles; want[k] == 0 {
					delete(want, k)
				}
				continue
			}
			e := &entry{owner: p, id: k.id, user: k.id, roles: roles}
			e.claim.Stamp = k.stamp
			d.add(e)
			want[k] |= roles
		}
		got, followed := make(map[sessionKey]byte), 0
		for _, p := range owners {
			for e := p.entries; e != nil; e = e.older {
				if e.owner != p || got[e.key()]&e.roles != 0 || e.older != nil && e.older.newer != e {
					t.Fatalf("step %d: %s has %v", step, p.name, e.key())
				}
				got[e.key()] |= e.roles
			}
			followed += len(p.follows)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("step %d: owners have %d sessions, want %d", step, len(got), len(want))
		}
		for _, u := range d.users {
			followed -= len(u.followers)
		}
		if followed != 0 {
			t.Fatalf("step %d: nodes follow %d more users than know of it", step, followed)
		}
	}
}

// Of many sessions of a user who is followed each is found without a look at the others.
func TestFollowedWithManySessions(t *testing.T) {
	const many = 1000
	w := newWorld(t, 24)
	h := w.cluster(2, Config{})
	h[0].follow("x")
	var stamps []uint64
	for i := range many {
		stamps = append(stamps, h[1].m.Open(h[1].time(), Session{ID: fmt.Sprint("y", i), User: "x", Handle: uint64(i + 1)}, &h[1].out))
		h[1].obey()
	}
	w.run(time.Second)
	known := &h[0].m.follows["x"].known
	if len(known.sessions) != many || len(known.places) != many {
		t.Errorf("%d sessions are known in %d places, want %d", len(known.sessions), len(known.places), many)
	}
	for i, stamp := range stamps {
		h[1].m.Close(h[1].time(), fmt.Sprint("y", i), stamp, &h[1].out)
		h[1].obey()
	}
	w.run(time.Second)
	if len(known.sessions) != 0 || len(known.places) != 0 || len(h[0].views["b"]) != 0 {
		t.Errorf("%d sessions are known in %d places when all have ended", len(known.sessions), len(known.places))
	}
}
