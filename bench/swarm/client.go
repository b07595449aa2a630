package swarm

import (
	"errors"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// client is one simulated client, some 480 bytes in a slab of its loop's. Its bytes in
// flight, of which most have none at most times, are in the loop's maps.
type client struct {
	link    link.Link // zero until its arrival
	socket            // of the session or of the attempt to get one; a second one is in loop.second
	outage  outage
	asked   asked
	arrival time.Duration // when it was to connect
	began   time.Duration // just before its first connect(); 0: not yet
	wake    time.Duration // when the wheel will call; until the first call, the arrival
	due     time.Duration // when it next wants something done, as of its latest change
	known   time.Duration // when that changed
	tenant  uint16        // how many have left before it
	flags   clientFlags
}

// socket is one connection, from connect() to close. What was written last is kept after
// that, for whoever judges the close.
type socket struct {
	last       lastWrite
	fd         int32
	attempt    uint32 // of the link; 0: there is no connection
	connecting bool
}

// connKey names a connection in the loop's maps of bytes in flight.
type connKey struct{ client, attempt uint32 }

type clientFlags uint8

const (
	flagStarted  clientFlags = 1 << iota
	flagMute                 // keeps its socket, reads, and says nothing any more
	flagWelcomed             // has been, since its arrival
	flagNext                 // arrived for one that left
	flagProbe                // is left alone, and measured apart
	flagHalfOpen             // connects, and says nothing
	flagTrickle              // sends some frames byte by byte
	flagAsked                // waits for a PONG
)

func (f clientFlags) has(flag clientFlags) bool { return f&flag != 0 }

func (c *client) ready() bool { return c.link.State() == link.StateReady }

// notify counts what a link tells. It must not call the link: what an event asks for
// goes to l.after.
func (l *loop) notify(i uint32, c *client, e *link.Event) {
	n := &l.counted
	switch e.Kind {
	case link.Ready:
		n.Established++
		if !c.flags.has(flagWelcomed) {
			c.flags |= flagWelcomed
			if c.flags.has(flagNext) {
				n.Returns++
			} else {
				n.FirstReady++
				n.RampEnd = l.now
			}
			heard := l.since(c.began)
			l.connect.Record(heard - c.began)
			l.connectIntended.Record(heard - c.arrival)
		}
		l.swarm.nowReady(1)
		c.last.setTimeout(e.Terms.Timeout)
		if c.outage.out {
			// Its next heartbeat may be an interval away. A client is back when it is
			// served, so that is asked at once: the link's own PING, at the WELCOME.
			l.after = append(l.after, followUp{kind: probe})
		}
	case link.Draining:
		if l.swarm.storm.Load() != nil && !c.outage.moving {
			if !c.outage.hit {
				n.StormClients++
			} else if !c.outage.out {
				n.StormBack--
			}
			c.outage.hit, c.outage.moving = true, true
		}
	case link.Moved:
		l.withdraw(c) // the answer would come to the connection that it has left
		if c.outage.moving {
			c.outage.moved(l.now)
			n.StormBack++
		}
		// Make before break: the session goes on over the next connection.
		n.Established++
		if next := l.second[i]; next != nil {
			c.socket, *next = *next, c.socket
		}
		c.last.setTimeout(e.Terms.Timeout)
	case link.Termed:
		if s := l.find(i, c, e.Attempt); s != nil {
			s.last.loosen(e.Terms.Timeout)
		}
	case link.PingSent:
		l.ask(i, c, e.Intended)
	case link.Pong:
		l.answered(c)
		if c.outage.out {
			length := c.outage.back(l.now)
			storm := l.stormOf(i)
			storm.Outages += length
			storm.OfflineTimes.Record(length)
			tally.CountIn(&storm.BackPerBin, l.now-l.swarm.storm.Load().t0)
			n.StormBack++
			n.Regained++
		}
	case link.Delivered:
		l.after = append(l.after, followUp{kind: ack, attempt: e.Attempt, id: e.ID})
	case link.GoneAway, link.Lost:
		if e.WasReady {
			l.lostSession(i, c, e)
		} else {
			if errors.Is(e.Err, syscall.EADDRNOTAVAIL) && !l.swarm.hasPath(c.link.Info().Endpoint) {
				l.counted.Failures.Other++ // not for want of a port
			} else {
				countFailure(&l.counted.Failures, e)
			}
			if e.Kind == link.GoneAway {
				l.counted.Refusal = e.Code
			}
		}
	}
}

// lostSession counts the end of a living client's session and judges the server for it.
func (l *loop) lostSession(i uint32, c *client, e *link.Event) {
	l.swarm.nowReady(-1)
	countLoss(&l.counted.Losses, e)
	if c.flags.has(flagProbe) {
		l.probes.Lost++
	}
	if e.Kind == link.Lost && e.Reason == link.PongTimeout {
		l.counted.Missed++
	}
	storm := l.swarm.storm.Load()
	switch {
	case e.Kind == link.GoneAway && e.Code == codec.CodeHeartbeatTimeout:
		l.judge(c, false, true)
	case e.Kind == link.Lost && e.Reason == link.Closed && !storm.struck(c) && !errors.Is(e.Err, errCut):
		l.judge(c, false, l.foreign != nil) // others have no word for it
	}
	if errors.Is(e.Err, errCut) {
		l.withdraw(c)
	}
	l.unanswered(c)
	if storm != nil {
		if !c.outage.hit {
			l.counted.StormClients++
		} else if !c.outage.out && !c.outage.moving {
			l.counted.StormBack--
		}
		// One that was lost again between WELCOME and PONG was never back.
		if !c.outage.out {
			c.outage.lose(l.now)
			tally.CountIn(&l.stormOf(i).LostPerBin, l.now-storm.t0)
		}
	}
}

// lostMute counts the end of a mute client's session. code is that of the GOAWAY that it
// read, 0 if there was none.
func (l *loop) lostMute(c *client, code codec.Code, cause error) {
	if c.ready() {
		l.swarm.nowReady(-1)
	}
	l.unanswered(c)
	silence := code == 0 || code == codec.CodeHeartbeatTimeout
	if c.flags.has(flagHalfOpen) || c.flags.has(flagTrickle) { // what the scenario is about is no loss
		silence = silence || code == codec.CodeHelloTimeout || code == codec.CodePartialTimeout
	} else {
		e := link.Event{Kind: link.Lost, Reason: link.Closed, Err: cause}
		if code != 0 {
			e = link.Event{Kind: link.GoneAway, Code: code}
		}
		countLoss(&l.counted.Losses, &e)
	}
	if silence && !l.swarm.storm.Load().struck(c) {
		l.judge(c, true, true)
	} else {
		l.counted.OtherMutes++
	}
}

// judge counts the close of a session by its server. said: it is for silence, as the server
// told, or as nothing else can be meant. A living client that was closed without a word may
// have lost its server: a loss, unless it had been silent itself.
func (l *loop) judge(c *client, mute, said bool) {
	n := &l.counted
	w := c.last
	w.kept = w.kept || c.flags.has(flagAsked) && !w.overdue
	verdict, lateness := judgeClose(w, mute, l.now)
	switch verdict {
	case evictedFalsely:
		if said {
			n.Falsely++
		}
		return
	case generatorFault:
		n.Faults++
		return
	case keptWaiting: // a loss, and an answer that is missing
		return
	case evictedEarly:
		n.Early++
	}
	n.Observed++
	l.lateness.Record(lateness)
	tally.RecordRecent(l.recent.Lateness, lateness)
}

// countLoss files the end of a ready session.
func countLoss(l *result.Losses, e *link.Event) {
	switch {
	case e.Kind == link.GoneAway && e.Code == codec.CodeHeartbeatTimeout:
		l.Silence++
	case e.Kind == link.GoneAway:
		l.GoAway++
	case e.Reason == link.PongTimeout:
		l.PongTimeout++
	case e.Reason == link.Malformed:
		l.Protocol++
	case errors.Is(e.Err, errCut):
		l.Cut++
	case isErrno(e.Err):
		l.Reset++
	default:
		l.Closed++
	}
}

// countFailure files an attempt that did not reach WELCOME.
func countFailure(f *result.Failures, e *link.Event) {
	switch {
	case e.Kind == link.GoneAway && e.Code == codec.CodeBusy:
		f.Busy++
	case e.Kind == link.GoneAway:
		f.GoAway++
	case e.Reason == link.ConnectTimeout:
		f.ConnectTimeout++
	case e.Reason == link.WelcomeTimeout:
		f.WelcomeTimeout++
	case e.Reason == link.Malformed:
		f.Protocol++
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		f.Refused++
	case errors.Is(e.Err, syscall.ECONNRESET), errors.Is(e.Err, syscall.EPIPE):
		f.Reset++
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL), errors.Is(e.Err, syscall.EADDRINUSE):
		f.Ports++
	case errors.Is(e.Err, syscall.EMFILE), errors.Is(e.Err, syscall.ENFILE):
		f.Descriptors++
	case errors.Is(e.Err, syscall.ENOMEM), errors.Is(e.Err, syscall.ENOBUFS), errors.Is(e.Err, syscall.ENOSPC):
		f.Memory++
	case errors.Is(e.Err, syscall.ETIMEDOUT):
		f.ConnectTimeout++
	case isErrno(e.Err), e.Reason == link.ConnectFailed:
		f.Other++
	default:
		f.Closed++
	}
}

func isErrno(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno)
}
