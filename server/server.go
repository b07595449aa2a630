package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/entry"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
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
	cfg  Config           // as New was given it, with defaults; what may change is in tuned
	base time.Time        // origin of all monotonic times
	wall func() time.Time // the time of day, of which no deadline depends. Tests set it

	started atomic.Bool
	barred  bool          // guarded by mu: Stop came before Start
	addr    string        // of the first listener; set before ready is closed
	claims  []*addrClaim  // one for each listener, nil: it is a unix socket; likewise
	unix    *unixSockets  // nil: in memory; likewise
	ready   chan struct{} // closed when every loop listens
	done    chan struct{} // closed when the engine has ended
	err     error         // why; set before done is closed

	nowhere *addrClaim // gnet wants a listener where all are unix sockets: nobody is let in by it; nil: there is another

	engine  stopper // set before ready is closed
	node    *gate.Node
	auth    *authPool // nil: everybody may come in; set before ready is closed
	halting sync.Once // gnet refuses to be stopped twice

	memory   func() (used int64, ok bool) // what the process uses
	collect  func()                       // gives back what was closed for want of it
	refusals refusals
	rejects  rejects

	entry *entry.Config     // what stands between sockets and frames; nil: connections are plain
	tls   *handshake.Config // nil: there is none
	terms []int             // which of its configurations a listener has, by the listener

	tlsPanics seldom // of its callbacks
	away      *awayPool
	stage     func() transport.Stage // makes another in its place, of a loop. Tests set it

	// The ticker's.
	overloadLog time.Duration // when overload was last logged, 0: never
	overloadDue bool          // it began, and nobody has waited yet
	lookedAt    time.Duration // when it last looked at the loops
	tickDue     time.Duration // when the coming tick is
	prompt      gate.Promptness
	held        seldom // loops that a handler held

	tuning sync.Mutex            // one Update at a time
	tuned  atomic.Pointer[tuned] // what holds since the last
	gated  *tuned                // what the gates go by; the ticker's, as the two below
	logged *tuned                // what was last logged
	level  string                // of the log, when that was
	logAt  time.Duration         // when another may be

	mu    sync.Mutex // guards adding to loops, and who comes first of Start and Stop
	loops atomic.Pointer[[]*loop]

	inMemory bool // there are no sockets
}

// New returns a node that is not listening yet. The error names the field of cfg that
// makes no sense. A handler that needs the node may use a variable that is assigned before Run
// or Start is called.
func New(cfg Config) (*Server, error) {
	t, err := newTuned(cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:   t.cfg,
		base:  time.Now(),
		wall:  time.Now,
		ready: make(chan struct{}),
		done:  make(chan struct{}),

		prompt: gate.Promptness{Limit: gate.PromptLimit},
		away:   newAwayPool(),
		gated:  t,
		logged: t,
		level:  lowestLevel(t.cfg.Logger),
	}
	s.tuned.Store(t)
	if err := s.setTLS(); err != nil {
		return nil, err
	}
	s.node = gate.NewNode(s.cfg.gate(), rand.Reader)
	s.setMemory()
	s.loops.Store(new([]*loop))
	return s, nil
}

// Start binds the addresses and returns when every loop listens, or with the reason why
// not: an address that is taken is reported as the net package reports it.
func (s *Server) Start() error {
	if err := s.begin(); err != nil {
		return err
	}
	var err error
	if err = s.claim(); err != nil {
		s.err = err
		close(s.done)
		return err
	}
	defer releaseAll(s.claims)
	defer s.nowhere.release()
	s.addr, s.entry = s.addrOf(0), s.entryConfig()
	limit, used := machine.Descriptors()
	urls := s.urls()
	return s.launch(limit, used+s.unix.descriptors(), func(handler gnet.EventHandler) error {
		return gnet.Rotate(handler, urls,
			gnet.WithNumEventLoop(s.cfg.Loops),
			gnet.WithReusePort(true), // a loop then accepts one at a time and can refuse
			gnet.WithReuseAddr(true),
			gnet.WithTicker(true),
			gnet.WithReadBufferCap(readBuffer),
			gnet.WithSocketSendBuffer(sendBuffer),
			gnet.WithLogger(gnetLogger{s.cfg.Logger}))
	})
}

// claim claims all addresses, or none.
func (s *Server) claim() (err error) {
	all := s.cfg.listeners()
	if s.claims, err = claimAll(all); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.claims, func(c *addrClaim) bool { return c != nil }) {
		s.nowhere, err = claimAddr("127.0.0.1:0")
	}
	if err == nil {
		s.unix, err = claimUnixAll(s, all)
	}
	if err != nil {
		releaseAll(s.claims)
		s.nowhere.release()
	}
	return err
}

// urls are the addresses that gnet is given.
func (s *Server) urls() (urls []string) {
	for _, c := range append(s.claims, s.nowhere) {
		if c != nil {
			urls = append(urls, c.url)
		}
	}
	return urls
}

