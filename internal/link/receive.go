package link

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// maxFrames bounds the frames of one Received, and so the actions that it asks for.
const maxFrames = 64

// Received takes bytes that the server sent. consumed of them are done with. The rest
// must be offered again, followed by what comes next, and not before need bytes are
// there; if they are there already, at once, after the actions were carried out: a new state
// is seen before what follows it.
func (l *Link) Received(now time.Duration, attempt uint32, b []byte, out *Out) (consumed, need int) {
	for range maxFrames {
		c := l.find(attempt)
		if c == nil || c.state != StateHandshaking && c.state != StateReady {
			return len(b), codec.HeaderLen // nobody wants the rest
		}
		frame, size, err := codec.Decode(b[consumed:], l.cfg.MaxPayload)
		if errors.Is(err, codec.ErrMagic) {
			err = fmt.Errorf("%w%s", err, tongue(b[consumed:]))
		}
		if errors.Is(err, codec.ErrIncomplete) {
			if rest := len(b) - consumed; rest > 0 && c == l.current() {
				l.heartbeat.begins(now, rest)
			}
			return consumed, size
		}
		if err == nil {
			consumed += size
			l.alive(now, c)
			err = l.frame(now, c, frame, out)
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrMalformed, err)
			l.lose(now, c, loss{reason: Malformed, err: err}, out)
		} else if frame.Type == codec.Welcome || frame.Type == codec.GoAway && l.find(attempt) != nil {
			break
		}
	}
	return consumed, codec.HeaderLen
}

// tongue names what a peer speaks that sends no frames, for people.
func tongue(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("HTTP/")):
		return ": that is HTTP; try ws://"
	case bytes.HasPrefix(b, []byte{0x15, 0x03}): // an alert
		return ": that is TLS; try tls://"
	}
	return ""
}

// errUnexpected is a frame that a server may not send, or not now.
var errUnexpected = errors.New("unexpected frame")

// frame handles one complete frame. Its error says what the server did wrong.
func (l *Link) frame(now time.Duration, c *conn, f codec.Frame, out *Out) error {
	switch ready := c.state == StateReady; {
	case f.Type == codec.GoAway:
		m, err := codec.ParseGoAway(f.Payload)
		if err != nil {
			return err
		}
		l.goAway(now, c, &m, out)
		return nil
	case f.Type == codec.Welcome && !ready:
		m, err := codec.ParseWelcome(f.Payload)
		if err != nil {
			return err
		}
		return l.welcome(now, c, &m, out)
	case f.Type == codec.Pong && ready:
		m, err := codec.ParsePong(f.Payload)
		if err != nil {
			return err
		}
		l.pong(now, c, m, out)
		return nil
	case f.Type == codec.Deliver && ready:
		return l.message(now, c, f, out)
	case f.Type == codec.Ack && ready:
		m, err := codec.ParseAck(f.Payload)
		if err != nil {
			return err
		}
		l.acked(now, c, m, out)
		return nil
	case f.Type == codec.Nack && ready:
		m, err := codec.ParseNack(f.Payload)
		if err != nil {
			return err
		}
		l.nacked(now, c, &m, out)
		return nil
	case !f.Type.Known() && f.Flags&codec.FlagIgnorable != 0:
		return nil // newer than this client
	default:
		return fmt.Errorf("%w: %s while %s", errUnexpected, f.Type, c.state)
	}
}

// welcome begins the session, or moves it.
func (l *Link) welcome(now time.Duration, c *conn, m *codec.WelcomeMessage, out *Out) error {
	if m.Version != codec.ProtocolVersion || m.Features != 0 {
		return fmt.Errorf("WELCOME with version %d and features %#x, neither was offered", m.Version, m.Features)
	}
	move := c != l.current()
	if move {
		l.move(now, out)
		c = l.current()
	}
	l.session = m.Session
	l.node = intern(m.Node)
	l.returnPass = string(m.ReturnPass)
	l.addAlternates(m.Alternates)
	l.retry.home = hashAddress(c.addr.String())
	l.acquit(c)
	l.readyAt = now
	l.patience.welcomes = 0
	l.sessions++
	c.state = StateReady
	l.terms = m.Terms
	l.limits, l.pace = tell(m.Limits), nil
	l.grant = grant{}
	l.setGrant(now, m.Expires)
	l.heartbeat.beat = l.drawBeat()
	l.heartbeat.answered, l.heartbeat.telling = true, false // whatever an earlier session still waited for
	kind := Ready
	if move {
		kind = Moved
	}
	out.notify(Event{Kind: kind, Attempt: c.attempt, Session: m.Session, Node: l.node.String(), Terms: m.Terms})
	l.resume(now, out)
	return nil
}

// Ack tells the server that messages are dealt with. attempt is that of their events
// Delivered: a session that has ended since gets no ACK, its numbers mean nothing to the next,
// and nothing is written then, which is reported. Number 0 wants no answer, and gets none.
func (l *Link) Ack(now time.Duration, attempt uint32, m codec.AckMessage, out *Out) bool {
	c := l.answerable(attempt)
	if c == nil || m.Last == 0 {
		return c != nil
	}
	start := len(out.frames)
	out.frames = codec.AppendAck(out.frames, m)
	l.wrote(now, c, start, out)
	return true
}

// Nack tells it that one is refused for good. Otherwise it is like Ack. A reason that NACK
// cannot carry is an error.
func (l *Link) Nack(now time.Duration, attempt uint32, m *codec.NackMessage, out *Out) (bool, error) {
	c := l.answerable(attempt)
	if c == nil || m.Number == 0 {
		return c != nil, nil
	}
	start := len(out.frames)
	var err error
	if out.frames, err = codec.AppendNack(out.frames, m); err != nil {
		return true, err
	}
	l.wrote(now, c, start, out)
	return true, nil
}

// Answerable reports whether the messages of an attempt's connection can still be answered: it is
// a session's, and BYE was not said.
func (l *Link) Answerable(attempt uint32) bool { return l.answerable(attempt) != nil }

// answerable is the connection of an attempt if its messages can still be answered.
func (l *Link) answerable(attempt uint32) *conn {
	if c := l.find(attempt); c != nil && c.state == StateReady && !c.saidBye {
		return c
	}
	return nil
}
