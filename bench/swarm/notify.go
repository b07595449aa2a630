package swarm

import (
	"crypto/tls"
	"errors"
	"strings"
	"syscall"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// notify counts what a link tells. It must not call the link: what an event asks for
// goes to l.after.
func (l *loop) notify(i uint32, c *client, e *link.Event) {
	switch e.Kind {
	case link.Ready:
		l.nowReady(c, e)
		l.beginSending(i)
		l.beginReceiving(i)
	case link.Draining:
		l.toldToMove(i, c)
	case link.Moved:
		l.hasMoved(i, c, e)
		l.beginSending(i)
	case link.Termed:
		if s := l.find(i, c, e.Attempt); s != nil {
			s.last.loosen(e.Terms.Timeout)
		}
	case link.PingSent:
		l.ask(i, c, e.Intended)
	case link.Pong:
		l.answered(c)
		if c.outage.out {
			l.backInService(i, c)
		}
	case link.Delivered:
		answer := true
		if l.talkers != nil {
			answer = l.overheard(i, e)
		} else {
			l.received(i, e.Body)
		}
		if answer && e.ID != 0 {
			l.after = append(l.after, followUp{kind: ack, attempt: e.Attempt, id: e.ID})
		}
	case link.Expiring:
		l.after = append(l.after, followUp{kind: renew, attempt: e.Attempt})
	case link.Acked, link.Nacked, link.GivenUp:
		l.messagesSettled(i, e)
	case link.GoneAway, link.Lost:
		if e.WasReady {
			l.lostSession(i, c, e)
		} else {
			l.turnedAway(c, e)
		}
	}
}

// nowReady counts a WELCOME.
func (l *loop) nowReady(c *client, e *link.Event) {
	n := &l.counted
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
		tally.RecordRecent(l.recent.Connect, heard-c.began)
		l.connectIntended.Record(heard - c.arrival)
	}
	l.regained(c)
	l.swarm.nowReady(1)
	if !c.flags.has(flagProbe) {
		n.Interval = max(n.Interval, c.link.Interval())
	}
	c.last.setTimeout(e.Terms.Timeout)
	if c.outage.out {
		// Its next heartbeat may be an interval away. A client is back when it is
		// served, so that is asked at once: the link's own PING, at the WELCOME.
		l.after = append(l.after, followUp{kind: probe})
	}
}

// toldToMove counts a client that a storm's draining node sends elsewhere.
func (l *loop) toldToMove(i uint32, c *client) {
	storm := l.swarm.storm.Load()
	if storm == nil || storm.over.Load() || c.outage.moving {
		return
	}
	tally.CountIn(&l.stormOf(i).ToldPerBin, l.now-storm.t0)
	if !c.outage.hit {
		l.counted.StormClients++
	} else if !c.outage.out {
		l.counted.StormBack--
	}
	c.outage.hit, c.outage.moving = true, true
}

// hasMoved: make before break, the session goes on over the next connection.
func (l *loop) hasMoved(i uint32, c *client, e *link.Event) {
	l.withdraw(c) // the answer would come to the connection that it has left
	if c.outage.moving {
		c.outage.moved(l.now)
		l.counted.StormBack++
	}
	l.counted.Established++
	if next := l.second[i]; next != nil {
		c.socket, *next = *next, c.socket
	}
	c.last.setTimeout(e.Terms.Timeout)
}

// backInService counts the end of an outage.
func (l *loop) backInService(i uint32, c *client) {
	length := c.outage.back(l.now)
	storm := l.stormOf(i)
	storm.Outages += length
	storm.OfflineTimes.Record(length)
	tally.CountIn(&storm.BackPerBin, l.now-l.swarm.storm.Load().t0)
	l.counted.StormBack++
	l.counted.Regained++
}

// turnedAway counts an attempt that did not reach WELCOME.
func (l *loop) turnedAway(c *client, e *link.Event) {
	if errors.Is(e.Err, syscall.EADDRNOTAVAIL) && !l.swarm.hasPath(c.link.Info().Endpoint) {
		l.counted.Failures.Other++ // not for want of a port
	} else {
		countFailure(&l.counted.Failures, e)
	}
	if e.Kind == link.GoneAway {
		l.counted.Refusal = e.Code
	}
	if l.counted.Cause == "" {
		l.counted.Cause = causeOf(e)
	}
}

// causeOf is why an attempt failed, in a line for people.
func causeOf(e *link.Event) string {
	if e.Err == nil {
		return e.Reason.String()
	}
	return Cause(e.Err)
}

// Cause is an error of an attempt in a line for people, with the flags that help.
func Cause(err error) string {
	var unbelieved *tls.CertificateVerificationError
	if errors.As(err, &unbelieved) {
		return unbelieved.Error() + " (--tls-ca FILE says whose certificates are believed, --insecure that all are)"
	}
	return strings.ReplaceAll(err.Error(), "\n", ": ")
}

// lostSession counts the end of a living client's session and judges the server for it.
func (l *loop) lostSession(i uint32, c *client, e *link.Event) {
	l.swarm.nowReady(-1)
	c.lost = l.now
	l.endReceiving(i)
	if l.senders != nil {
		l.senders[i].at = link.Never
	}
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
	if storm != nil && !storm.over.Load() {
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
	case errors.Is(e.Err, transport.ErrHandshake):
		f.TLS++
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
