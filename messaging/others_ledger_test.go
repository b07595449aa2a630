package messaging_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// sightLedger holds presence over nodes to what is promised: nobody is told offline who is online, and in the end
// everybody is told what is so.
type sightLedger struct {
	*trouble
	devices []*walker
	eyes    []*eye
}

// walker is a device that goes from node to node.
type walker struct {
	id   string
	node *rig
	p    *peer     // nil: it is away
	last time.Time // when it was last seen online anywhere
}

// eye is a client that watches all of them.
type eye struct {
	l      *sightLedger
	name   string
	node   *rig
	p      *peer
	stamps map[string]uint64
	online map[string]bool
	waits  map[uint64]string // watches without an answer
	told   map[string]bool   // since the watch
}

func (l *sightLedger) grace() time.Duration { return 10 * time.Second }

func (e *eye) watch(user string) {
	n := e.p.say(envelope.Envelope{Kind: envelope.Watch, User: []byte(user)})
	e.waits[n] = user
}

func (e *eye) moves(to *rig) {
	e.node, e.p = to, to.join(e.name)
	e.waits, e.told, e.stamps = make(map[uint64]string), make(map[string]bool), make(map[string]uint64)
	for _, d := range e.l.devices {
		e.watch(d.id)
	}
}

func (e *eye) look() {
	for _, f := range e.p.Received() {
		switch f.Type {
		case codec.Ack:
			m, _ := codec.ParseAck(f.Payload)
			for n := m.First; n <= m.Last; n++ {
				if user := e.waits[n]; user != "" {
					delete(e.waits, n)
					e.online[user] = e.told[user] // who was not told has gone
				}
			}
		case codec.Nack:
			m, _ := codec.ParseNack(f.Payload)
			if user := e.waits[m.Number]; user != "" {
				delete(e.waits, m.Number)
				e.watch(user)
			}
		case codec.Deliver:
			_, body, _ := codec.ParseMessage(f.Payload)
			if m, err := envelope.Parse(body); err == nil && m.Kind == envelope.Presence {
				e.sees(&m)
			}
		}
	}
}

func (e *eye) sees(m *envelope.Envelope) {
	id := string(m.Device)
	if m.Stamp < e.stamps[id] {
		return
	}
	e.stamps[id], e.online[id], e.told[id] = m.Stamp, m.State == envelope.Online, m.State == envelope.Online
	for _, d := range e.l.devices {
		if d.id == id && m.State == envelope.Offline &&
			(d.p != nil && e.l.hears(time.Second) || time.Since(d.last) < e.l.grace() && e.l.hears(12*time.Second)) {
			e.l.t.Fatalf("%s is told at %v that %s is offline, which was online at %v (now: %v)", e.name, time.Now(), id, d.last, d.p != nil)
		}
	}
}

// pass lets time go by, and everybody look.
func (l *sightLedger) pass(d time.Duration) {
	for end := time.Now().Add(d); ; {
		l.advance(max(0, min(100*time.Millisecond, time.Until(end))))
		for _, w := range l.devices {
			if w.p != nil {
				w.last = time.Now()
				if w.p.Received(); w.p.Ended() {
					w.p = nil
				}
			}
		}
		for _, e := range l.eyes {
			e.look()
		}
		if !time.Now().Before(end) {
			return
		}
	}
}

// walk has devices come, go and move while time goes by.
func (l *sightLedger) walk(d time.Duration) {
	for end := time.Now().Add(d); ; {
		switch w := l.devices[l.rng.IntN(len(l.devices))]; {
		case w.p != nil && l.rng.IntN(3) == 0:
			w.p.Bye()
			w.p = nil
		case l.rng.IntN(2) == 0:
			to := l.one()
			if w.p != nil && (to == w.node || l.deaf > 0) {
				w.p.Reset() // there it would stand beside, or nobody would hear that it has moved
			}
			w.node, w.p = to, to.join(w.id)
		}
		l.pass(min(time.Until(end), time.Duration(l.rng.IntN(1500))*time.Millisecond))
		if !time.Now().Before(end) {
			return
		}
	}
}

func (l *sightLedger) kill(r *rig) {
	l.f.dies(l.nameOf(r))
	for _, w := range l.devices {
		if w.node == r {
			w.p = nil
		}
	}
	l.pass(0)
	for _, e := range l.eyes {
		if e.node == r {
			e.moves(l.one())
		}
	}
}

func (l *sightLedger) run() {
	for range 4 + l.rng.IntN(4) {
		all := l.living()
		a, b := l.nameOf(all[l.rng.IntN(len(all))]), l.nameOf(all[l.rng.IntN(len(all))])
		l.lossy.Store(l.rng.IntN(3) == 0)
		switch what := l.rng.IntN(6); {
		case what == 0 && len(all) > 2:
			l.kill(l.one())
		case what == 1:
			l.freeze(a, time.Duration(l.rng.IntN(7))*time.Second)
		case what == 2 && a != b:
			l.split(a, b)
		case what == 3 && len(l.nodes) < 8:
			l.add(l.cfg(), nil)
		case what == 4:
			l.eyes[l.rng.IntN(len(l.eyes))].moves(l.one())
		}
		l.walk(time.Duration(l.rng.IntN(20)) * time.Second)
	}
}

func (l *sightLedger) cfg() messaging.Config {
	return messaging.Config{OpenPresence: true, JoinRate: -1, MaxDevices: -1}
}

// balance holds what all are told to what is so, when nothing is wrong any more.
func (l *sightLedger) balance() {
	l.t.Helper()
	l.lossy.Store(false)
	l.pass(40 * time.Second)
	for _, e := range l.eyes {
		if len(e.waits) > 0 {
			l.t.Fatalf("%s waits for %v", e.name, e.waits)
		}
		for _, w := range l.devices {
			if e.online[w.id] != (w.p != nil) {
				l.t.Fatalf("%s (at %s) believes that %s is online: %v", e.name, l.nameOf(e.node), w.id, e.online[w.id])
			}
		}
	}
}

func TestSightLedger(t *testing.T) {
	forSeeds(t, 12, func(t *testing.T, seed int) {
		inTown(t, 3, messaging.Config{OpenPresence: true, JoinRate: -1, MaxDevices: -1}, func(w *town) {
			l := &sightLedger{trouble: newTrouble(w, seed)}
			l.during, l.mends = l.walk, true
			for i := range 5 {
				l.devices = append(l.devices, &walker{id: fmt.Sprint("user", i)})
			}
			for i := range 3 {
				e := &eye{l: l, name: fmt.Sprint("eye", i), online: make(map[string]bool)}
				e.moves(w.nodes[i])
				l.eyes = append(l.eyes, e)
			}
			l.pass(time.Second)
			l.run()
			l.balance()
		})
	})
}
