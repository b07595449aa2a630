package server

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// Errors of a node's life.
var (
	// ErrEngine is returned by Wait and Run when the event loops ended although nobody
	// called Stop, for instance because accept failed for good.
	ErrEngine = errors.New("server: the event loops ended by themselves")
	// ErrStarted is returned by Start when it was called before.
	ErrStarted = errors.New("server: already started")
	// ErrStopped is returned by Start when Stop or Drain was called before it.
	ErrStopped = errors.New("server: stopped before it was started")
	// ErrNotStarted is returned by Wait when Start was not called yet.
	ErrNotStarted = errors.New("server: not started")
)

// Server is one node. Its methods may be called from any goroutine.
type Server struct {
	cfg  Config
	base time.Time // origin of all monotonic times

	started atomic.Bool
	barred  bool          // guarded by mu: Stop came before Start
	addr    string        // set before ready is closed
	ready   chan struct{} // closed when every loop listens
	done    chan struct{} // closed when the engine has ended
	err     error         // why; set before done is closed

	engine   gnet.Engine // set before ready is closed
	shared   shared
	auth     *authPool // nil: everybody may come in; set before ready is closed
	stopping atomic.Bool
	hurry    atomic.Bool // it stops at once: loops have nothing better to do than to say so
	halting  sync.Once   // gnet refuses to be stopped twice

	drainLinger time.Duration // tests shorten it
	alike       bool          // the nodes that would take over are like this one: nobody said what they can take
	overloadLog time.Duration // when overload was last logged, 0: never; the ticker's

	mu    sync.Mutex // guards adding to loops, and who comes first of Start and Stop
	loops atomic.Pointer[[]*loop]
}

// shared is what every reactor of a node reads.
type shared struct {
	epoch      uint64 // random per start, so that old session ids match nothing
	node       []byte
	alternates []byte
	gate       *connGate // set before the engine runs
	silences   silences
	budget     budget
	memory     memory
	admission  *admission
	addrs      *limiter[netip.Addr]
	ids        *limiter[uint64]
	seals      *seals
	window     atomic.Int64  // the reconnect window, a time.Duration
	returnRate atomic.Uint64 // clients a second of those who would take them over, as bits of a float64
	load       load
	handover   handover
}

// New returns a node that is not listening yet. The error names the field of cfg that
// makes no sense.
func New(cfg Config) (*Server, error) {
	alike := cfg.FailoverRate == 0
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:   cfg,
		base:  time.Now(),
		ready: make(chan struct{}),
		done:  make(chan struct{}),

		drainLinger: drainLinger,
		alike:       alike,
	}
	var epoch [8]byte
	_, _ = rand.Read(epoch[:]) // never fails
	s.shared.epoch = binary.BigEndian.Uint64(epoch[:])
	s.shared.alternates = []byte(strings.Join(cfg.Alternates, ","))
	s.setMemory()
	s.shared.admission = newAdmission(cfg.AdmitRate)
	s.shared.addrs = newLimiter[netip.Addr](cfg.AddrConns, cfg.AddrRate)
	s.shared.ids = newLimiter[uint64](0, cfg.IDRate)
	s.shared.seals = newSeals(cfg.ClusterSecret)
	s.shared.load.begin(&s.cfg)
	s.shared.returnRate.Store(math.Float64bits(s.failoverRate()))
	s.loops.Store(new([]*loop))
	return s, nil
}

// Start binds the address and returns when every loop listens, or with the reason why
// not: an address that is taken is reported as the net package reports it.
func (s *Server) Start() error {
	if err := s.begin(); err != nil {
		return err
	}
	claim, err := claimAddr(s.cfg.Listen)
	if err != nil {
		s.err = err
		close(s.done)
		return err
	}
	defer claim.release()
	s.addr = claim.addr
	s.shared.node = []byte(s.cfg.Node)
	if len(s.shared.node) == 0 {
		s.shared.node = []byte(s.addr)
	}
	limit, used := machine.Descriptors()
	s.shared.gate = newGate(limit, used, s.cfg.Loops, s.cfg.MaxConns)
	if s.cfg.Auth != nil {
		s.auth = newAuthPool(&s.cfg, s.shared.gate.pendingMax)
	} else {
		s.cfg.Logger.Warn("no authenticator: every client id is let in")
	}
	go func() {
		err := gnet.Run(&events{srv: s}, claim.url,
			gnet.WithNumEventLoop(s.cfg.Loops),
			gnet.WithReusePort(true), // a loop then accepts one at a time and can refuse
			gnet.WithReuseAddr(true),
			gnet.WithTicker(true),
			gnet.WithReadBufferCap(readBuffer),
			gnet.WithSocketSendBuffer(sendBuffer),
			gnet.WithLogger(gnetLogger{s.cfg.Logger}))
		s.finish(err)
	}()
	select {
	case <-s.ready:
		return nil
	case <-s.done:
		return s.err
	}
}

