package swarm

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// talker is what a client that talks knows beyond its sender: of each message one word, and of each client that
// it hears one bit a message.
type talker struct {
	words  []tally.Word          // of what it has sent, by number
	joins  []uint64              // the numbers that were joins, in order
	joinAt time.Duration         // when to join its room; link.Never: it has asked in this session
	room   membership            // of its room
	has    map[int]tally.Numbers // by the number of the client that sent it
	owed   []debt                // of one that is deaf: what it has read in this session
}

// debt is a message that was read and not acknowledged: its application has not got it.
type debt struct {
	attempt uint32
	number  uint64
	arrived
}

// arrived is a message as its receiver sees it.
type arrived struct {
	from   int    // the number of the client that sent it
	named  uint64 // its number by its name
	number uint64 // its number by its content
	due    time.Duration
}

// ordinal is which message of a client has that number of its link: those of joins are none.
func (l *loop) ordinal(i uint32, number uint64) (n uint32, is bool) {
	if l.talkers == nil {
		return uint32(number), true
	}
	before, joins := slices.BinarySearch(l.talkers[i].joins, number)
	return uint32(number) - uint32(before), !joins
}

// beginTalking is a WELCOME: a membership is that of a session.
func (l *loop) beginTalking(i uint32) {
	t := &l.talkers[i]
	t.owed, t.joinAt = nil, link.Never
	if room, in := l.swarm.cfg.Talk.room(l.userOf(i)); in {
		t.joinAt, t.room.joining, t.room.name = l.now, true, l.swarm.roomName(room)
	}
}

func (l *loop) userOf(i uint32) int { return l.swarm.cfg.Talk.user(l.number(i)) }

// talkNext sends the join, or the message, that is due.
func (l *loop) talkNext(i uint32, c *client) error {
	t, s := &l.talkers[i], &l.senders[i]
	number := uint64(len(t.words)) + 1
	if t.joinAt <= l.now {
		if _, err := c.link.Send(l.now, l.joinBody(i), &l.out); err != nil {
			return err
		}
		t.words, t.joins, t.joinAt = append(t.words, tally.NoMessage), append(t.joins, number), link.Never
		return nil
	}
	due := s.due(s.handed+1, l.swarm.cfg.Every)
	payload.Put(l.nextBody(i), payload.Message{Kind: payload.Sent, Number: number, Due: due + l.swarm.epoch})
	if _, err := c.link.Send(l.now, l.messageBody(i), &l.out); err != nil {
		return err
	}
	t.words = append(t.words, tally.Unanswered)
	l.handed(s)
	return nil
}

// messageBody is what goes to the client's room, or to its partner.
func (l *loop) messageBody(i uint32) []byte {
	e := envelope.Envelope{Kind: envelope.ToUser, Content: l.nextBody(i)}
	if room := l.talkers[i].room.name; room != "" {
		e.Kind, e.Room = envelope.ToRoom, []byte(room)
	} else {
		e.User = []byte(l.swarm.userName(l.swarm.cfg.Talk.partner(l.userOf(i))))
	}
	return l.enveloped(&e)
}

// enveloped is valid until the next call.
func (l *loop) enveloped(e *envelope.Envelope) []byte {
	body, err := envelope.Append(l.enclosed[:0], e)
	if err != nil {
		panic("bench: no envelope: " + err.Error()) // our names are short
	}
	l.enclosed = body
	return body
}

// ackWord is the word of an ACK, as the ledger has it. One that we do not know tells nothing.
func ackWord(what uint8) tally.Word {
	switch what {
	case envelope.AckDelivered:
		return tally.Reached
	case envelope.AckDurable:
		return tally.Durable
	case envelope.AckHeld:
		return tally.Held
	}
	return tally.Taken
}

// talkSettled is messagesSettled of a client that talks.
func (l *loop) talkSettled(i uint32, e *link.Event) {
	s, t := &l.senders[i], &l.talkers[i]
	heard := l.since(l.wroteAt)
	for number := e.ID; number <= e.Last; number++ {
		n, is := l.ordinal(i, number)
		if !is {
			l.joinSettled(i, e)
			continue
		}
		l.note(&t.words[number-1], e)
		if t.words[number-1]&tally.Confirmed != 0 {
			l.confirmations.Record(heard - s.due(n, l.swarm.cfg.Every))
		}
		l.messageTook(s, n, heard)
	}
	if s.at == link.Never {
		l.sendable(i)
	}
}

