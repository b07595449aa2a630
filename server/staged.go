package server

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/entry"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// staged is the stage of a loop's connections, between their sockets and the reactor. A plain
// session pays a look at its flag. Owned by the loop but for what mu guards.
type staged struct {
	l     *loop
	lines *transport.Lines
	entry *entry.Stage     // the stage, if it is that; nil: it is a test's
	tls   *handshake.Stage // in the entry; nil: there is none

	mu   sync.Mutex
	done []awayDone // guarded by mu
}

// awayDone is work for a connection that another goroutine has done.
type awayDone struct {
	handle uint64
	then   func()
	late   bool          // it was not done: it would have come too late
	fresh  bool          // it began something
	slot   bool          // and that was at the pace of slots
	waited time.Duration // for its turn
}

func newStaged(l *loop, stage transport.Stage) *staged {
	return &staged{l: l, lines: transport.NewLines(stage)}
}

// newEntry is newStaged of the stage by which connections come in.
func newEntry(l *loop, c entry.Config) *staged {
	c.HeaderRead = func(slot transport.Slot) { l.reactor.Within(reactor.Slot(slot), l.srv.cfg.HelloTimeout) }
	t := new(staged)
	if l.srv.tls != nil {
		t.tls = handshake.NewServer(l.srv.tls, t.tlsPeer)
		if l.srv.auth != nil {
			t.tls.KeepStates()
		}
		c.TLS = t.tls
	}
	t.entry = entry.New(c)
	t.l, t.lines = l, transport.NewLines(t.entry)
	return t
}

// headerTimeout is how long a PROXY header may take, from the accept.
const headerTimeout = 3 * time.Second

// begin puts the stage into a new connection, unless it has come by a listener that has none, and
// says whether the connection is still there then.
func (t *staged) begin(c gnet.Conn, s *reactor.Session, by *arrival) (there bool) {
	if t.entry != nil && !t.arrive(c, uint32(s.Slot()), by) {
		return true
	}
	s.SetStaged(true)
	t.say(s.Slot(), t.lines.Begin(uint32(s.Slot())))
	return !s.Free()
}

// arrive tells the stage where a connection comes from, if it is for the stage.
func (t *staged) arrive(c gnet.Conn, slot transport.Slot, by *arrival) bool {
	listener := 0
	if by != nil {
		listener = by.listener
	} else {
		listener = listenerOf(t.l.srv.claims, c.LocalAddr())
	}
	if !isStaged(&t.l.srv.entry.Listeners[listener]) {
		return false
	}
	var from netip.Addr
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		from = tcp.AddrPort().Addr()
	}
	t.entry.Arrive(slot, listener, from)
	if t.entry.Awaits(slot) {
		t.l.reactor.Within(reactor.Slot(slot), min(headerTimeout, t.l.srv.cfg.HelloTimeout))
	}
	return true
}

// carrier names what carries a session.
func (t *staged) carrier(slot reactor.Slot) Transport {
	web, secure := t.entry.WebSocket(uint32(slot)), t.entry.Secured(uint32(slot))
	switch {
	case web && secure:
		return TransportSecureWebSocket
	case web:
		return TransportWebSocket
	case secure:
		return TransportTLS
	}
	return t.l.plainCarrier(slot)
}

// say writes what the stage says by itself. The connection may have ended when it returns.
func (t *staged) say(slot reactor.Slot, words []byte) {
	if len(words) == 0 {
		return
	}
	c := t.l.conn(slot)
	if _, err := c.Write(words); err == nil {
		t.l.reactor.Sent(slot, len(words), c.OutboundBuffered())
	}
}

// traffic takes what has been read. All of it: what cannot be opened yet waits in the lines, and
// not in gnet's buffer.
func (t *staged) traffic(c gnet.Conn, s *reactor.Session) gnet.Action {
	b, err := c.Peek(-1)
	if err != nil || len(b) == 0 {
		return gnet.None
	}
	t.l.reading, t.l.readSlot = c, s.Slot()
	t.pass(s, b)
	t.l.reading = nil
	if !s.Free() {
		_, _ = c.Discard(len(b))
	}
	return unlessFree(s)
}

