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
func (l *loop) sendable(i uint32) {
	s := &l.senders[i]
	s.at = link.Never
	if due := s.due(s.handed+1, l.swarm.cfg.Every); s.first != 0 && l.inRun(due) {
		s.at = max(due, l.now)
	}
	if l.talkers != nil {
		s.at = min(s.at, max(l.talkers[i].joinAt, l.now))
	}
}

// inRun reports whether a message that is due then is one of the run.
func (l *loop) inRun(due time.Duration) bool {
	return !(l.closed && due > l.closedAt) && (l.talkers == nil || due < l.talkUntil)
}

// beginSending is a WELCOME. What was sent before and is not settled goes out once more.
func (l *loop) beginSending(i uint32) {
	if l.senders == nil {
		return
	}
	s := &l.senders[i]
	if s.first == 0 && l.talkers == nil { // who talks begins when all are there
		rng := rand.New(rand.NewPCG(l.swarm.cfg.Seed, tenancy(l.number(i), l.clients[i].tenant)+3<<32))
		s.first = l.now + time.Duration(rng.Float64()*float64(l.swarm.cfg.Every))
	}
	s.repeated = s.handed
	if l.talkers != nil {
		l.beginTalking(i)
	}
	l.sendable(i)
}

// sendDue sends what is due.
func (l *loop) sendDue(i uint32, c *client) {
	if l.senders == nil || l.senders[i].at > l.now {
		return
	}
	s := &l.senders[i]
	l.wasLate(s.at)
	before := s.handed
	for range sendBurst {
		err := l.sendNext(i, c)
		if errors.Is(err, link.ErrPaced) {
			c.link.Flow(l.now, c.attempt, link.Flow{Untaken: epoll.Untaken(int(c.fd)) + len(l.unsent[connKey{i, c.attempt}])})
			s.at = l.now + max(c.link.Pace(l.now, len(l.nextBody(i))), wheelTick)
			break
		}
		if err != nil {
			s.at = link.Never
			break
		}
		if l.sendable(i); s.at > l.now {
			break
		}
	}
	l.perform(i, c)
	if s.handed > before {
		s.wrote = l.wroteAt
	}
}

// sendNext hands the next message to the link.
func (l *loop) sendNext(i uint32, c *client) error {
	if l.talkers != nil {
		return l.talkNext(i, c)
	}
	s := &l.senders[i]
	body := l.nextBody(i)
	payload.Put(body, payload.Message{Kind: payload.Sent, Number: uint64(s.handed) + 1, Due: s.due(s.handed+1, l.swarm.cfg.Every) + l.swarm.epoch})
	if _, err := c.link.Send(l.now, body, &l.out); err != nil {
		return err
	}
	l.handed(s)
	return nil
}

// nextBody is the body of client i's next message, of the size that the seed, the client and its number say. Valid until
// the next call.
func (l *loop) nextBody(i uint32) []byte {
	number := uint64(l.senders[i].handed) + 1
	return l.body[:l.sizes.Draw(l.swarm.cfg.Seed^uint64(l.number(i))<<32^number)]
}

// handed counts a message that the link has.
func (l *loop) handed(s *sender) {
	s.handed++
	if !l.closed {
		l.counted.Messages.Sent++
	}
}

// messagesSettled is for what is acknowledged, refused or given up: it ends the wait for its
// answer, and may make room for others.
func (l *loop) messagesSettled(i uint32, e *link.Event) {
	if l.senders == nil {
		return
	}
	if l.talkers != nil {
		l.talkSettled(i, e)
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
		l.sendable(i)
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

// owes reports whether a client waits for an answer to a message, or has one to send, or is to join its room.
func (l *loop) owes(i uint32, c *client) bool {
	if l.senders == nil {
		return false
	}
	s := &l.senders[i]
	due := s.due(s.handed+1, l.swarm.cfg.Every)
	joins := l.talkers != nil && l.talkers[i].joinAt != link.Never
	return joins || c.link.Unsettled() > 0 || due <= l.now && (l.talkers == nil || s.first != 0 && l.inRun(due))
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
	every, last := l.swarm.cfg.Every, l.closedAt
	if l.talkers != nil {
		last = min(last, l.talkUntil-1)
	}
	if s.first == 0 || s.due(s.handed+1, every) > last {
		return 0
	}
	return uint32((last-s.due(s.handed+1, every))/every) + 1
}

// endSending gives up what is not settled at the end. It took at least as long as until now.
func (l *loop) endSending() {
	for i := range l.senders {
		s, pending := &l.senders[i], 0
		took := func(n uint32) {
			pending++
			l.messageTook(s, n, max(l.now, s.wrote))
		}
		l.clients[i].link.EachUnsettled(func(number uint64, _ []byte) {
			if n, is := l.ordinal(uint32(i), number); is {
				took(n)
			}
		})
		for n := range l.unhanded(s) {
			took(s.handed + 1 + n)
		}
		l.counted.Messages.Pending += pending
		l.counted.Messages.Lost += pending
	}
}
