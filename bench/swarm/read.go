package swarm

import (
	"errors"
	"io"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/codec"
)

// partial is the input of a client of which the end is missing. It exists only while it
// is.
type partial struct {
	b    []byte
	need int // nothing new can be said before this many bytes are there
}

// read takes what has arrived; all of it up to the end if the peer has ended.
func (l *loop) read(i uint32, c *client, attempt uint32, ended bool) {
	for {
		s := l.find(i, c, attempt)
		if s == nil {
			return
		}
		n, blocked, err := epoll.Read(int(s.fd), l.input)
		if blocked {
			return
		}
		if n == 0 {
			if err == nil {
				err = io.EOF
			}
			l.disconnected(i, c, s, err)
			return
		}
		l.arrived(i, c, s, l.input[:n])
		if n < len(l.input) && !ended {
			return
		}
	}
}

// readToEnd is for after a failed write: the server's last words are still unread.
func (l *loop) readToEnd(i uint32, c *client, attempt uint32, cause error) {
	for {
		s := l.find(i, c, attempt)
		if s == nil {
			return
		}
		n, blocked, err := epoll.Read(int(s.fd), l.input)
		if n == 0 {
			if blocked || err == nil {
				err = cause
			}
			l.disconnected(i, c, s, err)
			return
		}
		l.arrived(i, c, s, l.input[:n])
	}
}

// receive hands bytes to the link and keeps what is left of an incomplete frame.
func (l *loop) receive(i uint32, c *client, attempt uint32, b []byte) {
	key := connKey{i, attempt}
	p, waiting := l.partial[key]
	if waiting {
		p.b = append(p.b, b...)
		l.partial[key] = p
		if b = p.b; len(b) < p.need {
			return
		}
	}
	for {
		consumed, need := l.understand(i, c, attempt, b)
		if l.find(i, c, attempt) == nil {
			return
		}
		b = b[consumed:]
		if len(b) == 0 {
			delete(l.partial, key)
			return
		}
		if len(b) < need {
			l.partial[key] = partial{append(p.b[:0], b...), need}
			return
		}
	}
}

// understand lets the link read; or, for a client that is mute, notes a GOAWAY.
func (l *loop) understand(i uint32, c *client, attempt uint32, b []byte) (consumed, need int) {
	if l.foreign != nil {
		return l.translate(i, c, attempt, b)
	}
	if !c.flags.has(flagMute) {
		consumed, need = c.link.Received(l.now, attempt, b, &l.out)
		l.perform(i, c)
		return consumed, need
	}
	frame, size, err := codec.Decode(b, codec.MaxPayload)
	switch {
	case errors.Is(err, codec.ErrIncomplete):
		return 0, size
	case err != nil:
		return len(b), codec.HeaderLen
	}
	switch frame.Type {
	case codec.GoAway:
		if m, err := codec.ParseGoAway(frame.Payload); err == nil {
			l.muteCodes[i] = m.Code
		}
	case codec.Pong:
		if m, err := codec.ParsePong(frame.Payload); err == nil {
			if m.Token == uint64(c.link.Info().Pings) {
				l.answered(c)
			}
			c.last.loosen(m.Terms.Timeout)
		}
	}
	return size, codec.HeaderLen
}

// disconnected is the end of a connection that the peer or the network brought about.
func (l *loop) disconnected(i uint32, c *client, s *socket, cause error) {
	attempt := s.attempt
	l.close(i, s, false)
	if c.flags.has(flagMute) {
		l.lostMute(c, l.muteCodes[i], cause)
		delete(l.muteCodes, i)
		return
	}
	c.link.Disconnected(l.now, attempt, cause, &l.out)
	l.perform(i, c)
}
