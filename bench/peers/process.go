package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// process is a server that runs for a measurement, in a process of its own.
type process struct {
	addr string
	pid  int

	cmd *exec.Cmd
	in  io.WriteCloser
	out chan string // its lines
}

// answerPatience bounds its start and its answer to a command; Netty may be compiled first.
const answerPatience = time.Minute

// self is the command that serves; tests name their own binary.
var self = os.Executable

// startPeer starts a server of the kind and waits until it listens. It dies with us.
func startPeer(kind string, flags ...string) (*process, error) {
	program, err := self()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, append([]string{"serve", kind, "--commands"}, flags...)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = childAttributes()
	p := &process{cmd: cmd, out: make(chan string, 1)}
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startDying(cmd); err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.out <- lines.Text()
		}
		close(p.out)
	}()
	ready, err := p.line()
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s did not start: %w", kind, err)
	}
	for _, word := range strings.Fields(ready) {
		if addr, ok := strings.CutPrefix(word, "listen="); ok {
			p.addr = addr
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s said %q instead of being ready", kind, ready)
}

func (p *process) line() (string, error) {
	select {
	case line, ok := <-p.out:
		if !ok {
			return "", errors.New("it has ended")
		}
		return line, nil
	case <-time.After(answerPatience):
		return "", fmt.Errorf("no answer in %v", answerPatience)
	}
}

// stop kills and reaps it.
func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	for range p.out { // Wait must come after the last read
	}
	_ = p.cmd.Wait()
}

// cpu is the time that a process has used so far.
type cpu struct{ user, system time.Duration }

func (c cpu) total() time.Duration { return c.user + c.system }

func (p *process) cpu() (u cpu, err error) {
	f, err := p.stat()
	if err != nil {
		return u, err
	}
	const userHz = 100 // the unit of CPU times in /proc, on every Linux port of Go
	return cpu{time.Duration(f[11]) * time.Second / userHz, time.Duration(f[12]) * time.Second / userHz}, nil
}

// rss is the resident memory in bytes, after a collection where the runtime has one.
func (p *process) rss() (int64, error) {
	if _, err := io.WriteString(p.in, "collect\n"); err != nil {
		return 0, err
	}
	if _, err := p.line(); err != nil {
		return 0, err
	}
	f, err := p.stat()
	if err != nil {
		return 0, err
	}
	return f[21] * int64(os.Getpagesize()), nil
}

// stat reads the numbers of /proc/PID/stat that follow the name; what is no number is 0.
func (p *process) stat() ([]int64, error) {
	path := fmt.Sprintf("/proc/%d/stat", p.pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(string(text), ") ")
	words := strings.Fields(after)
	if len(words) < 22 {
		return nil, fmt.Errorf("%s has %d fields", path, len(words))
	}
	numbers := make([]int64, len(words))
	for i, w := range words {
		numbers[i], _ = strconv.ParseInt(w, 10, 64)
	}
	return numbers, nil
}
