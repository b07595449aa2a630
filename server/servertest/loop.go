package servertest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// loop is an event loop and its ticker: the engine of a node in memory. What comes to it is
// done on its goroutine, in the order in which it came.
type loop struct {
	gnet.EventLoop // nil: a node asks for Execute and Close only

	handler gnet.EventHandler
	conns   []*conn // all there were; the loop's
	random  io.Reader

	wake  chan struct{}      // holds one if jobs has some
	ticks chan struct{}      // asks for a tick ahead of its time
	stop  context.CancelFunc // ends both goroutines
	on    context.Context

	mu   sync.Mutex
	jobs []func() // guarded by mu
	busy bool     // guarded by mu: a job runs, or has ended the loop's goroutine
}

func newLoop() *loop {
	l := &loop{random: rand.NewChaCha8([32]byte{}), wake: make(chan struct{}, 1), ticks: make(chan struct{})}
	l.on, l.stop = context.WithCancel(context.Background())
	return l
}

// Run implements engine.Engine.
func (l *loop) Run(handler gnet.EventHandler) error {
	l.handler = handler
	var both sync.WaitGroup
	both.Go(l.work)
	both.Go(l.tickOn)
	<-l.on.Done() // although a handler may have ended the loop before
	both.Wait()
	for _, c := range l.conns {
		c.end("the node has ended")
	}
	return nil
}

// Stop implements engine.Engine.
func (l *loop) Stop(context.Context) error {
	l.stop()
	return nil
}

// Random implements engine.Engine: the same in every run.
func (l *loop) Random() io.Reader { return l.random }

// work is the event loop. When it is stopped it closes what is open.
func (l *loop) work() {
	for {
		select {
		case <-l.on.Done():
			for _, c := range l.conns {
				_ = l.Close(c)
			}
			return
		case <-l.wake:
		}
		for job := l.next(); job != nil; job = l.next() {
			job()
		}
	}
}

func (l *loop) next() (job func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy = len(l.jobs) > 0; l.busy {
		job, l.jobs = l.jobs[0], l.jobs[1:]
	}
	return job
}

// rests says that the loop is there and has nothing to do.
func (l *loop) rests() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.busy && len(l.jobs) == 0 && l.on.Err() == nil
}

// do has the loop do something soon. Any goroutine may call it.
func (l *loop) do(job func()) {
	l.mu.Lock()
	l.jobs = append(l.jobs, job)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// tickOn is the ticker.
func (l *loop) tickOn() {
	for {
		delay, _ := l.handler.OnTick()
		select {
		case <-l.on.Done():
			return
		case <-l.ticks:
		case <-time.After(delay):
		}
	}
}

// tick has the ticker tick now.
func (l *loop) tick() {
	select {
	case l.ticks <- struct{}{}:
	case <-l.on.Done():
	}
}

var errEnded = errors.New("servertest: the node has ended")

// Execute implements gnet.EventLoop.
func (l *loop) Execute(ctx context.Context, r gnet.Runnable) error {
	if l.on.Err() != nil {
		return errEnded
	}
	l.do(func() { _ = r.Run(ctx) })
	return nil
}

// Close implements gnet.EventLoop. It is called on the loop.
func (l *loop) Close(c gnet.Conn) error {
	own := c.(*conn)
	how := "the node closed the connection"
	if own.reset {
		how = "the node reset the connection"
	}
	own.hangUp(nil, how)
	return nil
}

// open opens a connection. It reports whether the node is still there.
func (l *loop) open(c *conn) bool {
	if l.on.Err() != nil {
		return false
	}
	l.do(func() {
		l.conns = append(l.conns, c)
		if _, action := l.handler.OnOpen(c); action == gnet.Close {
			_ = l.Close(c)
		}
	})
	return true
}
