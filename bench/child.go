package bench

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// program is how nodes or workers are started.
type program struct {
	argv    []string
	crowded bool // its processes are far more than the processors
}

// crowd is from how many processes a processor on it pays to have fewer switches between
// them. They then do not preempt each other when they wake (SCHED_BATCH), and each has one
// processor for its goroutines, or each wakes threads only to look for work.
const crowd = 8

func crowded(processes int) bool { return processes > crowd*runtime.NumCPU() }

// command is one process of the program, not yet started.
func (p program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.argv[0], append(p.argv[1:len(p.argv):len(p.argv)], args...)...)
	cmd.Env = childEnvironment(os.Environ())
	if p.crowded && os.Getenv("GOMAXPROCS") == "" {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	}
	return cmd
}

// childEnvironment is ours without the variables that a node would take for its flags: a
// node has what the run says, and nothing that was meant for us.
func childEnvironment(ours []string) []string {
	return slices.DeleteFunc(ours, func(v string) bool { return strings.HasPrefix(v, "STORMWHEEL_") })
}

// child is a process of ours: a node or a worker. It dies with us: by stop, or by the
// kernel's hand (Pdeathsig) if this process goes without it.
type child struct {
	crowded bool // set before launch
	pid     int
	cmd     *exec.Cmd
	stderr  tail
	asked   atomic.Bool   // its death is our doing
	done    chan struct{} // closed when it is reaped; exit may be read then
	exit    error
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
		undo := func() {}
		if c.crowded {
			undo = withoutPreemption()
		}
		err := cmd.Start()
		undo()
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

// lastWords is the end of what it said, empty if somebody killed it: then that explains nothing.
func (c *child) lastWords() string {
	var exit *exec.ExitError
	if errors.As(c.exit, &exit) && exit.ExitCode() < 0 { // by a signal
		return ""
	}
	return c.stderr.last()
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
