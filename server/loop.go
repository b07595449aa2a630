package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// loop ties one gnet event loop to its reactor: it is the reactor's transport and the
// task that the ticker sends to the event loop.
type loop struct {
	srv *Server
	el  gnet.EventLoop

	// Owned by the event loop.
	reactor  *reactor
	conns    []*[connChunk]conn
	turnEnds time.Duration
	turnStop func() bool // whether the turn's time is over

	// Any goroutine.
	mailbox mailbox
	asked   atomic.Bool // a turn is on its way
	again   *time.Timer // asks for the next turn when one did not finish

	mu   sync.Mutex
	last Counters // guarded by mu: copied at the end of a turn
}

// conn is what a gnet connection's context points to: 24 bytes. Owned by the event loop.
type conn struct {
	gnet  gnet.Conn
	place place
	need  int32 // bytes that must be there before the reactor is asked again
}

// place is the upper half of a handle: loop 8 bits, slot 24.
type place uint32

func (p place) loop() uint32         { return uint32(p >> 24) }
func (p place) slot() timingwheel.ID { return timingwheel.ID(p & (maxSlots - 1)) }

const (
	connChunkBits = 11 // 48 KiB: whole pages, so that nothing is rounded up
	connChunk     = 1 << connChunkBits
)

func newLoop(s *Server, el gnet.EventLoop, index uint8) (*loop, error) {
	l := &loop{srv: s, el: el}
	l.again = time.AfterFunc(time.Hour, l.ask)
	l.again.Stop()
	l.turnStop = func() bool { return l.now() >= l.turnEnds }
	var err error
	if l.reactor, err = newReactor(&s.cfg, &s.shared, index, l, l.now(), time.Now); err != nil {
		return nil, err
	}
	l.reactor.updateWindow() // its first client is here before its first turn
	if s.auth != nil {
		l.reactor.askAuth = func(handle uint64, req AuthRequest) bool {
			return s.auth.submit(authJob{handle: handle, req: req, loop: l})
		}
	}
	return l, nil
}

func (l *loop) now() time.Duration { return time.Since(l.srv.base) }

// ask has the event loop run a turn, unless one is on its way already.
func (l *loop) ask() {
	if l.asked.CompareAndSwap(false, true) {
		if l.el.Execute(context.Background(), l) != nil {
			l.asked.Store(false) // the engine is shutting down
		}
	}
}

// Run is the turn. gnet runs it after a batch of events, so connections that it closes
// have no event of that batch left; this is the only place where a connection is closed
// from outside its own callback.
//
// Half the turn's time at most goes to posts, so that a flood of them keeps no deadline
// waiting. Nobody can ask for another turn before this one ends: gnet runs its tasks until
// there are none, and a chain of turns would keep the sockets waiting. What arrived
// meanwhile has its turn a little later.
func (l *loop) Run(context.Context) error {
	now := l.now()
	if l.srv.stopping.Load() {
		l.reactor.stopping = true
	}
	l.reactor.observe(now)
	l.turnEnds = now + turnTime/2
	more := l.reactor.runPosts(&l.mailbox, l.turnStop)
	l.turnEnds = now + turnTime
	more = l.reactor.turn(now, l.turnStop) || more
	l.asked.Store(false)
	if more || !l.mailbox.empty() {
		l.again.Reset(debtDelay)
	}

	l.mu.Lock()
	l.last = l.reactor.counters
	l.last.SnapshotAt = now
	l.mu.Unlock()
	return nil
}

func (l *loop) snapshot() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *loop) at(slot timingwheel.ID) *conn {
	return &l.conns[slot>>connChunkBits][slot&(connChunk-1)]
}

// accept takes in a connection, or refuses it.
func (l *loop) accept(c gnet.Conn) {
	now := l.now()
	slot, ok := l.reactor.open(now)
	if !ok {
		_ = l.el.Close(c)
		return
	}
	for int(slot>>connChunkBits) >= len(l.conns) {
		l.conns = append(l.conns, new([connChunk]conn))
	}
	k := l.at(slot)
	*k = conn{gnet: c, place: place(uint32(l.reactor.index)<<24 | uint32(slot)), need: 1}
	c.SetContext(k)
	switch {
	case l.srv.shared.gate.starved(c.Fd()):
		l.reactor.dismiss(slot, ReasonFull)
		l.srv.shared.gate.logRefusal(l.srv.cfg.Logger, now, ReasonFull)
	case l.srv.stopping.Load():
		l.reactor.farewell(slot, ReasonShutdown)
	case l.srv.shared.handover.draining.Load():
		l.reactor.farewell(slot, ReasonDraining)
	default:
		why := ReasonNone
		switch {
		case l.srv.shared.memory.refuses():
			why = ReasonMemory
		case !l.srv.shared.gate.enter():
			why = ReasonFull
		}
		if why != ReasonNone {
			l.reactor.refuse(slot, why)
			l.srv.shared.gate.logRefusal(l.srv.cfg.Logger, now, why)
			return
		}
		l.reactor.arrive(slot)
		if l.srv.shared.gate.crowded() {
			l.ask() // the turn after this batch sends the oldest away
			l.srv.shared.gate.logRefusal(l.srv.cfg.Logger, now, ReasonPending)
		}
	}
}

