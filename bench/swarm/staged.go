package swarm

import (
	"errors"

	"github.com/stormwheel/stormwheel/bench/epoll"
)

// Where connections have a stage, their bytes come and go through it. It knows a connection by its
// descriptor: a client may have two.

// errStage is why a connection ends whose server says what its stage does not take.
var errStage = errors.New("the server's bytes are not what the transport takes")

// begin puts the stage into a connection. Who stays half open does not even say what that says.
func (l *loop) begin(c *client, s *socket) {
	words := l.lines.Begin(uint32(s.fd))
	if !c.flags.has(flagHalfOpen) {
		l.say(s, words)
	}
}

// say writes what a stage says by itself. It is little: who does not take it is not read either.
func (l *loop) say(s *socket, words []byte) {
	if len(words) == 0 {
		return
	}
	if n, _, err := epoll.Write(int(s.fd), words); err != nil || n < len(words) {
		l.after = append(l.after, followUp{kind: writeFailed, attempt: s.attempt, err: errors.Join(err, errStage)})
	}
}

// sealed is what goes to the socket for bytes for the server, valid until the next call.
func (l *loop) sealed(s *socket, b []byte) []byte {
	if l.lines == nil || s.bare || len(b) == 0 {
		return b
	}
	return l.lines.Seal(uint32(s.fd), b)
}

// lastWords says goodbye, if the socket takes it at once.
func (l *loop) lastWords(s *socket) {
	if !s.connecting && !s.bare && s.attempt != 0 {
		_, _, _ = epoll.Write(int(s.fd), l.lines.Close(uint32(s.fd), 0))
	}
}

// arrived takes what was read of a socket.
func (l *loop) arrived(i uint32, c *client, s *socket, b []byte) {
	if l.lines == nil || s.bare {
		l.receive(i, c, s.attempt, b)
		return
	}
	attempt, slot := s.attempt, uint32(s.fd)
	in, err := l.lines.Receive(slot, b)
	l.say(s, in.Words)
	if in.Away != nil {
		l.sendAway(i, attempt, in.Away)
	}
	if len(in.Plain) > 0 {
		l.receive(i, c, attempt, in.Plain) // what is half a frame it keeps
	}
	if s = l.find(i, c, attempt); s == nil {
		return
	}
	s.bare = l.lines.Keep(slot, nil)
	if err != nil {
		l.disconnected(i, c, s, errors.Join(errStage, err))
	} else if len(l.after) > 0 {
		l.perform(i, c)
	}
}

// sendAway has work of the stage done by another goroutine.
func (l *loop) sendAway(i, attempt uint32, work func() func()) {
	go func() {
		then := work()
		l.call(func() {
			c := &l.clients[i]
			if s := l.find(i, c, attempt); s != nil {
				then()
				l.lines.Resume(uint32(s.fd))
				l.arrived(i, c, s, nil)
			}
		})
	}()
}
