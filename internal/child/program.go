package child

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Program is how children of one kind are started.
type Program struct {
	Argv []string // the file and the first arguments
	// Crowded: its processes are far more than the processors. They then do not preempt each
	// other when they wake (SCHED_BATCH), and each has one processor for its goroutines, or
	// each wakes threads only to look for work.
	Crowded bool
	// Slack is by how much the kernel may let its threads oversleep, so that fewer sleeps end one by one;
	// 0: as it does anyway, which is 50 µs. What a Go process that has little to do spends is mostly its
	// monitor thread, which sleeps 20 µs at a time after each of its turns. Linux alone.
	Slack time.Duration
}

// crowd is from how many processes a processor on it pays to have fewer switches between
// them.
const crowd = 8

// Crowded says whether so many processes are a crowd on this machine.
func Crowded(processes int) bool { return processes > crowd*runtime.NumCPU() }

// Command is one process of the program, not yet started.
func (p Program) Command(args ...string) *Child {
	cmd := exec.Command(p.Argv[0], append(p.Argv[1:len(p.Argv):len(p.Argv)], args...)...)
	cmd.SysProcAttr = attributes()
	cmd.Env = environment(os.Environ())
	if p.Crowded && os.Getenv("GOMAXPROCS") == "" {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	}
	c := &Child{cmd: cmd, crowded: p.Crowded, slack: p.Slack, done: make(chan struct{}), lines: make(chan string, mostLines)}
	cmd.Stderr = &c.stderr
	return c
}

// environment is ours without the variables that a node would take for its flags: a node has
// what it is told, and nothing that was meant for us.
func environment(ours []string) []string {
	return slices.DeleteFunc(ours, func(v string) bool { return strings.HasPrefix(v, "STORMWHEEL_") })
}
