package gate

import (
	"math/rand/v2"
	"testing"
	"time"
)

// grey is a node with sessions that becomes slow, in virtual time: its loop answers each PINGs in one moment of
// every period, in the order in which they came, and has a turn behind each batch of them.
type grey struct {
	period time.Duration
	each   int
	random *rand.Rand

	stretch *Stretch
	factor  int
	due     map[time.Duration][]int // who asks, by the millisecond
	ends    map[time.Duration][]ask // whose patience ends
	waiting []ask
	all     []session
	kept    int

	asked, late time.Duration // when the turn that is on its way was asked for, and how late turns were
	looked      time.Duration
	batch       int // of the events that are read, those that are left
}

type session struct {
	pings    int // that it has sent
	answered int // and of them, those that are
	factor   int // of the terms that it was told
	lost     bool
}

type ask struct{ client, number int }

const (
	greyBeat  = 2 * time.Second
	greyBatch = 1024 // most events of one epoll_wait of gnet
)

// again has a client ask after its interval.
func (g *grey) again(client int, now time.Duration) {
	interval := float64(greyBeat) * float64(g.all[client].factor)
	at := now + time.Duration(interval*(0.8+0.2*g.random.Float64())).Truncate(time.Millisecond)
	g.due[at] = append(g.due[at], client)
}

// clients is what they do.
func (g *grey) clients(now time.Duration) {
	for _, c := range g.due[now] {
		s := &g.all[c]
		s.pings++
		a := ask{c, s.pings}
		g.waiting = append(g.waiting, a)
		until := now + min(3*greyBeat*time.Duration(s.factor), time.Minute)
		g.ends[until] = append(g.ends[until], a)
	}
	for _, a := range g.ends[now] {
		if s := &g.all[a.client]; s.answered < a.number && !s.lost {
			s.lost = true
			g.kept--
			g.waiting = append(g.waiting, ask{client: a.client}) // that it has gone is an event, too
		}
	}
	delete(g.due, now)
	delete(g.ends, now)
}

// serve is one moment of the loop.
func (g *grey) serve(now time.Duration) {
	for work := g.each; work > 0; work-- {
		if g.batch == 0 {
			if g.asked != 0 {
				g.late, g.asked = max(g.late, now-g.asked), 0
			}
			if g.batch = min(len(g.waiting), greyBatch); g.batch == 0 {
				return
			}
		}
		a := g.waiting[0]
		g.waiting = g.waiting[1:]
		g.batch--
		if s := &g.all[a.client]; a.number > 0 && !s.lost {
			s.answered, s.factor = a.number, g.factor
			g.again(a.client, now)
		}
	}
}

// run returns how many sessions are left after so long.
func (g *grey) run(clients int, d time.Duration) int {
	g.random, g.stretch, g.factor = rand.New(rand.NewPCG(1, 2)), NewStretch(greyBeat, lookEvery, 0), 1
	g.due, g.ends, g.all, g.kept = make(map[time.Duration][]int), make(map[time.Duration][]ask), make([]session, clients), clients
	for c := range g.all {
		g.all[c].factor = 1
		at := time.Duration(g.random.Int64N(int64(greyBeat))).Truncate(time.Millisecond)
		g.due[at] = append(g.due[at], c)
	}
	for now := time.Millisecond; now < d; now += time.Millisecond {
		g.clients(now)
		if now%g.period != 0 {
			continue
		}
		if now-g.looked >= lookEvery {
			late := g.late
			if g.asked != 0 {
				late = max(late, now-g.asked)
			}
			g.factor = g.stretch.Observe(now, late)
			g.looked, g.late = now, 0
			if g.asked == 0 {
				g.asked = now
			}
		}
		g.serve(now)
	}
	return g.kept
}

// A node that is slow keeps those whom it can answer once in the time that they wait: who was answered
// waits longer, and asks later.
func TestASlowNodeKeepsThoseWhomItCanAnswer(t *testing.T) {
	const clients = 15_000
	g := grey{period: 121 * time.Millisecond, each: 100}
	can := int(float64(g.each) / g.period.Seconds() * (3 * greyBeat).Seconds())
	if kept := g.run(clients, 30*time.Second); kept < can*8/10 {
		t.Errorf("%d of %d sessions are kept, want eight tenths of the %d that it can answer in their patience", kept, clients, can)
	}
}