// launch runs the event loops and waits for the ticker, or their end. limit is how many
// descriptors there may be, and used how many there are.
func (s *Server) launch(limit, used int, run func(gnet.EventHandler) error) error {
	s.node.Name = []byte(s.cfg.Node)
	if len(s.node.Name) == 0 {
		s.node.Name = []byte(s.addr[max(0, len(s.addr)-codec.MaxNode):]) // a path's end tells more than its begin
	}
	s.node.Conns = gate.NewConns(limit, used, s.cfg.Loops, loopDescriptors+len(s.cfg.Listeners), s.tuned.Load().cfg.MaxConns)
	if s.cfg.Auth != nil {
		s.auth = newAuthPool(&s.cfg, s.node.Conns.MaxPending.Load())
	} else {
		s.cfg.Logger.Warn("no authenticator: every client id is let in")
	}
	s.watchMemory(s.now()) // the first who comes may be one too many
	go func() { s.finish(run(&events{srv: s})) }()
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
	turnTime    = time.Millisecond
	hurriedTurn = 20 * time.Millisecond // of a node that stops at once
	debtDelay   = 2 * time.Millisecond  // from a turn that did not finish to the next
	// loopDescriptors is what an event loop needs: epoll, eventfd, listener, and the two ends of
	// what it rests by. It has more listeners if there are Listeners.
	loopDescriptors = 5
	// readBuffer is a loop's, not a connection's: it bounds what one event reads, and so
	// how long one talkative client keeps the others waiting.
	readBuffer = 64 << 10
	// sendBuffer is a connection's in the kernel. Left to grow by itself, it would pin
	// megabytes for a slow reader before the first byte of its backlog is seen.
	sendBuffer = 64 << 10
)

// abandon tells a loop's last outcomes, also if a function that is told ends its goroutine.
func abandon(r *reactor.Reactor) {
	for over := false; !over; {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.Abandon()
			over = true
		}()
		<-ended
	}
}

// finish records how the engine ended. gnet returns nil even when accept has failed for
// good, so only a Stop of our own makes the end a good one.
func (s *Server) finish(err error) {
	switch {
	case err != nil:
		s.err = fmt.Errorf("server: %w", err)
	case !s.node.Stopping.Load():
		s.err = ErrEngine
	}
	if s.auth != nil {
		s.auth.stop()
	}
	s.away.stop()
	for _, l := range *s.loops.Load() {
		l.again.Stop()
		if l.dead.Load() {
			s.err = ErrGoexit
			l.bury()
		}
		if err == nil { // gnet has waited for its loops
			abandon(l.reactor)
			_ = l.reactor.Release() // what the kernel refuses to take back stays
		}
	}
	if s.unix != nil {
		s.unix.end()
	}
	close(s.done)
}

// Addr returns the address that was bound, with the port that was chosen, or "unix:" and the path,
// the first of Listeners; empty before Start has returned.
func (s *Server) Addr() string {
	if !s.isReady() {
		return ""
	}
	return s.addr
}

// Addrs returns all addresses that were bound, in the order of Config.Listeners.
func (s *Server) Addrs() []string {
	if !s.isReady() {
		return nil
	}
	return s.addrs()
}

func (s *Server) addrs() []string {
	addrs := []string{s.addr}
	for i := 1; i < len(s.claims); i++ {
		addrs = append(addrs, s.addrOf(i))
	}
	return addrs
}

// addrOf is where a listener listens.
func (s *Server) addrOf(i int) string {
	if c := s.claims[i]; c != nil {
		return c.addr
	}
	return s.cfg.listeners()[i].Addr
}

// Node returns the node's name; before Start has returned, the one that was configured.
func (s *Server) Node() string {
	if !s.isReady() {
		return s.cfg.Node
	}
	return string(s.node.Name)
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
	st := Stats{Node: s.Node(), Loops: len(loops), Window: s.node.Window.Length(),
		MaxQueuedTotal: s.node.Budget.Max, MemoryLimit: s.node.Memory.Limit,
		MemoryUsed: s.node.Memory.Used(), MemoryState: s.node.Memory.Level().String()}
	if s.isReady() {
		st.MaxConns = int(s.node.Conns.Max.Load())
		st.Pending, st.MaxPending = s.node.Conns.Pending(), s.node.Conns.MaxPending.Load()
		st.Lingering = s.node.Conns.Lingering()
		if s.auth != nil {
			st.AuthWaiting = len(s.auth.jobs)
		}
	}
	now := time.Since(s.base)
	st.AdmissionQueue = s.node.Queue.Ahead(now)
	st.Pace = s.node.Load.Pace()
	st.HelloWait = s.node.Load.Waited()
	st.LoopLate = s.node.Load.Late()
	st.TakenWindows = s.node.Senders.Len()
	st.Stretch = int(max(1, s.node.Load.Stretch()))
	s.tlsStats(&st)
	for _, l := range loops {
		c := l.snapshot()
		st.add(&c)
		st.PostsRefused += l.reactor.Mailbox().Refused()
		st.Age = max(st.Age, now-c.SnapshotAt)
	}
	return st
}

// loopOf returns the loop of a connection.
func (s *Server) loopOf(c *reactor.Session) *loop { return (*s.loops.Load())[c.Loop()] }

// loopUnder returns the loop of a connection's event loop, made at its first connection: gnet tells
// its event loops only through their connections. c is one of them.
func (s *Server) loopUnder(c gnet.Conn) (*loop, error) {
	el := c.EventLoop()
	for _, l := range *s.loops.Load() {
		if l.el == el {
			return l, nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	loops := *s.loops.Load()
	l, err := newLoop(s, el, uint8(len(loops)), s.listenersBeside(c.Fd()))
	if err != nil {
		return nil, err
	}
	if s.inMemory || s.node.Stopping.Load() {
		close(l.rest.settled)
	} else {
		l.watchBell()
	}
	grown := append(loops[:len(loops):len(loops)], l)
	s.loops.Store(&grown)
	return l, nil
}
