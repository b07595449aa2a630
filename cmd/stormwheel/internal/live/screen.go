package live

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/stormwheel/stormwheel/bench"
)

// Screen is a terminal that shows a run. It takes the terminal at the first update, so that
// a run which does not begin leaves no trace, and gives it back with Close. All methods are
// safe for concurrent use.
type Screen struct {
	in, out *os.File
	closeIn bool
	saved   *term.State
	program *tea.Program

	mu      sync.Mutex
	begun   bool
	closed  bool
	failed  error // the program ended by itself: plain lines from then on
	waiting []bench.Update
	said    []bench.Update // events, for the normal screen

	news chan struct{} // holds one: waiting has grown
	done chan struct{} // closed when the terminal is given back
}

// framesPerSecond bounds how often the screen is written; it changes once a second, and with
// events, sizes and keys.
const framesPerSecond = 10

// maxWaiting is how many updates wait for a terminal that does not take them.
const maxWaiting = 1024

// Open prepares to show on out; nil if it is no terminal that could. stop ends the run early,
// kill at once.
func Open(out *os.File, stop, kill func()) *Screen {
	if !capable(out) {
		return nil
	}
	s := &Screen{in: os.Stdin, out: out, news: make(chan struct{}, 1), done: make(chan struct{})}
	if !term.IsTerminal(int(s.in.Fd())) {
		tty, err := os.Open("/dev/tty")
		if err != nil {
			return nil
		}
		s.in, s.closeIn = tty, true
	}
	s.saved, _ = term.GetState(int(s.in.Fd())) // restored if there is one
	s.program = tea.NewProgram(newModel(newLook(os.Getenv), keys{stop, kill, canBeWoken()}),
		tea.WithInput(s.in), tea.WithOutput(out), tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond))
	return s
}

// capable: a terminal that can place its cursor, and is ours to use: a job in the background
// would be stopped.
func capable(out *os.File) bool {
	name := os.Getenv("TERM")
	return term.IsTerminal(int(out.Fd())) && name != "" && name != "dumb" && inForeground(out)
}

// Watch is for bench.View.
func (s *Screen) Watch(u bench.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if u.Event != "" {
		s.said = append(s.said, u)
	}
	s.waiting = keep(append(s.waiting, u), maxWaiting)
	select {
	case s.news <- struct{}{}:
	default:
	}
	if !s.begun {
		s.begun = true
		go s.run()
	}
}

// Write takes the lines of bench.View.Progress. They are for a terminal whose screen has
// failed.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	if failed == nil {
		return len(p), nil
	}
	return s.out.Write(p)
}

func (s *Screen) run() {
	defer close(s.done)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := s.program.Run()
		s.mu.Lock()
		if err != nil && !s.closed {
			s.failed = fmt.Errorf("the live view ended: %w", err)
		}
		s.mu.Unlock()
		s.restore()
	}()
	for {
		select {
		case <-ended:
			return
		case <-s.news:
		}
		s.mu.Lock()
		batch := updates(s.waiting)
		s.waiting = nil
		s.mu.Unlock()
		if len(batch) > 0 {
			s.program.Send(batch)
		}
	}
}

// restore makes sure of what the program has done already, and forgets late answers of
// the terminal, which the shell would take for typed.
func (s *Screen) restore() {
	forgetInput(s.in)
	if s.saved != nil {
		_ = term.Restore(int(s.in.Fd()), s.saved)
	}
}

// Close gives the terminal back, and tells on the normal screen what has happened. It may
// be repeated, and s may be nil.
func (s *Screen) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	begun, closed, said, failed := s.begun, s.closed, s.said, s.failed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	if begun {
		s.program.Quit()
		<-s.done
	}
	if s.closeIn {
		_ = s.in.Close()
	}
	if failed != nil { // the lines were shown as they came
		_, err := fmt.Fprintln(s.out, failed)
		return err
	}
	for _, u := range said {
		if _, err := fmt.Fprintf(s.out, "%6.1fs  * %s\n", u.At.Seconds(), u.Event); err != nil {
			return err
		}
	}
	return nil
}

// Abandon gives the terminal back for a process that is about to end. A terminal that takes
// nothing any more is not waited for.
func (s *Screen) Abandon() {
	if s == nil {
		return
	}
	s.mu.Lock()
	begun := s.begun && !s.closed
	s.closed = true
	s.mu.Unlock()
	if !begun {
		return
	}
	go s.program.Kill()
	select {
	case <-s.done:
	case <-time.After(time.Second):
		s.restore()
	}
}

var _ io.Writer = (*Screen)(nil)
