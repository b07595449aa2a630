package reactor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// Sessions that join, leave, end and begin at random, in walks that are cut into steps: each member
// gets what was published to its groups while it was a member, once and in order, and nobody
// anything else.
func TestEveryMemberGetsWhatWasPublishedWhileItWasOne(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n := newNode(t, rigConfig{SoftQueued: -1})
		type member struct {
			slot Slot
			p    *peer
			in   map[string]bool
			want []string            // in the order of publication
			may  map[string]struct{} // it left before the walk came: it may have got it
			gone bool
		}
		var all []*member
		groups := []string{"all", "few", "one", "none"}
		count := 0
		for range 3_000 {
			switch k := rng.IntN(20); {
			case k < 2 && len(all) < 400:
				slot, p := n.join()
				all = append(all, &member{slot: slot, p: p, in: make(map[string]bool), may: make(map[string]struct{})})
			case len(all) == 0:
			case k < 10:
				m, g := all[rng.IntN(len(all))], groups[rng.IntN(3)]
				if m.gone || g == "one" && m != all[0] {
					continue
				}
				if err := n.r.JoinGroup(m.slot, g); err != nil {
					t.Fatal(err)
				}
				m.in[g] = true
			case k < 12:
				m, g := all[rng.IntN(len(all))], groups[rng.IntN(3)]
				if m.gone {
					continue
				}
				n.r.LeaveGroup(m.slot, g)
				delete(m.in, g)
				m.want = slices.DeleteFunc(m.want, func(body string) bool {
					of := strings.HasPrefix(body, g+" ")
					if of {
						m.may[body] = struct{}{}
					}
					return of
				})
			case k < 13 && rng.IntN(4) == 0:
				if m := all[rng.IntN(len(all))]; !m.gone {
					m.gone = true
					n.send(m.slot, codec.AppendBye(nil))
				}
			case k < 16:
				g := groups[rng.IntN(4)]
				count++
				body := fmt.Sprintf("%s %d", g, count)
				n.publish(g, body)
				for _, m := range all {
					if m.in[g] && !m.gone {
						m.want = append(m.want, body)
					}
				}
			default:
				for range rng.IntN(4) {
					n.r.bring(func() bool { return true })
				}
			}
		}
		n.bringAll()
		for i, m := range all {
			got := bodies(t, m.p)
			left := slices.DeleteFunc(slices.Clone(got), func(body string) bool { _, ok := m.may[body]; return ok })
			for _, g := range groups {
				of := func(list []string) []string {
					return slices.DeleteFunc(slices.Clone(list), func(body string) bool { return !strings.HasPrefix(body, g+" ") })
				}
				have, want := of(left), of(m.want)
				if m.gone {
					want = want[:min(len(have), len(want))] // it left in the middle of them
				}
				if !slices.Equal(have, want) {
					t.Fatalf("seed %d, member %d, group %s: got %v, want %v", seed, i, g, have, want)
				}
			}
			seen := make(map[string]bool)
			for _, body := range got {
				if seen[body] {
					t.Fatalf("seed %d: member %d got %q twice", seed, i, body)
				}
				seen[body] = true
			}
		}
		for _, m := range all {
			if !m.gone {
				n.send(m.slot, codec.AppendBye(nil))
			}
		}
		if c := n.r.counters.Memberships; c != 0 || len(n.r.groups.byName) != 0 || n.r.fanning != 0 || n.r.bringing() {
			t.Fatalf("seed %d: %d memberships, %d groups, %d bytes under way are left of nobody", seed, c, len(n.r.groups.byName), n.r.fanning)
		}
	}
}
