package talk

import (
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Publication is what a room says.
type Publication struct {
	Room     string
	Position envelope.Position
	ID       ID
	From     string    // the user who sent it
	Time     time.Time // the sender's clock when it sent, zero if it did not say
	Taken    time.Time // the node's clock when the room took it
	Content  []byte    // valid until the callback returns
}

// Joined says that a room was joined.
type Joined struct {
	Room    string
	State   envelope.State // envelope.Fresh, Recovered or Missed
	Members uint64         // 0 if the node does not say
}

// Join joins a room, now and in every session to come until Leave. Config.Joined tells when, Config.Left
// if the node refuses. It does not wait.
func (t *Talk) Join(room string) { t.want(wish{room: room}, envelope.Position{}) }

// JoinAt is Join from a position that an earlier Talk had heard up to.
func (t *Talk) JoinAt(room string, at envelope.Position) { t.want(wish{room: room}, at) }

// Leave leaves a room. Nothing of it is told any more.
func (t *Talk) Leave(room string) { t.unwant(wish{room: room}) }

// Heard returns the position up to which a room was heard; zero if it is not joined, or was not yet.
func (t *Talk) Heard(room string) envelope.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.wishes[wish{room: room}]; s != nil {
		return s.at
	}
	return envelope.Position{}
}

// room is the state of one that is joined, or nil. mu is held.
func (t *Talk) room(name []byte) *wanted {
	if s := t.wishes[wish{room: string(name)}]; s != nil && !s.over {
		return s
	}
	return nil
}

// rejoin asks the room for what is missing, from where it was heard. mu is held.
func (t *Talk) rejoin(s *wanted) {
	if !s.joining {
		s.joining, s.asked = true, ""
		t.stir()
	}
}

// publication takes what comes next, drops what is known, and joins anew where something is missing.
func (t *Talk) publication(e *envelope.Envelope) {
	t.mu.Lock()
	s := t.room(e.Room)
	if s == nil || s.joining && e.Position.Epoch != s.at.Epoch || e.Position.Epoch == s.past ||
		e.Position.Epoch == s.at.Epoch && e.Position.Offset <= s.at.Offset {
		t.mu.Unlock()
		return
	}
	if e.Position.Epoch != s.at.Epoch || e.Position.Offset != s.at.Offset+1 {
		t.rejoin(s)
		t.mu.Unlock()
		return
	}
	s.at = e.Position
	id := idOf(e.ID)
	_, known := t.heard.find(id) // it was sent to the room again, which did not know it any more
	t.heard.add(Known{id, t.cfg.now()}, answer{})
	t.mu.Unlock()
	if !known && t.cfg.Publication != nil {
		t.cfg.Publication(Publication{string(e.Room), e.Position, id, string(e.From()), e.Time, e.Taken, e.Content})
	}
}

// joined begins to count publications behind the position that it names.
func (t *Talk) joined(e *envelope.Envelope) {
	t.mu.Lock()
	s := t.room(e.Room)
	if s == nil {
		t.mu.Unlock()
		return
	}
	before := s.at
	s.joining, s.waits, s.retry = false, 0, time.Time{}
	same := before.Epoch == e.Position.Epoch
	if !same {
		s.past = before.Epoch
	}
	if !same || e.Position.Offset > before.Offset {
		s.at = e.Position
	}
	missed := before.Epoch != 0 && (!same || e.Position.Offset > before.Offset)
	after := s.at
	t.mu.Unlock()
	if missed && t.cfg.Missed != nil {
		t.cfg.Missed(string(e.Room), before, after)
	}
	if t.cfg.Joined != nil {
		t.cfg.Joined(Joined{string(e.Room), e.State, e.Count})
	}
}

// gap: the node has dropped something, and says where the room is.
func (t *Talk) gap(e *envelope.Envelope) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.room(e.Room); s != nil && (e.Position.Epoch != s.at.Epoch || e.Position.Offset > s.at.Offset) {
		t.rejoin(s)
	}
}

func (t *Talk) left(e *envelope.Envelope) {
	t.end(wish{room: string(e.Room)}, Refusal{e.Code, string(e.Reason)})
}
