package talk

import (
	"context"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// sending is what is to be told of a number.
type sending struct {
	to     string
	inRoom bool
	tell   func(Outcome) // nil: nobody wants to know
}

// Send sends a message to a user and returns its number: Config.Settled tells what becomes of it. It
// waits as client.Client.Send does, and its errors are that one's, or of package envelope: nothing was
// sent then.
func (t *Talk) Send(ctx context.Context, user string, content []byte, o Options) (number uint64, err error) {
	return t.send(ctx, t.toUser(user, content, o), &sending{to: user}, true)
}

// SendAcked is Send that waits for the outcome, of which Config.Settled does not tell then. With an error
// of ctx the message may still arrive: it goes on.
func (t *Talk) SendAcked(ctx context.Context, user string, content []byte, o Options) (Outcome, error) {
	return t.sendAcked(ctx, t.toUser(user, content, o), &sending{to: user})
}

// Publish is Send to a room.
func (t *Talk) Publish(ctx context.Context, room string, content []byte) (number uint64, err error) {
	return t.send(ctx, t.toRoom(room, content), &sending{to: room, inRoom: true}, true)
}

// PublishAcked is SendAcked to a room.
func (t *Talk) PublishAcked(ctx context.Context, room string, content []byte) (Outcome, error) {
	return t.sendAcked(ctx, t.toRoom(room, content), &sending{to: room, inRoom: true})
}

func (t *Talk) toUser(user string, content []byte, o Options) *envelope.Envelope {
	return &envelope.Envelope{Kind: envelope.ToUser, User: []byte(user), Time: t.cfg.now(), At: o.At, Life: o.Life, Content: content}
}

func (t *Talk) toRoom(room string, content []byte) *envelope.Envelope {
	return &envelope.Envelope{Kind: envelope.ToRoom, Room: []byte(room), Time: t.cfg.now(), Content: content}
}

func (t *Talk) sendAcked(ctx context.Context, e *envelope.Envelope, s *sending) (Outcome, error) {
	told := make(chan Outcome, 1)
	s.tell = func(o Outcome) { told <- o }
	if _, err := t.send(ctx, e, s, false); err != nil {
		return Outcome{}, err
	}
	select {
	case o := <-told:
		return o, nil
	case <-ctx.Done():
		return Outcome{State: Unknown, Err: ctx.Err(), To: s.to, InRoom: s.inRoom}, ctx.Err()
	}
}

// send sends a body; public says that Config.Settled is told, with the number.
func (t *Talk) send(ctx context.Context, e *envelope.Envelope, s *sending, public bool) (uint64, error) {
	body, err := envelope.Append(nil, e)
	if err != nil {
		return 0, err
	}
	number, err := t.client.Send(ctx, body)
	if err != nil {
		return 0, err
	}
	if public && t.cfg.Settled != nil {
		s.tell = func(o Outcome) { t.cfg.Settled(number, o) }
	}
	t.mu.Lock()
	t.sent[number] = s
	t.mu.Unlock()
	t.settled.Broadcast()
	return number, nil
}

// settle is told by the client, perhaps before its Send has returned: then it waits for that.
func (t *Talk) settle(number uint64, o client.Outcome) {
	t.mu.Lock()
	for t.sent[number] == nil {
		t.settled.Wait()
	}
	s := t.sent[number]
	delete(t.sent, number)
	t.mu.Unlock()
	if s.tell != nil {
		out := outcome(o)
		out.To, out.InRoom = s.to, s.inRoom
		s.tell(out)
	}
}
