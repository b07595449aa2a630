package tally

import (
	"time"
)

// Ledger is what users who talk have sent and had, message by message: at the end of a run each is
// reconciled by its name, which is its sender and its number.
type Ledger struct {
	Sent []SentBy
	Had  []HadBy
}

// SentBy is what a client has sent. Message number n is Words[n-1].
type SentBy struct {
	Client, User int // their numbers in the run
	First, Every time.Duration
	Words        []Word
}

// HadBy is what a client has had, by the client that sent it.
type HadBy struct {
	User int
	From map[int]Numbers
	// GapAt is when it came into its room, or was told last that it had missed something there; 0: never.
	GapAt time.Duration
}

// Word is what a sender knows of a message.
type Word uint8

const (
	Unanswered Word = iota // nothing yet
	Taken                  // the room has it
	Reached                // ACK: a device of the addressee had it
	Durable                // ACK: it is on the node's disk
	Held                   // ACK: it is in the node's memory, which promises nothing
	Refused                // NACK: nobody has it
	GivenUp                // by the client: it counts as lost already
	NoMessage              // the number was used for something else
	answer     Word = 0x0f

	Confirmed Word = 0x10 // beside an answer: the sender knows that a device of the addressee has it
	Undone    Word = 0x20 // beside an answer: the sender was told later that it was refused, or expired
)

// Answer is what the node answered.
func (w Word) Answer() Word { return w & answer }

// Numbers are those of messages, from 1.
type Numbers []uint64

// Add reports whether n is new.
func (s *Numbers) Add(n uint64) bool {
	if s.Has(n) {
		return false
	}
	for uint64(len(*s)) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
	return true
}

// Has reports whether n was added.
func (s Numbers) Has(n uint64) bool { return n/64 < uint64(len(s)) && s[n/64]>>(n%64)&1 == 1 }

// Add takes what another swarm has.
func (l *Ledger) Add(o *Ledger) {
	l.Sent = append(l.Sent, o.Sent...)
	l.Had = append(l.Had, o.Had...)
}

// Reconciled is what a ledger says. A copy is a message to one of its addressees.
type Reconciled struct {
	Delivered, Undelivered int // copies of messages that were not refused
	// Lost are messages that were acknowledged as delivered or durable, and that their addressee has not;
	// and those that a room took and that a member has not who was in by then, and was told of no gap since they were due.
	Lost int
	// HeldLost are those that were acknowledged as held, which promises nothing.
	HeldLost int
	// Unconfirmed are messages that their addressee has, and of which their sender knows only that they are stored.
	Unconfirmed int
}

// Reconcile compares what was sent with what was had. to names the addressees of a user.
func (l *Ledger) Reconcile(to func(user int) []int) (r Reconciled) {
	devices := map[int][]*HadBy{}
	for i := range l.Had {
		h := &l.Had[i]
		devices[h.User] = append(devices[h.User], h)
	}
	for i := range l.Sent {
		s, ordinal := &l.Sent[i], 0
		addressees := to(s.User)
		for k, w := range s.Words {
			if w.Answer() == NoMessage {
				continue
			}
			due := s.First + time.Duration(ordinal)*s.Every
			ordinal++
			if a := w.Answer(); a != Refused && a != GivenUp {
				r.message(devices, addressees, s.Client, uint64(k)+1, due, w)
			}
		}
	}
	return r
}

// message adds one message.
func (r *Reconciled) message(devices map[int][]*HadBy, to []int, client int, number uint64, due time.Duration, w Word) {
	all, untold := true, false
	for _, user := range to {
		had, told := false, false
		for _, d := range devices[user] {
			had = had || d.From[client].Has(number)
			told = told || d.GapAt > due
		}
		if had {
			r.Delivered++
			continue
		}
		r.Undelivered++
		all, untold = false, untold || !told
	}
	switch answer := w.Answer(); {
	case all && (answer == Durable || answer == Held) && w&(Confirmed|Undone) == 0:
		r.Unconfirmed++
	case all || w&Undone != 0:
	case answer == Reached || answer == Durable:
		r.Lost++
	case answer == Held, answer == Taken && len(to) == 1: // "taken" promises a single user nothing
		r.HeldLost++
	case answer == Taken && untold:
		r.Lost++
	}
}

// Settle has the counts say what the ledger does, which is theirs no more. What is not acknowledged at the end is
// lost already.
func (t *Tally) Settle(to func(user int) []int) {
	if t.Ledger == nil {
		return
	}
	r, m := t.Ledger.Reconcile(to), &t.Counters.Messages
	m.Delivered, m.Undelivered = r.Delivered, r.Undelivered
	m.Lost += r.Lost
	m.HeldLost += r.HeldLost
	t.Ledger = nil
}
