package swarm

import (
	"math/rand/v2"
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
)

// asked is the PING of a client that waits for its PONG (flagAsked).
type asked struct {
	// intended is when it was due, or could first be known to be: one that waits for the answer
	// to the PING before it is not late.
	intended time.Duration
	wrote    time.Duration // read just before its write()
	apart    bool          // it was sent when the count was closed
}

// ask notes a PING that was handed to the socket, or waits for it to take more. One that goes
// out byte by byte asks nothing before its last.
func (l *loop) ask(i uint32, c *client, intended time.Duration) {
	if _, dripping := l.drips[i]; dripping || c.flags.has(flagMute) {
		return
	}
	if c.flags.has(flagAsked) {
		// Another frame came in between, and the server answers the latest PING alone: the client
		// has waited since the first.
		if !l.closed {
			l.counted.Pings++
			l.counted.Withdrawn++
		}
		return
	}
	c.flags |= flagAsked
	c.asked = asked{intended: max(min(l.onGrid(intended), l.wroteAt), c.known), wrote: l.wroteAt, apart: l.closed}
	if !l.closed {
		l.counted.Pings++
		l.waits.begin(l.wroteAt)
	}
}

// answered notes its PONG, which was there when the clock of the batch was read.
func (l *loop) answered(c *client) {
	if !c.flags.has(flagAsked) {
		return
	}
	c.flags &^= flagAsked
	if c.asked.apart {
		return
	}
	l.waits.end(c.asked.wrote)
	heard := l.since(c.asked.wrote)
	l.counted.Pongs++
	l.rttActual.Record(heard - c.asked.wrote)
	tally.RecordRecent(l.recent.RTTActual, heard-c.asked.wrote)
	l.waited(c, heard)
}

// since is when what the batch brings was there: at the latest when its clock was read, unless it
// answers what was sent after that.
func (l *loop) since(sent time.Duration) time.Duration {
	if l.heard < sent {
		return l.swarm.Now()
	}
	return l.heard
}

// unanswered notes that nobody waits for its PONG any more. It took at least as long as until
// now.
func (l *loop) unanswered(c *client) {
	if !c.flags.has(flagAsked) {
		return
	}
	c.flags &^= flagAsked
	if !c.asked.apart {
		l.counted.Unanswered++
		l.waits.end(c.asked.wrote)
		l.waited(c, max(l.now, c.asked.wrote))
	}
}

// withdraw forgets a PING that the client itself, or the scenario, has left unanswered.
func (l *loop) withdraw(c *client) {
	if c.flags.has(flagAsked) && !c.asked.apart {
		l.counted.Withdrawn++
		l.waits.end(c.asked.wrote)
	}
	c.flags &^= flagAsked
}

// waited records how long a client has waited for an answer. While it did it sent no other
// PING: those that were due meanwhile would have waited for the rest of that time, and count
// as intended too, or a stall would be one sample (coordinated omission).
func (l *loop) waited(c *client, until time.Duration) {
	rtt := until - c.asked.wrote
	l.rtt.Record(rtt)
	tally.RecordRecent(l.recent.RTT, rtt)
	if c.flags.has(flagProbe) {
		l.probed(rtt)
	}
	since := min(until-c.asked.intended, tally.Longest)
	l.intended(since)
	if since <= codec.MinInterval {
		return
	}
	for beat := c.link.Interval(); since > beat; {
		since -= beat
		l.intended(since)
	}
}

// intended notes a round trip from when its PING was due.
func (l *loop) intended(d time.Duration) {
	l.rttIntended.Record(d)
	tally.RecordRecent(l.recent.RTTIntended, d)
}

// Before the end of a run some clients are asked for an answer, in a few rounds: of heartbeats
// alone nobody could tell whether a server still lives that was last asked an interval ago.
const (
	// RollCallRounds are those of RollCall, from 0.
	RollCallRounds = 8
	rollCallSize   = 32 // clients of a round, in all processes
)

// rollCall asks this loop's share of a round: each client once, or as many by chance.
func (l *loop) rollCall(round int) {
	share := max(rollCallSize/(len(l.swarm.loops)*l.swarm.cfg.Of), 1)
	if len(l.clients) <= RollCallRounds*share {
		for i := round; i < len(l.clients); i += RollCallRounds {
			l.question(uint32(i))
		}
		return
	}
	rng := rand.New(rand.NewPCG(l.swarm.cfg.Seed, uint64(l.number(uint32(round)))+2<<32))
	for range share {
		l.question(uint32(rng.IntN(len(l.clients))))
	}
}

// question has a client ask at once, if it has a session and does not wait already.
func (l *loop) question(i uint32) {
	c := &l.clients[i]
	if c.flags.has(flagStarted) && !c.flags.has(flagMute) && !c.flags.has(flagTrickle) && c.ready() {
		c.link.Ping(l.now, &l.out)
		l.perform(i, c)
	}
}

// RollCall has some of the clients ask at once.
func (s *Swarm) RollCall(round int) { s.onLoops(func(l *loop) { l.rollCall(round) }) }

// CloseCount has the PINGs and messages that are due from now on count for nothing, so that all
// others can be waited for.
func (s *Swarm) CloseCount() { s.onLoops(func(l *loop) { l.closeCount() }) }

func (l *loop) closeCount() {
	l.closed, l.closedAt = true, l.now
	l.closeSending()
	l.closeReceiving()
}

// probed notes a round trip of a probe.
func (l *loop) probed(rtt time.Duration) {
	if l.swarm.struck.Load() {
		l.probes.During.Record(rtt)
	} else {
		l.probes.Before.Record(rtt)
	}
}
