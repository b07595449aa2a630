package nodes

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Duty is how much of the time a process may run: it runs for Run and stands still for
// Stop, in turn. The zero duty is all of it.
type Duty struct{ Run, Stop time.Duration }

// ParseDuty reads "1ms/150ms".
func ParseDuty(text string) (d Duty, err error) {
	if text == "" {
		return d, nil
	}
	run, stop, _ := strings.Cut(text, "/")
	for _, one := range []struct {
		text string
		to   *time.Duration
	}{{run, &d.Run}, {stop, &d.Stop}} {
		if *one.to, err = time.ParseDuration(one.text); err != nil || *one.to < shortestTurn || *one.to > longestTurn {
			return d, result.Usage("--slow: %q is not RUN/STOP, as in 1ms/150ms, each of %v to %v", text, shortestTurn, longestTurn)
		}
	}
	return d, nil
}

const (
	shortestTurn = 100 * time.Microsecond
	longestTurn  = 10 * time.Second
)

// Words tell of it in an event; none if it is all of the time.
func (d Duty) Words() string {
	if d == (Duty{}) {
		return ""
	}
	return fmt.Sprintf("; the nodes run for %v of every %v until all are in", d.Run, d.Run+d.Stop)
}

// Throttle has the processes of nodes run for a share of the time only, until lift is
// called. They are left running.
func Throttle(d Duty, nodes ...*Node) (lift func()) {
	if d == (Duty{}) {
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
func (n *Node) turns(d Duty, over <-chan struct{}) {
	defer n.Signal(syscall.SIGCONT)
	for {
		time.Sleep(d.Run)
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
		case <-time.After(d.Stop):
		}
		if n.Signal(syscall.SIGCONT) != nil {
			return
		}
	}
}
