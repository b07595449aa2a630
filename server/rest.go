package server

import (
	"context"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// A loop whose work is not done lets its sockets have their turn, and goes on at once. gnet has no
// word for that: it runs tasks until there are none, those that ask for themselves included,
// before it looks at a socket again. So a loop has a socket of its own. A byte for it is there
// when gnet looks at all that are ready, and asks for the next turn from among them. A timer would
// do so too, but a Go process that has nothing else to do sleeps a millisecond at least.

// rest is the time between two turns that follow each other.
type rest struct {
	state   atomic.Int32
	conn    gnet.Conn     // the end that gnet watches; nil: it does not. The loop's
	bell    int           // the other end. The loop's
	settled chan struct{} // closed when gnet watches it, or will not
}

const (
	restNot  int32 = iota
	restOnly       // no turn follows, unless somebody wants one
	restWork       // one does
)

const (
	// soonAfter is the time within which a turn follows another, as one of a chain may.
	soonAfter = 50 * time.Microsecond
	// restTime is how long a loop without a socket rests.
	restTime = 50 * time.Microsecond
	// goSlice is how long a loop that does not sleep goes on before it lets other goroutines run:
	// Go would interrupt it after 10 ms, wherever it is.
	goSlice = 5 * time.Millisecond
)

// want has a turn follow. Any goroutine.
func (r *rest) want() {
	if r.state.Load() == restOnly {
		r.state.CompareAndSwap(restOnly, restWork)
	}
}

// yield ends a turn. Until the sockets have had theirs nobody asks for the next, which follows
// if there is work.
func (l *loop) yield(work bool) {
	r := &l.rest
	l.asked.Store(max(1, int64(l.ended)))
	r.state.Store(restOnly)
	if work || l.posting() {
		r.state.Store(restWork)
	}
	switch {
	case l.srv.inMemory: // there a task that asks for itself comes behind all that is there
		l.goOn()
		return
	case r.conn == nil:
		l.again.Reset(restTime)
		return
	}
	if _, err := syscall.Write(r.bell, []byte{1}); err != nil {
		l.again.Reset(restTime)
	}
}

// goOn ends a rest, if there is one, or asks for a turn. Any goroutine.
func (l *loop) goOn() {
	switch l.rest.state.Swap(restNot) {
	case restNot:
		l.ask()
	case restWork:
		l.execute()
	case restOnly:
		l.asked.Store(0)
		if !l.reactor.Mailbox().Empty() || l.staged != nil && l.staged.pending() {
			l.ask()
		}
	}
}

// watchBell has gnet watch a socket for the loop's rests. gnet does so in a goroutine of its own, and
// on the loop; the timer does until then, and for good if it cannot.
func (l *loop) watchBell() {
	near, far, err := socketPair()
	if err != nil {
		close(l.rest.settled)
		return
	}
	done, err := l.el.Enroll(gnet.NewContext(context.Background(), &bell{l: l, fd: near}), far)
	if err != nil {
		_ = far.Close()
		_ = syscall.Close(near)
		close(l.rest.settled)
		return
	}
	go func() {
		<-done // opened was called before, if it is at all
		select {
		case <-l.rest.settled:
		default:
			_ = syscall.Close(near)
			close(l.rest.settled)
		}
	}()
}

// bell is what gnet keeps of that socket.
type bell struct {
	l  *loop
	fd int // the other end
}

// opened, rung and closed are gnet's callbacks for it, on the loop.
func (b *bell) opened(c gnet.Conn) {
	b.l.rest.conn, b.l.rest.bell = c, b.fd
	close(b.l.rest.settled)
}

func (b *bell) rung(c gnet.Conn) {
	_, _ = c.Discard(c.InboundBuffered())
	if l := b.l; l.ended-l.yielded > goSlice {
		runtime.Gosched()
		l.yielded = l.now()
	}
	b.l.goOn()
}

func (b *bell) closed() {
	b.l.rest.conn = nil
	_ = syscall.Close(b.fd)
}

// socketPair is two ends of a connection, of which the first does not block.
func socketPair() (near int, far net.Conn, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		syscall.ForkLock.RUnlock()
		return 0, nil, err
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	syscall.ForkLock.RUnlock()
	if err = syscall.SetNonblock(fds[0], true); err == nil {
		f := os.NewFile(uintptr(fds[1]), "rest")
		far, err = net.FileConn(f)
		_ = f.Close()
	}
	if err != nil {
		_ = syscall.Close(fds[0])
	}
	return fds[0], far, err
}
