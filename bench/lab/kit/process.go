package kit

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

// Process is a part of this program that runs for one measurement, in a process of its own
// that dies with us.
type Process struct {
	Pid int

	cmd *exec.Cmd
	in  io.WriteCloser
	out chan string // its lines
}

// Self is the program whose parts are started; tests name their own.
var Self = os.Executable

// Start starts this program with other arguments.
func Start(args ...string) (*Process, error) {
	program, err := Self()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(program, args...), out: make(chan string, 1)}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = childAttributes()
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startDying(p.cmd); err != nil {
		return nil, err
	}
	p.Pid = p.cmd.Process.Pid
	go func() {
		defer close(p.out)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.out <- lines.Text()
		}
	}()
	return p, nil
}

// Line waits for the next line that it says.
func (p *Process) Line(patience time.Duration) (string, error) {
	select {
	case line, ok := <-p.out:
		if !ok {
			return "", errors.New("it has ended")
		}
		return line, nil
	case <-time.After(patience):
		return "", fmt.Errorf("not done in %v", patience)
	}
}

// Ask says a line and waits for the answer.
func (p *Process) Ask(line string, patience time.Duration) (string, error) {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return "", err
	}
	return p.Line(patience)
}

// Hush ends its input, as the kernel does when we die.
func (p *Process) Hush() error { return p.in.Close() }

// Stop kills and reaps it.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill()
	for range p.out { // Wait must come after the last read
	}
	_ = p.cmd.Wait()
}

// CPU is the time that a process has used so far.
type CPU struct{ User, System time.Duration }

// Total is both.
func (c CPU) Total() time.Duration { return c.User + c.System }

// CPU reads what it has used.
func (p *Process) CPU() (c CPU, err error) {
	f, err := p.stat()
	if err != nil {
		return c, err
	}
	const userHz = 100 // the unit of CPU times in /proc, on every Linux port of Go
	return CPU{time.Duration(f[11]) * time.Second / userHz, time.Duration(f[12]) * time.Second / userHz}, nil
}

// Resident is its resident memory in bytes.
func (p *Process) Resident() (int64, error) {
	f, err := p.stat()
	if err != nil {
		return 0, err
	}
	return f[21] * int64(os.Getpagesize()), nil
}

// stat reads the numbers of /proc/PID/stat that follow the name; what is no number is 0.
func (p *Process) stat() ([]int64, error) {
	path := fmt.Sprintf("/proc/%d/stat", p.Pid)
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