// note counts an answer. A receipt may have come before it.
func (l *loop) note(w *tally.Word, e *link.Event) {
	m := &l.counted.Messages
	switch e.Kind {
	case link.Acked:
		m.Acknowledged++
		*w |= ackWord(e.What)
	case link.Nacked:
		m.Refused++
		if why, ok := e.Err.(*link.RefusedError); ok && why.Code == envelope.CodeTryLater {
			m.TryLater++
		}
		*w |= tally.Refused
	case link.GivenUp:
		m.Lost++
		*w |= tally.GivenUp
	}
	switch w.Answer() {
	case tally.Reached:
		if *w&tally.Confirmed == 0 {
			*w |= tally.Confirmed
			m.Confirmed++
		}
	case tally.Durable:
		m.Durable++
	case tally.Held:
		m.Held++
	}
}

// receipt is what a sender is told later, perhaps more than once. All devices of a user are told of each other's.
func (l *loop) receipt(i uint32, e *envelope.Envelope) {
	t := &l.talkers[i]
	from, ours := l.swarm.clientOf(string(e.ID.Sender))
	n, is := l.ordinal(i, e.ID.Number)
	if !ours || from != l.number(i) || !is || e.ID.Number == 0 || e.ID.Number > uint64(len(t.words)) {
		return
	}
	w := &t.words[e.ID.Number-1]
	switch {
	case e.State != envelope.Delivered:
		*w |= tally.Undone
	case *w&tally.Confirmed == 0:
		*w |= tally.Confirmed
		l.counted.Messages.Confirmed++
		l.confirmations.Record(l.since(l.wroteAt) - l.senders[i].due(n, l.swarm.cfg.Every))
	}
}

// Talk has all clients that speak begin to talk at a moment of the swarm's clock, and for a time: each has a message due
// every Config.Every, whose first is within the first of these by chance.
func (s *Swarm) Talk(from, length time.Duration) {
	s.onLoops(func(l *loop) {
		l.talkUntil = from + length
		for i := range l.senders {
			if !s.cfg.Talk.speaks(l.userOf(uint32(i))) {
				continue
			}
			rng := rand.New(rand.NewPCG(s.cfg.Seed, uint64(l.number(uint32(i)))+3<<32))
			l.senders[i].first = max(from, 1) + time.Duration(rng.Float64()*float64(s.cfg.Every))
			if c := &l.clients[i]; c.ready() {
				l.sendable(uint32(i))
				l.arm(uint32(i), c)
			}
		}
	})
}

// Hear has those that are deaf acknowledge what they have read, and all that comes.
func (s *Swarm) Hear() {
	s.onLoops(func(l *loop) {
		l.hears = true
		for i := range l.talkers {
			c, owed := &l.clients[i], l.talkers[i].owed
			for _, d := range owed {
				l.had(uint32(i), d.arrived)
				l.after = append(l.after, followUp{kind: ack, attempt: d.attempt, id: d.number})
			}
			l.talkers[i].owed = nil
			l.perform(uint32(i), c)
		}
	})
}

// Owing is how many clients have a message that is due and not sent, or not answered.
func (s *Swarm) Owing() int {
	answers := make(chan int, len(s.loops))
	s.onLoops(func(l *loop) {
		n := 0
		for i := range l.clients {
			if l.owes(uint32(i), &l.clients[i]) {
				n++
			}
		}
		answers <- n
	})
	total := 0
	for range s.loops {
		total += <-answers
	}
	return total
}

// Ledger is what the clients have sent and had so far.
func (s *Swarm) Ledger() *tally.Ledger {
	all := make(chan *tally.Ledger, len(s.loops))
	s.onLoops(func(l *loop) { all <- l.ledger() })
	sum := &tally.Ledger{}
	for range s.loops {
		sum.Add(<-all)
	}
	return sum
}

// ledger is a copy; nil of clients that do not talk.
func (l *loop) ledger() *tally.Ledger {
	if l.talkers == nil {
		return nil
	}
	all := &tally.Ledger{}
	for i := range l.talkers {
		t, user := &l.talkers[i], l.userOf(uint32(i))
		all.Sent = append(all.Sent, tally.SentBy{Client: l.number(uint32(i)), User: user, First: l.senders[i].first + l.swarm.epoch, Every: l.swarm.cfg.Every, Words: slices.Clone(t.words)})
		had := tally.HadBy{User: user, From: map[int]tally.Numbers{}, GapAt: t.room.gapAt}
		for from, numbers := range t.has {
			had.From[from] = slices.Clone(numbers)
		}
		all.Had = append(all.Had, had)
	}
	return all
}