// traffic offers the reactor what has been read, unless it is known to be too little.
func (l *loop) traffic(k *conn) gnet.Action {
	c := k.gnet
	slot := k.place.slot()
	if c.InboundBuffered() < int(k.need) && !l.reactor.fragment(slot) {
		return gnet.None
	}
	b, err := c.Peek(-1)
	if err != nil || len(b) == 0 {
		return gnet.None
	}
	consumed, need := l.reactor.receive(l.now(), slot, b)
	if k.gnet != c {
		return gnet.Close // ended within the call; for gnet this is then a no-op
	}
	k.need = int32(need)
	if consumed > 0 {
		_, _ = c.Discard(consumed) // zero would discard everything
	}
	return gnet.None
}

// closed is called for every connection once, by whatever ended it.
func (l *loop) closed(k *conn, err error) {
	l.reactor.closed(k.place.slot(), reasonForError(err))
	*k = conn{}
}

// reasonForError reads gnet's explanation. It is nil when our side closed: the reactor
// then knows better, and otherwise the engine is stopping.
func reasonForError(err error) Reason {
	switch {
	case err == nil:
		return ReasonShutdown
	case errors.Is(err, io.EOF):
		return ReasonPeerClosed
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ReasonPeerReset
	default:
		return ReasonIOError
	}
}

// The transport.

func (l *loop) Write(slot timingwheel.ID, b []byte) (queued int) {
	k := l.at(slot)
	c := k.gnet
	if _, err := c.Write(b); err != nil || k.gnet != c {
		return 0 // gnet has closed it and called OnClose
	}
	return c.OutboundBuffered()
}

func (l *loop) Queued(slot timingwheel.ID) int { return l.at(slot).gnet.OutboundBuffered() }

func (l *loop) Held(slot timingwheel.ID) int { return l.at(slot).gnet.InboundBuffered() }

func (l *loop) Unread(slot timingwheel.ID) int { return unreadBytes(l.at(slot).gnet.Fd()) }

func (l *loop) RemoteAddr(slot timingwheel.ID) netip.Addr {
	if tcp, ok := l.at(slot).gnet.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}

func (l *loop) FinishWrite(slot timingwheel.ID) {
	_ = syscall.Shutdown(l.at(slot).gnet.Fd(), syscall.SHUT_WR) // fails if the peer is gone: its event follows
}

func (l *loop) Close(slot timingwheel.ID) { _ = l.el.Close(l.at(slot).gnet) }

func (l *loop) Abort(slot timingwheel.ID) {
	c := l.at(slot).gnet
	_ = c.SetLinger(0)
	_ = l.el.Close(c)
}

// events is gnet's event handler.
type events struct {
	gnet.BuiltinEventEngine
	srv *Server
}

func (e *events) OnBoot(engine gnet.Engine) gnet.Action {
	e.srv.engine = engine
	return gnet.None
}

func (e *events) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	l, err := e.srv.loopFor(c.EventLoop())
	if err != nil {
		e.srv.cfg.Logger.Error("no reactor for an event loop", slog.Any("err", err))
		return nil, gnet.Close
	}
	l.accept(c)
	return nil, gnet.None
}

func (e *events) OnTraffic(c gnet.Conn) gnet.Action {
	k, ok := c.Context().(*conn)
	if !ok {
		return gnet.Close
	}
	return e.srv.loopAt(k.place).traffic(k)
}

func (e *events) OnClose(c gnet.Conn, err error) gnet.Action {
	if k, ok := c.Context().(*conn); ok && k.gnet == c {
		e.srv.loopAt(k.place).closed(k, err)
	}
	return gnet.None
}

// OnTick runs on one goroutine of the engine, off every loop. Zero would make it spin.
func (e *events) OnTick() (time.Duration, gnet.Action) { return e.srv.tick(), gnet.None }
