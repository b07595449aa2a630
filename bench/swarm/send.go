package swarm

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/link"
)

// sender is what is known of the messages that a client sends. Number n of its link is due at
// first + (n-1) * Config.Every, whatever becomes of those before: so nothing is kept of any of
// them, and one that had to wait counts from when it was due (open loop).
type sender struct {
	first    time.Duration // a random part of Every after the client's first WELCOME; 0: it had none
	at       time.Duration // when to go on; link.Never: when a session, or an answer, makes room
	handed   uint32        // to the link, which sends them again until they are settled
	repeated uint32        // of those, went over an earlier connection, too
	wrote    time.Duration // just before the write() of the latest one handed
}

// sendBurst is how many messages of a client go out at once when many are due, as after an outage:
// other clients' timers wait for them.
const sendBurst = 16

// due is when message n is.
func (s *sender) due(n uint32, every time.Duration) time.Duration {
	return s.first + time.Duration(n-1)*every
}

// sendable has the next message go out when it is due, or at once if that is past.
func (l *loop) sendable(s *sender) {
	s.at = max(s.due(s.handed+1, l.swarm.cfg.Every), l.now)
	if l.closed && s.due(s.handed+1, l.swarm.cfg.Every) > l.closedAt {
		s.at = link.Never
	}
}

// beginSending is a WELCOME. What was sent before and is not settled goes out once more.
func (l *loop) beginSending(i uint32) {
	if l.senders == nil {
		return
	}
	s := &l.senders[i]
	if s.first == 0 {
		rng := rand.New(rand.NewPCG(l.swarm.cfg.Seed, tenancy(l.number(i), l.clients[i].tenant)+3<<32))
		s.first = l.now + time.Duration(rng.Float64()*float64(l.swarm.cfg.Every))
	}
	s.repeated = s.handed
	l.sendable(s)
}

// sendDue sends what is due.
func (l *loop) sendDue(i uint32, c *client) {
	if l.senders == nil || l.senders[i].at > l.now {
		return
	}
	s, every := &l.senders[i], l.swarm.cfg.Every
	l.wasLate(s.at)
	before := s.handed
	for range sendBurst {
		due := s.due(s.handed+1, every)
		payload.Put(l.body, payload.Message{Kind: payload.Sent, Number: uint64(s.handed) + 1, Due: due + l.swarm.epoch})
		_, err := c.link.Send(l.now, l.body, &l.out)
		if errors.Is(err, link.ErrPaced) {
			c.link.Flow(l.now, c.attempt, link.Flow{Untaken: epoll.Untaken(int(c.fd)) + len(l.unsent[connKey{i, c.attempt}])})
			s.at = l.now + max(c.link.Pace(l.now, len(l.body)), wheelTick)
			break
		}
		if err != nil {
			s.at = link.Never
			break
		}
		s.handed++
		if !l.closed {
			l.counted.Messages.Sent++
		}
		if l.sendable(s); s.at > l.now {
			break
		}
	}
	l.perform(i, c)
	if s.handed > before {
		s.wrote = l.wroteAt
	}
}

// messagesSettled is for what is acknowledged, refused or given up: it ends the wait for its
// answer, and may make room for others.
func (l *loop) messagesSettled(i uint32, e *link.Event) {
	if l.senders == nil {
		return
	}
	s, m := &l.senders[i], &l.counted.Messages
	n := int(e.Last-e.ID) + 1
	switch e.Kind {
	case link.Acked:
		m.Acknowledged += n
		if uint64(s.repeated) >= e.ID {
			m.Doubled += int(min(e.Last, uint64(s.repeated))-e.ID) + 1
		}
	case link.Nacked:
		m.Refused += n
	case link.GivenUp:
		m.Lost += n
	}
	heard := l.since(l.wroteAt)
	for number := e.ID; number <= e.Last; number++ {
		l.messageTook(s, uint32(number), heard)
	}
	if s.at == link.Never {
		l.sendable(s)
	}
}

// sent is the number of the latest message of a client; 0: there is none.
func (l *loop) sent(i uint32) uint64 {
	if l.senders == nil {
		return 0
	}
	return uint64(l.senders[i].handed)
}

// messageTook notes when a message was answered, or as of when it was not. Only of the latest one it
// is known when it was written; others count from when they were due on the wire, too.
func (l *loop) messageTook(s *sender, number uint32, until time.Duration) {
	took := until - s.due(number, l.swarm.cfg.Every)
	l.messages.Record(took)
	tally.RecordRecent(l.recent.Message, took)
	if number == s.handed && number > s.repeated {
		took = until - s.wrote
	}
	l.messagesWire.Record(took)
}

// owes reports whether a client waits for an answer to a message, or has one to send.
func (l *loop) owes(i uint32, c *client) bool {
	if l.senders == nil {
		return false
	}
	s := &l.senders[i]
	return c.link.Unsettled() > 0 || s.due(s.handed+1, l.swarm.cfg.Every) <= l.now
}

// closeSending ends the count: what is due by now is in it, sent or not, and nothing else goes out.
func (l *loop) closeSending() {
	for i := range l.senders {
		if s := &l.senders[i]; s.first != 0 {
			l.counted.Messages.Sent += int(l.unhanded(s))
			if s.due(s.handed+1, l.swarm.cfg.Every) > l.closedAt {
				s.at = link.Never
			}
		}
	}
}

// unhanded is how many messages are due when the count is closed that could not be sent yet.
func (l *loop) unhanded(s *sender) uint32 {
	every := l.swarm.cfg.Every
	if s.first == 0 || s.due(s.handed+1, every) > l.closedAt {
		return 0
	}
	return uint32((l.closedAt-s.due(s.handed+1, every))/every) + 1
}

// endSending gives up what is not settled at the end. It took at least as long as until now.
func (l *loop) endSending() {
	for i := range l.senders {
		s, pending := &l.senders[i], 0
		took := func(number uint64, _ []byte) {
			pending++
			l.messageTook(s, uint32(number), max(l.now, s.wrote))
		}
		l.clients[i].link.EachUnsettled(took)
		for n := range l.unhanded(s) {
			took(uint64(s.handed+1+n), nil)
		}
		l.counted.Messages.Pending += pending
		l.counted.Messages.Lost += pending
	}
}
