package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/link"
)

// receiver is what is known of the publications that a client gets. Their schedule is known: so each
// of them is delivered or missing, whatever the nodes, of which some may be dead by then, say.
type receiver struct {
	ready time.Duration // when the present session began; 0: there is none
	next  uint64        // the number that comes next; 0: the client was not welcomed yet
	fresh bool          // nothing came yet: one that was due before the WELCOME may
	last  bool          // the last one before the count was closed is waited for
}

// latest is the number of the latest publication that is due at a time of the swarm's clock.
func (l *loop) latest(at time.Duration) uint64 { return l.swarm.schedule.Number(at + l.swarm.epoch) }

// beginReceiving is a WELCOME: what is due from now on is to come.
func (l *loop) beginReceiving(i uint32) {
	if l.receivers == nil {
		return
	}
	r := &l.receivers[i]
	if r.ready = l.now; r.next == 0 {
		r.next, r.fresh = l.latest(l.now)+1, true
	}
}

// received is a DELIVER.
func (l *loop) received(i uint32, body []byte) {
	if l.receivers == nil {
		return
	}
	m, ok := payload.Parse(body)
	if !ok || !l.swarm.schedule.Has(m) || l.closed && m.Number > l.latest(l.closedAt) {
		return
	}
	switch r := &l.receivers[i]; {
	case m.Number >= r.next:
		l.missed(r, m.Number)
		r.next, r.fresh = m.Number+1, false
		if l.closed && m.Number == l.latest(l.closedAt) {
			l.awaitNoMore(r)
		}
	case !r.fresh:
		l.counted.Messages.Doubled++
		return
	}
	l.counted.Messages.Delivered++
	l.deliveryTook(l.since(l.wroteAt) - (m.Due - l.swarm.epoch))
}

func (l *loop) deliveryTook(d time.Duration) {
	l.deliveries.Record(d)
	tally.RecordRecent(l.recent.Deliver, d)
}

// missed notes that the publications from the next one on, before number, do not come any more. Those
// that were due while the client had a session took at least as long as until now.
func (l *loop) missed(r *receiver, before uint64) {
	m := &l.counted.Messages
	for ; r.next < before; r.next++ {
		m.Undelivered++
		if due := l.swarm.schedule.Due(r.next) - l.swarm.epoch; r.ready == 0 || due < r.ready {
			m.Offline++
		} else {
			l.deliveryTook(l.now - due)
		}
	}
}

// endReceiving is the end of a session: what was due while it lasted does not come any more.
func (l *loop) endReceiving(i uint32) {
	if l.receivers == nil {
		return
	}
	r := &l.receivers[i]
	last := l.latest(l.now)
	if l.closed {
		last = min(last, l.latest(l.closedAt))
		l.awaitNoMore(r)
	}
	l.missed(r, last+1)
	r.ready, r.fresh = 0, false
}

// underWay is how long before a client leaves a publication may have been due that it does not wait
// for.
const underWay = time.Second

// stopReceiving is a client's own BYE. What is under way then counts for nothing.
func (l *loop) stopReceiving(i uint32) {
	if l.receivers == nil {
		return
	}
	r := &l.receivers[i]
	l.missed(r, l.latest(l.now-underWay)+1)
	*r = receiver{}
}

// closeReceiving ends the count: publications that are due by now are in it, and are waited for, but for
// what was due while their client was offline.
func (l *loop) closeReceiving() {
	if l.receivers == nil {
		return
	}
	last := l.latest(l.closedAt)
	for i := range l.receivers {
		if r := &l.receivers[i]; r.ready != 0 && r.next <= last && l.swarm.schedule.Due(last)-l.swarm.epoch >= r.ready {
			r.last = true
			l.counted.Messages.Awaited++
		}
	}
}

func (l *loop) awaitNoMore(r *receiver) {
	if r.last {
		r.last = false
		l.counted.Messages.Awaited--
	}
}

// lastReceived is the end of the run.
func (l *loop) lastReceived() {
	if l.receivers == nil {
		return
	}
	l.counted.Messages.Awaited = 0
	for i := range l.receivers {
		if r := &l.receivers[i]; r.next != 0 {
			l.missed(r, l.latest(l.closedAt)+1)
		}
	}
}

// endMessages settles what is left when the run ends, which may be before the count was closed.
func (l *loop) endMessages() {
	if !l.closed {
		l.closeCount()
	}
	l.endSending()
	l.lastReceived()
}

// leaveMessages is a client's own BYE; the one that comes for it begins anew.
func (l *loop) leaveMessages(i uint32) {
	l.stopReceiving(i)
	if l.senders != nil {
		l.senders[i] = sender{at: link.Never}
	}
}