// begin makes sure that a node is started once, and not after it was stopped.
func (s *Server) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.barred:
		return ErrStopped
	case s.started.Load():
		return ErrStarted
	}
	s.started.Store(true)
	return nil
}

const (
	// loopDescriptors is what an event loop needs: epoll, eventfd, listener.
	loopDescriptors = 3
	// readBuffer is a loop's, not a connection's: it bounds what one event reads, and so
	// how long one talkative client keeps the others waiting.
	readBuffer = 64 << 10
	// sendBuffer is a connection's in the kernel. Left to grow by itself, it would pin
	// megabytes for a slow reader before the first byte of its backlog is seen.
	sendBuffer = 64 << 10
)

// finish records how the engine ended. gnet returns nil even when accept has failed for
// good, so only a Stop of our own makes the end a good one.
func (s *Server) finish(err error) {
	switch {
	case err != nil:
		s.err = fmt.Errorf("server: %w", err)
	case !s.stopping.Load():
		s.err = ErrEngine
	}
	if s.auth != nil {
		s.auth.stop()
	}
	for _, l := range *s.loops.Load() {
		l.again.Stop()
		if l.dead.Load() {
			s.err = ErrGoexit
			l.bury()
		}
		if err == nil { // gnet has waited for its loops
			_ = l.reactor.wheel.Close() // what the kernel refuses to take back stays
		}
	}
	close(s.done)
}

// Addr returns the address that was bound, with the port that was chosen; empty before
// Start has returned.
func (s *Server) Addr() string {
	if !s.isReady() {
		return ""
	}
	return s.addr
}

// Node returns the node's name; before Start has returned, the one that was configured.
func (s *Server) Node() string {
	if !s.isReady() {
		return s.cfg.Node
	}
	return string(s.shared.node)
}

func (s *Server) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// Wait blocks until the node has ended. It returns nil after Stop and ErrEngine, or the
// engine's own error, otherwise; before Start it returns ErrNotStarted at once.
func (s *Server) Wait() error {
	if !s.started.Load() {
		return ErrNotStarted
	}
	<-s.done
	return s.err
}

// Stats returns the node's state. It waits for no loop.
func (s *Server) Stats() Stats {
	loops := *s.loops.Load()
	st := Stats{Node: s.Node(), Loops: len(loops), Window: time.Duration(s.shared.window.Load()),
		MaxQueuedTotal: s.shared.budget.max, MemoryLimit: s.shared.memory.limit,
		MemoryUsed: s.shared.memory.used.Load(), MemoryState: memoryLevel(s.shared.memory.level.Load()).String()}
	if s.isReady() {
		st.MaxConns = int(s.shared.gate.max)
		st.Pending, st.MaxPending = s.shared.gate.pending.Load(), s.shared.gate.pendingMax
		st.Lingering = s.shared.gate.lingering.Load()
		if s.auth != nil {
			st.AuthWaiting = len(s.auth.jobs)
		}
	}
	now := time.Since(s.base)
	st.AdmissionQueue = s.shared.admission.ahead(now)
	st.Pace = s.shared.load.readPace()
	st.HelloWait = time.Duration(s.shared.load.waited.Load())
	st.LoopLate = time.Duration(s.shared.load.late.Load())
	st.Stretch = int(max(1, s.shared.load.stretch.Load()))
	for _, l := range loops {
		c := l.snapshot()
		st.add(&c)
		st.PostsRefused += l.mailbox.refused.Load()
		st.Age = max(st.Age, now-c.SnapshotAt)
	}
	return st
}

// loopAt returns the loop of a place.
func (s *Server) loopAt(p place) *loop { return (*s.loops.Load())[p.loop()] }

// loopFor returns the loop of a connection's event loop, made at its first connection: gnet tells
// its event loops only through their connections. c is one of them.
func (s *Server) loopFor(c gnet.Conn) (*loop, error) {
	el := c.EventLoop()
	for _, l := range *s.loops.Load() {
		if l.el == el {
			return l, nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	loops := *s.loops.Load()
	l, err := newLoop(s, el, uint8(len(loops)), findListener(c.Fd()))
	if err != nil {
		return nil, err
	}
	grown := append(loops[:len(loops):len(loops)], l)
	s.loops.Store(&grown)
	return l, nil
}
