package peer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// grown is what one node of a cluster has to take, where all nodes tell all.
type grown struct {
	nodes           int
	announcements   float64 // messages a second
	announcedBytes  float64
	claims, records float64
	claimBytes      float64
	micros          float64 // of the machine, for all it takes in a second
	memory          float64 // bytes a peer
}

// TestGrowth: what a node takes grows with the nodes and their logins, and by nothing else. How much that is with many more nodes
// `make bench-cluster` tells.
func TestGrowth(t *testing.T) {
	const logins = 50 // a second and node, and as many logouts
	for _, n := range []int{3, 10} {
		g := grow(n, logins)
		others := float64(n - 1)
		t.Logf("%3d nodes: %4.0f NODE/s of %4.0f bytes, %6.0f CLAIMS/s of %3.0f bytes (%3.0f bytes a login), %4.1f KiB/s in, %6.0f us/s, %4.0f bytes a peer",
			n, g.announcements, g.announcedBytes/g.announcements, g.claims, g.claimBytes/g.claims, g.claimBytes/g.records*2,
			(g.announcedBytes+g.claimBytes)/1024, g.micros, g.memory)
		if g.announcements > others*1.01 || g.claims > others*2*logins || g.records < others*2*logins*0.9 || g.records > others*2*logins*1.1 {
			t.Errorf("%+v", g)
		}
		if most := float64(announcementLen + 200 + markLen*min(n, maxHeard)); g.announcedBytes/g.announcements > most {
			t.Errorf("an announcement has %.0f bytes", g.announcedBytes/g.announcements)
		}
	}
}

// grow has so many nodes meet, and measures what one of them takes of the others in a second.
func grow(n, logins int) (g grown) {
	g.nodes = n
	now := Now{0, 1_800_000_000_000}
	var all []*Machine
	for i := range n {
		all = append(all, New(Config{Node: fmt.Sprintf("node-%03d", i), Epoch: uint64(i + 1), Seed: uint64(i), Address: fmt.Sprintf("10.0.0.%d:7000", i), Version: "v1.0.0", Replace: true}, now))
	}
	one := all[0]
	before := heapBytes()
	meetAll(now, all)
	g.memory = float64(heapBytes()-before) / float64(n*(n-1))
	var inbox [][]byte // of the one
	var out Out
	rng := rand.New(rand.NewPCG(1, 1))
	stamps := make([]uint64, n)
	for ms := range 1000 {
		at := Now{now.Since + time.Duration(ms+1)*time.Millisecond, now.Wall + int64(ms)}
		for i, m := range all[1:] {
			if rng.IntN(1000) < logins {
				m.Close(at, "client-00000001", stamps[i], &out)
				stamps[i] = m.Open(at, Session{ID: "client-00000001", User: "somebody-001", Incarnation: 1}, &out)
			}
			if at.Since >= m.Deadline() {
				m.Tick(at, &out)
			}
			for _, a := range out.Actions {
				if a.Op == Publish {
					inbox = append(inbox, bytes.Clone(a.Data))
				}
			}
			out.Reset()
		}
	}
	g.measure(one, now, inbox)
	return g
}

// meetAll has all nodes hear each other's announcements.
func meetAll(now Now, all []*Machine) {
	var out, none Out
	for range 2 {
		for _, m := range all {
			m.announce(now, &out)
			data := out.Actions[0].Data
			for _, other := range all {
				if other != m {
					other.Received(now, data, &none)
					none.Reset()
				}
			}
			out.Reset()
		}
	}
}

func (g *grown) measure(one *Machine, now Now, inbox [][]byte) {
	var out Out
	began := time.Now()
	for _, data := range inbox {
		one.Received(now, data, &out)
		out.Reset()
	}
	g.micros = float64(time.Since(began).Microseconds())
	for _, data := range inbox {
		switch _, body, _ := parseHeader(data); kind(data[1]) {
		case kindNode:
			g.announcements++
			g.announcedBytes += float64(len(data))
		case kindClaims:
			c, _ := parseClaims(body)
			g.claims++
			g.claimBytes += float64(len(data))
			g.records += float64(c.count)
		}
	}
}
