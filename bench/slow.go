package bench

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// duty is how much of the time a process may run: it runs for run and stands still for
// stop, in turn. The zero duty is all of it.
type duty struct{ run, stop time.Duration }

// parseDuty reads "1ms/150ms".
func parseDuty(text string) (d duty, err error) {
	if text == "" {
		return d, nil
	}
	run, stop, _ := strings.Cut(text, "/")
	for _, one := range []struct {
		text string
		to   *time.Duration
	}{{run, &d.run}, {stop, &d.stop}} {
		if *one.to, err = time.ParseDuration(one.text); err != nil || *one.to < shortestTurn || *one.to > longestTurn {
			return d, usagef("--slow: %q is not RUN/STOP, as in 1ms/150ms, each of %v to %v", text, shortestTurn, longestTurn)
		}
	}
	return d, nil
}

const (
	shortestTurn = 100 * time.Microsecond
	longestTurn  = 10 * time.Second
)

func (d duty) words() string {
	if d == (duty{}) {
		return ""
	}
	return fmt.Sprintf("; the nodes run for %v of every %v until all are in", d.run, d.run+d.stop)
}

// slowDown has the processes of nodes run for a share of the time only, until lift is
// called. They are left running.
func slowDown(d duty, nodes ...*node) (lift func()) {
	if d == (duty{}) {
		return func() {}
	}
	over := make(chan struct{})
	var turns sync.WaitGroup
	for _, n := range nodes {
		n.slow.Store(true)
		turns.Go(func() {
			runtime.LockOSThread() // its sleeps are short, and their ends must not wait
			defer runtime.UnlockOSThread()
			defer n.slow.Store(false)
			n.turns(d, over)
		})
	}
	return sync.OnceFunc(func() { close(over); turns.Wait() })
}

// turns stops and continues the process until over is closed, or it has ended.
func (n *node) turns(d duty, over <-chan struct{}) {
	defer n.Signal(syscall.SIGCONT)
	for {
		time.Sleep(d.run)
		select {
		case <-over:
			return
		default:
		}
		if n.Signal(syscall.SIGSTOP) != nil {
			return
		}
		select {
		case <-over:
			return
		case <-time.After(d.stop):
		}
		if n.Signal(syscall.SIGCONT) != nil {
			return
		}
	}
}
