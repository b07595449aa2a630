package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// membership is what a client knows of its room, after docs/MESSAGING.md.
type membership struct {
	name    string            // "": the client talks in a pair
	at      envelope.Position // heard up to here; zero: it was in no session yet
	past    uint64            // the epoch before: the node that it leaves may still speak of it
	joining bool              // publications do not count until the node says joined
	gapAt   time.Duration     // when it came in, or was told last that something is gone, on the clock of Monotonic; 0: never
}

// joinRetry is after a refusal, which may be for want of time.
const joinRetry = time.Second

// joinBody asks for the room from where it was heard.
func (l *loop) joinBody(i uint32) []byte {
	r := &l.talkers[i].room
	return l.enveloped(&envelope.Envelope{Kind: envelope.Join, Room: []byte(r.name), Position: r.at})
}

// joinSettled asks again where the answer was no.
func (l *loop) joinSettled(i uint32, e *link.Event) {
	if t := &l.talkers[i]; e.Kind != link.Acked && t.joinAt == link.Never {
		t.joinAt = l.now + joinRetry
		l.sendable(i)
	}
}

// rejoin asks the room for what is missing.
func (l *loop) rejoin(i uint32) {
	if t := &l.talkers[i]; !t.room.joining {
		t.room.joining, t.joinAt = true, l.now
		l.sendable(i)
	}
}

// overheard is a DELIVER to one that talks. It reports whether it is to be acknowledged.
func (l *loop) overheard(i uint32, e *link.Event) bool {
	m, err := envelope.Parse(e.Body)
	if err != nil {
		return true // a kind that we do not know, as far as we are concerned
	}
	switch m.Kind {
	case envelope.Message:
		a, ours := l.arrival(&m)
		if ours && l.clients[i].flags.has(flagDeaf) && !l.hears {
			t := &l.talkers[i]
			t.owed = append(t.owed, debt{e.Attempt, e.ID, a})
			return false
		}
		if ours {
			l.had(i, a)
		}
	case envelope.Receipt:
		l.receipt(i, &m)
	default:
		if string(m.Room) == l.talkers[i].room.name {
			l.said(i, &m)
		}
	}
	return true
}

// said is what the client's room says.
func (l *loop) said(i uint32, m *envelope.Envelope) {
	r := &l.talkers[i].room
	switch m.Kind {
	case envelope.Publication:
		l.publication(i, m)
	case envelope.Joined:
		l.joined(i, m.Position)
	case envelope.Gap:
		if m.Position.Epoch != r.at.Epoch || m.Position.Offset > r.at.Offset {
			l.rejoin(i)
		}
	case envelope.Left:
		r.joining = false
		l.rejoin(i)
	}
}

// arrival reads a message, if it is one of the run's.
func (l *loop) arrival(e *envelope.Envelope) (a arrived, ours bool) {
	m, ok := payload.Parse(e.Content)
	from, ours := l.swarm.clientOf(string(e.ID.Sender))
	return arrived{from, e.ID.Number, m.Number, m.Due}, ok && ours
}

// had counts what a client has for the first time. It knows what it has had, as all clients do: only one that
// comes under another name is had twice.
func (l *loop) had(i uint32, a arrived) {
	t := &l.talkers[i]
	numbers := t.has[a.from]
	switch {
	case numbers.Add(a.number):
		if t.has == nil {
			t.has = map[int]tally.Numbers{}
		}
		t.has[a.from] = numbers
		l.counted.Messages.Delivered++
		l.deliveryTook(l.since(l.wroteAt) - (a.due - l.swarm.epoch))
	case a.number != a.named:
		l.counted.Messages.Doubled++
	}
}

// publication takes what comes next, and asks anew where something is missing.
func (l *loop) publication(i uint32, e *envelope.Envelope) {
	r := &l.talkers[i].room
	p := e.Position
	switch {
	case r.joining && p.Epoch != r.at.Epoch, p.Epoch == r.past, p.Epoch == r.at.Epoch && p.Offset <= r.at.Offset:
	case p.Epoch != r.at.Epoch || p.Offset != r.at.Offset+1:
		l.rejoin(i)
	default:
		r.at = p
		if a, ours := l.arrival(e); ours {
			l.had(i, a)
		}
	}
}

// joined begins to count behind a position.
func (l *loop) joined(i uint32, p envelope.Position) {
	r := &l.talkers[i].room
	before := r.at
	r.joining = false
	same := before.Epoch == p.Epoch
	if !same {
		r.past = before.Epoch
	}
	if !same || p.Offset > before.Offset {
		r.at = p
		r.gapAt = l.swarm.Now() + l.swarm.epoch // not l.now: what is read in one batch may have come after it began
	}
}
