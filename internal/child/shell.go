package child

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Shell is a command line of the user's, run by sh in a process group of its own. It is the user's: what it leaves
// running in the background goes on when it has ended, and it does not end with us.
type Shell struct {
	cmd   *exec.Cmd
	said  *os.File // what it writes; a file, since who goes on in the background must not find a broken pipe
	began time.Time
	done  chan struct{} // closed when it is reaped; the next two may be read then
	took  time.Duration
	exit  error

	mu   sync.Mutex
	read int64  // of said
	part []byte // of a line that is not at its end
}

// mostSaid is how much of what a command writes is kept on disk at a time.
const mostSaid = 1 << 20

// RunShell starts a command line. Remove releases what it holds.
func RunShell(line string) (*Shell, error) {
	said, err := os.CreateTemp("", "stormwheel-command-*")
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(said.Name(), os.O_WRONLY|os.O_APPEND, 0)
	_ = os.Remove(said.Name()) // it stays as long as somebody has it open
	s := &Shell{cmd: exec.Command("sh", "-c", line), said: said, done: make(chan struct{}), began: time.Now()}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Env = environment(os.Environ())
	if err != nil {
		said.Close()
		return nil, err
	}
	s.cmd.Stdout, s.cmd.Stderr = out, out
	err = s.cmd.Start()
	out.Close()
	if err != nil {
		said.Close()
		return nil, err
	}
	go func() {
		s.exit = s.cmd.Wait()
		s.took = time.Since(s.began)
		close(s.done)
	}()
	return s, nil
}

// Done is closed when the command has ended.
func (s *Shell) Done() <-chan struct{} { return s.done }

// Took is how long it ran, once it is Done.
func (s *Shell) Took() time.Duration { return s.took }

// Code is its exit status, once it is Done; nil: a signal has ended it.
func (s *Shell) Code() *int {
	if code := s.cmd.ProcessState.ExitCode(); code >= 0 {
		return &code
	}
	return nil
}

// Exit says, of one that is Done, how it ended: nil is exit status 0.
func (s *Shell) Exit() error { return s.exit }

// Lines are what it has written since the last call, standard error included; with rest, the part of a line that has
// no end, too.
func (s *Shell) Lines(rest bool) (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, _ := io.ReadAll(io.NewSectionReader(s.said, s.read, mostSaid))
	s.read += int64(len(b))
	if s.read >= mostSaid && s.said.Truncate(0) == nil {
		s.read = 0
	}
	s.part = append(s.part, b...)
	for {
		line, after, whole := bytes.Cut(s.part, []byte("\n"))
		if !whole && (!rest || len(line) == 0) {
			return lines
		}
		lines = append(lines, strings.ToValidUTF8(string(line), "\ufffd"))
		s.part = after
	}
}

// EndTime is how long a group has between SIGTERM and SIGKILL.
const EndTime = 2 * time.Second

// End ends the command and all of its process group: SIGTERM, and after EndTime SIGKILL. It returns when they have gone.
func (s *Shell) End() {
	group := -s.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), EndTime)
	defer cancel()
	for ctx.Err() == nil && !errors.Is(syscall.Kill(group, 0), syscall.ESRCH) {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-s.done
}

// Remove drops what it has written. It does not end it.
func (s *Shell) Remove() { s.said.Close() }
