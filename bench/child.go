package bench

import (
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// child is a process of ours: a node or a worker. It dies with us: by stop, or by the
// kernel's hand (Pdeathsig) if this process goes without it.
type child struct {
	pid    int
	cmd    *exec.Cmd
	stderr tail
	asked  atomic.Bool   // its death is our doing
	done   chan struct{} // closed when it is reaped; exit may be read then
	exit   error
}

// launch starts cmd with its standard output going to out, which is closed at its end.
func (c *child) launch(cmd *exec.Cmd, out io.WriteCloser) error {
	cmd.Stdout, cmd.Stderr = out, &c.stderr
	cmd.SysProcAttr = childAttributes()
	c.cmd, c.done = cmd, make(chan struct{})
	started := make(chan error)
	go func() {
		// Pdeathsig fires when the thread that forked ends, so this one stays until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			c.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			c.exit = cmd.Wait()
		}
		out.Close()
		close(c.done)
	}()
	return <-started
}

// signal sends sig; a death that follows is our doing.
func (c *child) signal(sig syscall.Signal) error {
	c.asked.Store(true)
	return c.cmd.Process.Signal(sig)
}

// kill ends it, if it was ever started, without waiting.
func (c *child) kill() {
	c.asked.Store(true)
	if c.pid != 0 {
		_ = c.cmd.Process.Kill() // it may be gone already
	}
}

// reap waits for its end.
func (c *child) reap() {
	if c.pid != 0 {
		<-c.done
	}
}

// tail keeps the end of what a child wrote to stderr.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailBytes = 2048

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if over := len(t.end) - tailBytes; over > 0 {
		t.end = t.end[:copy(t.end, t.end[over:])]
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.end))
}

// last is its last lines, indented, with a line break before them; empty when there are none.
func (t *tail) last() string {
	text := t.text()
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-5):]
	return "\n  | " + strings.Join(lines, "\n  | ")
}
