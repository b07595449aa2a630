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
		m := &membersModel{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 3)), n: newNode(t, rigConfig{SoftQueued: -1})}
		for range 3_000 {
			m.step()
		}
		m.n.bringAll()
		for i, one := range m.all {
			m.wantWhatWasPublished(i, one)
		}
		m.wantNothingLeft()
	}
}

// membersModel is a node, and what is known of its members.
type membersModel struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	n     *node
	all   []*modelMember
	count int // of what was published
}

type modelMember struct {
	slot Slot
	p    *peer
	in   map[string]bool
	want []string            // in the order of publication
	may  map[string]struct{} // it left before the walk came: it may have got it
	gone bool
}

var modelGroups = []string{"all", "few", "one", "none"}

// step does one thing, or nothing.
func (m *membersModel) step() {
	switch k := m.rng.IntN(20); {
	case k < 2 && len(m.all) < 400:
		slot, p := m.n.join()
		m.all = append(m.all, &modelMember{slot: slot, p: p, in: make(map[string]bool), may: make(map[string]struct{})})
	case len(m.all) == 0:
	case k < 10:
		one, g := m.all[m.rng.IntN(len(m.all))], modelGroups[m.rng.IntN(3)]
		if one.gone || g == "one" && one != m.all[0] {
			return
		}
		if err := m.n.r.JoinGroup(one.slot, g); err != nil {
			m.t.Fatal(err)
		}
		one.in[g] = true
	case k < 12:
		if one, g := m.all[m.rng.IntN(len(m.all))], modelGroups[m.rng.IntN(3)]; !one.gone {
			m.n.r.LeaveGroup(one.slot, g)
			one.left(g)
		}
	case k < 13 && m.rng.IntN(4) == 0:
		if one := m.all[m.rng.IntN(len(m.all))]; !one.gone {
			one.gone = true
			m.n.send(one.slot, codec.AppendBye(nil))
		}
	case k < 16:
		g := modelGroups[m.rng.IntN(4)]
		m.count++
		body := fmt.Sprintf("%s %d", g, m.count)
		m.n.publish(g, body)
		for _, one := range m.all {
			if one.in[g] && !one.gone {
				one.want = append(one.want, body)
			}
		}
	default:
		for range m.rng.IntN(4) {
			m.n.r.bring(func() bool { return true })
		}
	}
}

// left notes that a member has left a group: what was published to it may have come, or not.
func (one *modelMember) left(g string) {
	delete(one.in, g)
	one.want = slices.DeleteFunc(one.want, func(body string) bool {
		of := strings.HasPrefix(body, g+" ")
		if of {
			one.may[body] = struct{}{}
		}
		return of
	})
}

func (m *membersModel) wantWhatWasPublished(i int, one *modelMember) {
	m.t.Helper()
	got := bodies(m.t, one.p)
	left := slices.DeleteFunc(slices.Clone(got), func(body string) bool { _, ok := one.may[body]; return ok })
	for _, g := range modelGroups {
		of := func(list []string) []string {
			return slices.DeleteFunc(slices.Clone(list), func(body string) bool { return !strings.HasPrefix(body, g+" ") })
		}
		have, want := of(left), of(one.want)
		if one.gone {
			want = want[:min(len(have), len(want))] // it left in the middle of them
		}
		if !slices.Equal(have, want) {
			m.t.Fatalf("seed %d, member %d, group %s: got %v, want %v", m.seed, i, g, have, want)
		}
	}
	seen := make(map[string]bool)
	for _, body := range got {
		if seen[body] {
			m.t.Fatalf("seed %d: member %d got %q twice", m.seed, i, body)
		}
		seen[body] = true
	}
}

// wantNothingLeft: of groups, when all have gone.
func (m *membersModel) wantNothingLeft() {
	m.t.Helper()
	for _, one := range m.all {
		if !one.gone {
			m.n.send(one.slot, codec.AppendBye(nil))
		}
	}
	r := m.n.r
	if c := r.counters.Memberships; c != 0 || len(r.groups.byName) != 0 || r.fanning != 0 || r.bringing() {
		m.t.Fatalf("seed %d: %d memberships, %d groups, %d bytes under way are left of nobody", m.seed, c, len(r.groups.byName), r.fanning)
	}
}
