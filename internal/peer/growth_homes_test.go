package peer

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestGrowthOfHomes says what one node of a cluster takes where logins are told to homes only, at the pace of TestGrowth.
func TestGrowthOfHomes(t *testing.T) {
	const logins = 50 // a second and node, and as many logouts
	for _, n := range []int{10} {
		w := newWorld(t, 1)
		var last []*login
		for i := range n {
			w.start(Config{Node: fmt.Sprintf("node-%03d", i), Replace: true, HomesAbove: 2, Version: "v1.0.0"})
			last = append(last, nil)
		}
		w.run(6 * time.Second)
		if slices.ContainsFunc(w.hosts, func(h *host) bool { return !h.m.homing.silent }) {
			t.Fatal("some tell all")
		}
		var messages, bytes [kindsKnown]int
		w.lose = func(_ *host, subject Subject, data []byte) bool {
			times := 1
			if subject != To {
				times = n - 1
			}
			messages[data[1]] += times
			bytes[data[1]] += times * len(data)
			return false
		}
		steps := 100
		for step := range steps {
			for i, h := range w.hosts {
				if w.rng.IntN(1000/logins) >= 1000/steps {
					continue
				}
				if last[i] != nil {
					h.close(last[i])
				}
				last[i] = h.open(fmt.Sprintf("client-%04d-%03d", i, step), 1, 0)
			}
			w.run(time.Second / time.Duration(steps))
		}
		per := func(k kind) string {
			return fmt.Sprintf("%.0f %s of %d bytes", float64(messages[k])/float64(n), kindNames[k], bytes[k]/max(messages[k], 1))
		}
		listed := 0
		for _, h := range w.hosts {
			listed += len(h.m.directory.ids) + len(h.m.directory.users)
		}
		t.Logf("%3d nodes: %s, %s, %s, %d CLAIMS; %d of %d sessions are listed twice", n, per(kindNode), per(kindRegister), per(kindTook), messages[kindClaims], listed, n)
		if messages[kindClaims] != 0 || messages[kindRegister]/n > 5*logins || messages[kindTook]/n > 5*logins {
			t.Errorf("%v", messages)
		}
	}
}

// A session costs its two homes no more than docs/CLUSTER.md says, with names of 15 and 12 bytes.
func TestListedSessionCosts(t *testing.T) {
	const n = 100_000
	var d directory
	owner := new(node)
	before := heapBytes()
	for i := range n {
		e := &entry{owner: owner, id: fmt.Sprintf("client-%08d", i), roles: roleID}
		e.user = fmt.Sprintf("user-%07d", i)
		e.claim.Stamp = uint64(i + 1)
		d.add(e)
		u := *e
		u.roles = roleUser
		d.add(&u)
	}
	got := float64(heapBytes()-before) / n
	t.Logf("%.0f bytes for both", got)
	if got > 800 {
		t.Errorf("%.0f bytes for both", got)
	}
	d.drop(owner)
	if len(d.ids)+len(d.users) != 0 {
		t.Error("a node that is gone is known")
	}
}
