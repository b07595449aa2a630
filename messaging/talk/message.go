package talk

import (
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// ErrAnswered is returned for a message that has its answer.
var ErrAnswered = errors.New("talk: the message has an answer")

// Message is one for this user. It may be answered from any goroutine, in the callback or, after
// AckLater, any time: also when its connection has gone, since the node delivers it again, and the
// answer goes out then.
type Message struct {
	ID      ID
	From    string    // the user who sent it
	Time    time.Time // the sender's clock when it sent, zero if it did not say
	Taken   time.Time // the node's clock when it took it
	Content []byte    // valid until the callback returns

	// PossiblyKnown: this or an earlier process may have had the message before, long ago or before it
	// died. An application that keeps messages looks whether it has it.
	PossiblyKnown bool

	work *work
}

// work is a message that the application has not answered yet.
type work struct {
	t      *Talk
	id     ID
	latest client.Message // its latest copy: the one by which it is answered
	later  bool
	done   bool
}

// Ack says that the application has dealt with the message.
func (m *Message) Ack() error { return m.work.answer(answer{}) }

// Nack refuses the message for good, and its sender is told. code says why: see codec.NackCode, of which an
// application owns 50 to 99 and those from 1000 on. reason is for people.
func (m *Message) Nack(code codec.NackCode, reason string) error {
	return m.work.answer(answer{max(code, 1), reason})
}

// AckLater keeps the return of the callback from acknowledging the message: its caller will call Ack or
// Nack. 256 messages at most may wait so.
func (m *Message) AckLater() {
	m.work.t.mu.Lock()
	defer m.work.t.mu.Unlock()
	m.work.later = true
}

// answer ends the work, and answers the latest copy.
func (w *work) answer(a answer) error {
	t := w.t
	t.mu.Lock()
	if w.done {
		t.mu.Unlock()
		return ErrAnswered
	}
	w.done = true
	t.mu.Unlock()

	known := Known{w.id, t.cfg.now()}
	if t.cfg.Keeper != nil {
		t.keeping.Lock()
		t.cfg.Keeper.Keep(known)
		t.keeping.Unlock()
	}
	t.mu.Lock()
	t.known.add(known, a)
	delete(t.works, w.id)
	latest := w.latest
	t.mu.Unlock()
	say(latest, a) // an error is a connection that has gone: the next copy finds the answer
	return nil
}

// say answers one copy.
func say(m client.Message, a answer) {
	if a.code == 0 {
		m.Ack()
	} else if m.Nack(a.code, a.reason) == nil {
		return
	} else {
		m.Nack(a.code, "") // a reason that no frame can hold
	}
}

// message takes a copy of a message.
func (t *Talk) message(m client.Message, e *envelope.Envelope) {
	id := idOf(e.ID)
	t.mu.Lock()
	if a, known := t.known.find(id); known {
		t.mu.Unlock()
		say(m, a)
		return
	}
	if w := t.works[id]; w != nil {
		w.latest = m
		t.mu.Unlock()
		m.AckLater()
		return
	}
	w := &work{t: t, id: id, latest: m}
	t.works[id] = w
	possibly := e.Flags&envelope.PossiblyKnown != 0 || e.Taken.Before(t.known.since)
	t.mu.Unlock()

	m.AckLater() // Ack, Nack and the end of this function answer
	returned := false
	defer func() {
		t.mu.Lock()
		later := w.later
		t.mu.Unlock()
		switch { // what has its answer is not answered again
		case !returned:
			w.answer(answer{codec.NackInternal, ""}) // and the panic goes on
		case !later:
			w.answer(answer{})
		}
	}()
	if t.cfg.Message == nil {
		w.answer(answer{codec.NackRefused, ""})
	} else {
		t.cfg.Message(&Message{ID: id, From: string(e.From()), Time: e.Time, Taken: e.Taken, Content: e.Content,
			PossiblyKnown: possibly, work: w})
	}
	returned = true
}
