package link

import (
	"container/heap"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// gate takes clients in as a node does: slots at a rate with half a second's worth at once,
// and who comes early gets a ticket for his.
type gate struct {
	free  time.Duration // when the next slot is
	every time.Duration // between slots
}

// hello is how long to wait, 0 if the client is in.
func (g *gate) hello(now time.Duration, ticket bool) time.Duration {
	if ticket {
		return 0 // it comes at its slot
	}
	g.free = max(g.free, now-time.Second/2) + g.every
	return max(g.free-now, 0)
}

// outage is that of all nodes at once, for so long.
type outage struct {
	lasts    time.Duration
	nodes    int
	shutdown bool // with a window in GOAWAY, which the terms did not have
}

const (
	outageClients = 2000
	outageIdeal   = 5 * time.Second // outageClients / what the nodes take in a second
	outageWindow  = outageIdeal * 105 / 100
)

// run gives the times from the nodes' return to each client's, sorted, and the attempts.
func (o outage) run() (times []time.Duration, attempts int) {
	cfg := &Config{}
	for i := range o.nodes {
		cfg.Endpoints = append(cfg.Endpoints, fmt.Sprintf("10.0.0.%d:1", i+1))
	}
	cfg.Fill()
	gates := map[string]*gate{}
	const died = 2 * time.Hour
	back := died + o.lasts
	for _, e := range cfg.Endpoints {
		gates[e] = &gate{every: outageIdeal * time.Duration(o.nodes) / outageClients}
	}
	terms := testTerms
	terms.Window = outageWindow
	if o.shutdown {
		terms.Window = time.Millisecond
	}
	shutdown := frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeShutdown, Window: outageWindow}))
	welcome := frame(codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, ReturnPass: []byte("pass"),
		Terms: terms}))
	links := make([]Link, outageClients)
	var out Out
	var queue deadlines
	for i := range links {
		l := &links[i]
		l.Init(cfg, uint64(i), uint64(i))
		l.Start(time.Hour, &out)
		l.Connected(time.Hour, 1, nil, &out)
		l.Received(time.Hour, 1, welcome, &out)
		out.Reset()
		if o.shutdown {
			l.Received(died, 1, shutdown, &out)
		} else {
			l.Disconnected(died, 1, errReset, &out)
		}
		out.Reset()
		heap.Push(&queue, deadlines{{l.Deadline(), i}})
	}
	for queue.Len() > 0 {
		i, now := queue[0].link, queue[0].at
		heap.Pop(&queue)
		l := &links[i]
		l.Tick(now, &out)
		for k := 0; k < len(out.Actions); k++ {
			switch a := out.Actions[k]; {
			case a.Op == Dial:
				attempts++
				if now < back {
					l.Disconnected(now, a.Attempt, errReset, &out)
				} else {
					l.Connected(now, a.Attempt, nil, &out)
				}
			case a.Op == Write && l.State() == StateHandshaking:
				f, _, _ := codec.Decode(a.Data, codec.MaxPayload)
				m, err := codec.ParseHello(f.Payload)
				if err != nil {
					panic(err)
				}
				wait := gates[l.Info().Endpoint].hello(now, len(m.Ticket) > 0)
				if wait > 0 {
					l.Received(now, a.Attempt, frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{
						Code: codec.CodeBusy, Delay: wait, Ticket: []byte("t")})), &out)
					continue
				}
				l.Received(now, a.Attempt, welcome, &out)
				times = append(times, now-back)
			}
		}
		out.Reset()
		if l.State() != StateReady {
			heap.Push(&queue, deadlines{{l.Deadline(), i}})
		}
	}
	slices.Sort(times)
	return times, attempts
}

// The waits of an outage end with it: not one client is away for as long again.
func TestAnOutageHasNoLongTail(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		name      string
		o         outage
		t99, t100 time.Duration
		attempts  float64 // a client
	}{
		{"crash, back at once", outage{0, 1, false}, outageWindow, outageWindow, 1.01},
		{"crash, back after 1 s", outage{1 * s, 1, false}, outageIdeal * 3 / 2, 8 * s, 2.5},
		{"crash, back after 4 s", outage{4 * s, 1, false}, outageIdeal * 3 / 2, 8 * s, 5},
		{"restart of 4 s", outage{4 * s, 1, true}, outageIdeal * 3 / 2, 8 * s, 5},
		{"crash, back after 8 s", outage{8 * s, 1, false}, outageIdeal * 3 / 2, 8 * s, 6.5},
		{"crash, back after 15 s", outage{15 * s, 1, false}, outageIdeal * 3 / 2, 8 * s, 8},
		{"blackout of 15 s", outage{15 * s, 2, false}, outageIdeal * 3 / 2, 8 * s, 8},
		{"restart of 15 s", outage{15 * s, 1, true}, outageIdeal * 3 / 2, 8 * s, 8},
		{"blackout of 100 s", outage{100 * s, 2, false}, outageIdeal * 3 / 2, 8 * s, 26},
		{"blackout of 10 min", outage{600 * s, 2, false}, 60 * s, 60 * s, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			times, dials := c.o.run()
			n := len(times)
			t99, t100, attempts := times[n*99/100], times[n-1], float64(dials)/float64(n)
			t.Logf("t50 %v, t99 %v, t100 %v, %.2f attempts a client", times[n/2], t99, t100, attempts)
			if n != outageClients || t99 > c.t99 || t100 > c.t100 || attempts > c.attempts {
				t.Errorf("%d are back, want %d within %v, 99 %% within %v, with %.2f attempts each", n, outageClients, c.t100, c.t99, c.attempts)
			}
		})
	}
}
