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
	at      envelope.Position // heard up to here; zero: it was in no session yet
	past    uint64            // the epoch before: the node that it leaves may still speak of it
	joining bool              // publications do not count until the node says joined
	gapAt   time.Duration     // when it was told last that something is gone, on the clock of Monotonic; 0: never
}

// joinRetry is after a refusal, which may be for want of time.
const joinRetry = time.Second

// joinBody asks for the room from where it was heard.
func (l *loop) joinBody(i uint32) []byte {
	room, _ := l.swarm.cfg.Talk.room(l.userOf(i))
	return l.enveloped(&envelope.Envelope{Kind: envelope.Join, Room: []byte(l.swarm.roomName(room)), Position: l.talkers[i].room.at})
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
		l.hadMessage(i, &m)
		if l.clients[i].flags.has(flagDeaf) && !l.hears {
			t := &l.talkers[i]
			t.owed = append(t.owed, debt{e.Attempt, e.ID})
			return false
		}
	case envelope.Receipt:
		l.receipt(i, &m)
	case envelope.Publication:
		l.publication(i, &m)
	case envelope.Joined:
		l.joined(i, m.Position)
	case envelope.Gap:
		r := &l.talkers[i].room
		if m.Position.Epoch != r.at.Epoch || m.Position.Offset > r.at.Offset {
			l.rejoin(i)
		}
	case envelope.Left:
		l.talkers[i].room.joining = false
		l.rejoin(i)
	}
	return true
}

// hadMessage counts what a client has for the first time. It knows what it has had, as all clients do: only one that
// comes under another name is had twice.
func (l *loop) hadMessage(i uint32, e *envelope.Envelope) {
	m, ok := payload.Parse(e.Content)
	from, ours := l.swarm.clientOf(string(e.ID.Sender))
	if !ok || !ours {
		return // of somebody else
	}
	t := &l.talkers[i]
	numbers := t.had[from]
	switch {
	case numbers.Add(m.Number):
		if t.had == nil {
			t.had = map[int]tally.Numbers{}
		}
		t.had[from] = numbers
		l.counted.Messages.Delivered++
		l.deliveryTook(l.since(l.wroteAt) - (m.Due - l.swarm.epoch))
	case m.Number != e.ID.Number:
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
		l.hadMessage(i, e)
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
		if before.Epoch != 0 {
			r.gapAt = l.now + l.swarm.epoch
		}
	}
}