// pass takes bytes through the stage to the reactor.
func (t *staged) pass(s *reactor.Session, b []byte) {
	l, slot, now := t.l, s.Slot(), t.l.now()
	if plain, ok := t.lines.Whole(uint32(slot), b); ok {
		t.passWhole(now, s, plain)
		return
	}
	in, err := t.lines.Receive(uint32(slot), b)
	if in.Dropped > 0 {
		l.reactor.Receive(now, slot, b) // it lingers: its bytes are counted
		return
	}
	t.say(slot, in.Words)
	if in.Away != nil && !s.Free() && !t.sendAway(slot, in.Away, in.Fresh) {
		l.reactor.End(now, slot, reactor.ReasonTLSBusy)
	}
	rest := in.Plain
	if len(rest) > 0 && !s.Free() && l.reactor.Offer(s, len(rest)) {
		rest = rest[l.reactor.Receive(now, slot, rest):]
	}
	if s.Free() {
		return
	}
	if over := t.lines.Keep(uint32(slot), rest); over {
		s.SetStaged(false)
	}
	if in.Frames > 0 {
		l.reactor.Extra(now, slot, in.Frames)
	}
	switch {
	case err == nil || s.Free():
	case errors.Is(err, transport.ErrEnd):
		l.reactor.End(now, slot, reactor.ReasonPeerClosed)
	case errors.Is(err, transport.ErrAnswered):
		l.reactor.End(now, slot, reactor.ReasonProbe)
	case errors.Is(err, transport.ErrHandshake):
		l.srv.logTLSPanic(err)
		l.srv.logReject("a TLS handshake failed", l.RemoteAddr(slot), err)
		l.reactor.End(now, slot, reactor.ReasonTLSFailed)
	default:
		l.srv.logReject("a connection broke the rules of its transport", l.RemoteAddr(slot), err)
		l.reactor.Malformed(now, slot)
	}
	if !s.Free() {
		l.reactor.Hold(now, slot, t.held(slot))
	}
}

// passWhole hands plain bytes to the reactor that came alone, and behind which nothing waits.
func (t *staged) passWhole(now time.Duration, s *reactor.Session, plain []byte) {
	slot := s.Slot()
	if t.l.reactor.Offer(s, len(plain)) {
		plain = plain[t.l.reactor.Receive(now, slot, plain):]
	}
	if len(plain) > 0 && !s.Free() {
		t.lines.Wait(uint32(slot), plain)
		t.l.reactor.Hold(now, slot, t.held(slot))
	}
}

// held is what a connection is charged for: not what waits for work of ours, up to what that can
// need; the pool bounds that.
func (t *staged) held(slot reactor.Slot) int {
	return t.lines.Held(uint32(slot)) - min(t.lines.Waiting(uint32(slot)), awayBytes)
}

// sendAway has work of the stage done by another goroutine: one for each connection at most, and
// few of those that are not in yet are let in. false: there is no room for it.
func (t *staged) sendAway(slot reactor.Slot, work func() func(), fresh bool) bool {
	if fresh { // the time until its turn is not the peer's
		t.l.reactor.Waits(slot)
		t.l.reactor.Within(slot, t.l.srv.cfg.HelloTimeout+t.l.srv.away.patience)
	}
	return t.l.srv.away.submit(awayJob{t: t, handle: t.l.reactor.Handle(slot), work: work, fresh: fresh, came: time.Now(),
		bytes: t.lines.Waiting(uint32(slot))})
}

// workDone is told by a goroutine of the pool.
func (t *staged) workDone(d awayDone) {
	t.mu.Lock()
	t.done = append(t.done, d)
	t.mu.Unlock()
	t.l.ask()
}

// resume goes on with the connections whose work is done, until the turn's part for that is over.
func (t *staged) resume() {
	t.mu.Lock()
	done := t.done
	t.done = nil
	t.mu.Unlock()
	for i, a := range done {
		if i > 0 && t.l.over(reactor.LessPosts) {
			t.mu.Lock()
			t.done = append(done[i:], t.done...)
			t.mu.Unlock()
			return
		}
		slot := reactor.SlotOf(a.handle)
		if s := t.l.reactor.Session(slot); !s.Free() && t.l.reactor.Handle(slot) == a.handle {
			t.goOn(s, a)
		} else if a.slot {
			t.l.srv.node.Unused.Add(1)
		}
	}
}

// goOn goes on with a connection.
func (t *staged) goOn(s *reactor.Session, a awayDone) {
	if a.late {
		t.l.reactor.End(t.l.now(), s.Slot(), reactor.ReasonTLSBusy)
		return
	}
	if a.fresh {
		t.l.reactor.Within(s.Slot(), t.l.srv.cfg.HelloTimeout+a.waited)
		t.l.reactor.Goes(s.Slot(), a.slot)
	}
	a.then()
	t.lines.Resume(uint32(s.Slot()))
	t.pass(s, nil)
}

// pending says whether somebody waits for resume.
func (t *staged) pending() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.done) > 0
}

// stage returns the lines of a slot whose connection has a stage, nil for a plain one.
func (l *loop) stage(slot reactor.Slot) *transport.Lines {
	if l.staged == nil || !l.reactor.Session(slot).Staged() {
		return nil
	}
	return l.staged.lines
}

// seal returns what goes to the socket for bytes of the reactor's.
func (t *staged) seal(slot reactor.Slot, b []byte) []byte {
	if !t.l.reactor.Session(slot).Staged() {
		return b
	}
	return t.lines.Seal(uint32(slot), b)
}

// Farewell writes the closing words of the stage.
func (l *loop) Farewell(slot reactor.Slot, code codec.Code) {
	if lines := l.stage(slot); lines != nil {
		l.staged.say(slot, lines.Close(uint32(slot), code))
	}
}
