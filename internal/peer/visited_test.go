package peer

import (
	"fmt"
	"math/rand/v2"
	"testing"
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
