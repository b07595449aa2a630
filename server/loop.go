package server

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// loop ties one gnet event loop to its reactor: it is the reactor's transport and the
// task that the ticker sends to the event loop.
type loop struct {
	srv   *Server
	el    gnet.EventLoop
	index uint8

	// Owned by the event loop.
	reactor  *reactor.Reactor
	app      *application
	conns    []*[connChunk]gnet.Conn
	reading  gnet.Conn // the one whose callback runs, so that its answer needs no look at conns
	readSlot reactor.Slot
	readAt   time.Duration
	began    time.Duration           // when the present turn began
	behind   time.Duration           // how long after it was asked for
	ended    time.Duration           // when the last one ended
	yielded  time.Duration           // when other goroutines were last let run, in a chain of turns
	turnOver func(reactor.Part) bool // l.over, bound once
	staged   *staged                 // nil: all connections are plain
	tuned    *tuned                  // what it goes by
	peers    map[reactor.Slot]Peer   // of connections by unix sockets; nil: there was none
	looked   looks                   // what the kernel told of the connections that were accepted last

	// Owned by the ticker.
	listeners []int         // its listening sockets, those that are known
	backlog   int           // how many may wait there, 0: it was not set yet
	meter     gate.Meter    // of what is taken out of there, whether it says a HELLO or not
	delayed   time.Duration // how late the loop was, as of the last look

	// Any goroutine.
	asked  atomic.Int64  // when the turn that is on its way was asked for, since the server's start; 0: none is
	waited atomic.Int64  // the longest that a HELLO waited since the ticker last looked
	late   atomic.Int64  // and that a turn did
	taken  atomic.Uint64 // what was taken out of the accept queues, in the units of gate.CostOfTaken
	told   atomic.Bool   // the node stops, and all clients of the loop know
	dead   atomic.Bool   // a handler has ended its goroutine
	again  *time.Timer   // asks for the next turn when one did not finish
	rest   rest          // between turns that follow each other; its state alone is any goroutine's

	mu   sync.Mutex
	last Counters // guarded by mu: copied at the end of a turn
}

func newLoop(s *Server, el gnet.EventLoop, index uint8, listeners []int) (*loop, error) {
	l := &loop{srv: s, el: el, index: index, listeners: listeners, tuned: s.tuned.Load()}
	l.last.SnapshotAt = l.now() // it was not stuck before it was there
	l.again = time.AfterFunc(time.Hour, l.goOn)
	l.again.Stop()
	l.turnOver = l.over
	l.rest.settled = make(chan struct{})
	var err error
	l.app = &application{handler: &s.cfg.Handler, node: s.Node(), epoch: s.node.Epoch, log: s.cfg.Logger, wall: s.wall, exited: l.exited, refused: s.logRefusal,
		live: s.live, keeps: s.node.Roster != nil || s.auth != nil, alternates: l.tuned.cfg.Alternates}
	env := reactor.Env{Node: s.node, Loop: index, Transport: l, App: l.app, Forward: s.forward, Tell: s.tell, Wall: s.wall}
	if s.auth != nil {
		env.Ask = l
	}
	if l.reactor, err = reactor.New(l.tuned.reactor, env, l.now()); err != nil {
		return nil, err
	}
	l.app.r, l.app.ask, l.app.peer, l.app.carrier = l.reactor, l.ask, l.peer, l.plainCarrier
	switch {
	case s.stage != nil:
		l.staged = newStaged(l, s.stage())
	case s.entry != nil:
		l.staged = newEntry(l, *s.entry)
		l.app.carrier = l.staged.carrier
	}
	return l, nil
}

// exited is called on the loop's goroutine when it is about to end. The others stop in order.
func (l *loop) exited() {
	l.dead.Store(true)
	l.told.Store(true) // nobody can tell its clients any more
	go func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = l.srv.Stop(ctx) // Wait says why
	}()
}

// bury closes the connections of a loop that ended without gnet's knowledge, so that its clients
// notice. The engine has ended.
func (l *loop) bury() {
	if c := l.rest.conn; c != nil {
		_ = syscall.Close(c.Fd())
		_ = syscall.Close(l.rest.bell)
	}
	for _, chunk := range l.conns {
		for _, c := range chunk {
			if c != nil {
				_ = syscall.Close(c.Fd())
			}
		}
	}
}

func (l *loop) now() time.Duration { return time.Since(l.srv.base) }

// traffic offers the reactor what has been read, unless it is known to be too little.
func (l *loop) traffic(c gnet.Conn, s *reactor.Session) gnet.Action {
	if s.Staged() {
		return l.staged.traffic(c, s)
	}
	if !l.reactor.Offer(s, c.InboundBuffered()) {
		return unlessFree(s)
	}
	b, err := c.Peek(-1)
	if err != nil || len(b) == 0 {
		return gnet.None
	}
	l.reading, l.readSlot, l.readAt = c, s.Slot(), l.now()
	consumed := l.reactor.Receive(l.readAt, l.readSlot, b)
	l.reading = nil
	if !s.Free() && consumed > 0 {
		_, _ = c.Discard(consumed) // zero would discard everything
	}
	return unlessFree(s)
}

// unlessFree is what gnet shall do after a call in which a connection may have ended; to close
// it once more is then a no-op.
func unlessFree(s *reactor.Session) gnet.Action {
	if s.Free() {
		return gnet.Close
	}
	return gnet.None
}

// closed is called for every connection once, by whatever ended it.
func (l *loop) closed(slot reactor.Slot, err error) {
	l.reactor.Closed(slot, reasonForError(err))
	if l.staged != nil {
		l.staged.lines.End(uint32(slot))
	}
	delete(l.peers, slot)
	*l.entry(slot) = nil
}
