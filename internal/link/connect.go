package link

import (
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// dial starts an attempt at the endpoint that is best now.
func (l *Link) dial(now time.Duration, out *Out) {
	c := l.current()
	if c.attempt != 0 {
		c = &l.conns[1] // of a handover
	}
	addr := c.addr.String()
	if !l.retry.here {
		addr = l.pick(now)
	}
	l.retry.here = false
	l.attempts++
	*c = conn{addr: intern(addr), attempt: l.attempts, state: StateResolving, due: now + l.connectTimeout()}
	if isLiteral(addr) {
		c.state = StateConnecting
	}
	out.dial(c.attempt, addr)
}

// incarnation names this link, and no other, as long as it lives.
func (l *Link) incarnation() uint64 {
	r := rng(l.cfg.Incarnation + l.number)
	return r.next()
}

// Connected says that TCP is up; HELLO goes out. token is the client's credential, it is
// not kept. One that is out of bounds costs the attempt.
func (l *Link) Connected(now time.Duration, attempt uint32, token []byte, out *Out) {
	c := l.find(attempt)
	if c == nil || c.state != StateResolving && c.state != StateConnecting {
		return
	}
	start := len(out.frames)
	var err error
	out.frames, err = codec.AppendHello(out.frames, &codec.HelloMessage{
		MinVersion:  codec.ProtocolVersion,
		MaxVersion:  codec.ProtocolVersion,
		Incarnation: l.incarnation(),
		Attempt:     attempt,
		ClientID:    []byte(l.ID()),
		Token:       token,
		ReturnPass:  []byte(l.returnPass),
		Ticket:      []byte(l.retry.ticket),
	})
	if err != nil {
		l.lose(now, c, loss{reason: ConnectFailed, err: fmt.Errorf("%w: %w", ErrHello, err), fault: FaultHost}, out)
		return
	}
	out.write(attempt, start)
	if c == l.current() {
		l.heartbeat.wrote = now
	}
	c.state = StateHandshaking
	l.patience.connects = 0
	c.due = now + l.welcomeTimeout()
}

// Disconnected says that the dial failed or the connection ended under the link, and FaultOf
// what the cause is about. A destination to which no way leads makes room for the next one at
// once. Only when all that are known fail like that is it taken for this machine's fault: then
// no other client returns at the same time, and nobody is held to have failed. A session that
// ends like that may be one of many: nobody is held to have failed, but it takes the window.
//
// A server that sends a client away may close before it has read everything, so that the
// client's next write fails while the server's last words are still unread. After a
// failed write, an owner therefore reads to the end, gives that to Received, and only
// then calls Disconnected.
func (l *Link) Disconnected(now time.Duration, attempt uint32, cause error, out *Out) {
	c := l.find(attempt)
	if c == nil {
		return
	}
	reason := Closed
	if c.state == StateResolving || c.state == StateConnecting {
		reason = ConnectFailed
	}
	fault := FaultOf(cause)
	if c.state == StateReady && c.doubted { // an attempt that is refused has reached somebody
		fault = FaultHost
	}
	l.lose(now, c, loss{reason: reason, err: cause, fault: fault, ended: true}, out)
}
