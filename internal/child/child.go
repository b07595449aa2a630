package child

import (
	"errors"
	"io"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Child is a process of ours. Program.Command makes one; it starts once.
type Child struct {
	PID int // 0 before it has started

	cmd     *exec.Cmd
	crowded bool
	slack   time.Duration
	stdin   io.WriteCloser // nil: it has none
	stderr  tail
	lines   chan string   // what it says, if Start started it; closed at the end of that
	tooLong bool          // a line of it; read when lines is closed
	asked   atomic.Bool   // its death is our doing
	done    chan struct{} // closed when it is reaped; exit may be read then
	exit    error
}

// Pipe gives it a standard input, before it starts; without, it has none. Close it for the
// child to see its end; the child's own end closes it too.
func (c *Child) Pipe() (io.WriteCloser, error) {
	in, err := c.cmd.StdinPipe()
	c.stdin = in
	return in, err
}

// Launch starts it with its standard output going to out, which is closed at its end.
func (c *Child) Launch(out io.WriteCloser) error {
	c.cmd.Stdout = out
	started := make(chan error)
	go func() {
		// Pdeathsig fires when the thread that forked ends, so this one stays until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		undo, exact := func() {}, func() {}
		if c.crowded {
			undo = withoutPreemption()
		}
		if c.slack > 0 {
			exact = withSlack(c.slack)
		}
		err := c.cmd.Start()
		undo()
		exact()
		if err == nil {
			c.PID = c.cmd.Process.Pid
		}
		started <- err
		if err == nil {
			c.exit = c.cmd.Wait()
		}
		out.Close()
		close(c.done)
	}()
	return <-started
}

// Signal sends sig, which is not meant to end it: a death is unasked all the same.
func (c *Child) Signal(sig syscall.Signal) error { return c.cmd.Process.Signal(sig) }

// End sends sig, which is meant to end it: a death that follows is our doing.
func (c *Child) End(sig syscall.Signal) error {
	c.asked.Store(true)
	return c.Signal(sig)
}

// Kill ends it, if it was ever started, without waiting.
func (c *Child) Kill() {
	c.asked.Store(true)
	if c.PID != 0 {
		_ = c.cmd.Process.Kill() // it may be gone already
	}
}

// Reap waits for its end, if it was ever started.
func (c *Child) Reap() {
	if c.PID != 0 {
		<-c.done
	}
}

// Close kills and reaps it. It may be repeated.
func (c *Child) Close() {
	c.Kill()
	c.Reap()
}

// Done is closed when it has ended and is reaped.
func (c *Child) Done() <-chan struct{} { return c.done }

// Unasked says, of one that has ended, that neither End nor Kill came before.
func (c *Child) Unasked() bool { return !c.asked.Load() }

// Exit says, of one that is Done, how it ended: nil is exit status 0, as for exec.Cmd.
func (c *Child) Exit() error { return c.exit }

// How is Exit for a message: exit status 0 is said as well.
func (c *Child) How() error {
	if c.exit == nil {
		return errors.New("exit status 0")
	}
	return c.exit
}

// killed says that a signal has ended it.
func (c *Child) killed() bool {
	select {
	case <-c.done:
	default:
		return false
	}
	var exit *exec.ExitError
	return errors.As(c.exit, &exit) && exit.ExitCode() < 0
}
