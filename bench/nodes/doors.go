package nodes

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"
)

// Doors are the targets of a run, knocked at from outside until there was a time in which none of them accepted,
// and it is over. A knock is a connect, and a close.
type Doors struct {
	mu     sync.Mutex
	shut   bool       // none accepted at the last knock, or at one before
	opened *time.Time // the first that accepted after that

	stop context.CancelFunc
	done chan struct{}
}

const (
	knockEvery    = 100 * time.Millisecond
	knockPatience = time.Second
)

// Knock begins to, and goes on until Close.
func Knock(targets []string) *Doors {
	ctx, stop := context.WithCancel(context.Background())
	d := &Doors{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.knock(ctx, targets)
	}()
	return d
}

func (d *Doors) knock(ctx context.Context, targets []string) {
	tick := time.NewTicker(knockEvery)
	defer tick.Stop()
	latest := 0 // that accepted: most often it does again
	for ctx.Err() == nil {
		open := accepts(ctx, targets[latest])
		if !open {
			latest, open = anyAccepts(ctx, targets, latest)
		}
		d.mu.Lock()
		if ctx.Err() == nil && !open {
			d.shut = true
		}
		if open && d.shut {
			d.opened = new(time.Now())
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// anyAccepts tries all but one at once.
func anyAccepts(ctx context.Context, targets []string, but int) (which int, open bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	found := make(chan int, len(targets))
	var knocking sync.WaitGroup
	for i, t := range targets {
		if i != but {
			knocking.Go(func() {
				if accepts(ctx, t) {
					found <- i
					cancel()
				}
			})
		}
	}
	knocking.Wait()
	select {
	case which = <-found:
		return which, true
	default:
		return but, false
	}
}

func accepts(ctx context.Context, target string) bool {
	network, addr := "tcp", target
	if path, is := strings.CutPrefix(target, "unix:"); is {
		network, addr = "unix", path
	}
	dialer := net.Dialer{Timeout: knockPatience}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Opened is when one of them accepted after none had; nil: there was no such time, or, if shut, it is not over.
func (d *Doors) Opened() (at *time.Time, shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opened, d.shut && d.opened == nil
}

// Close ends it.
func (d *Doors) Close() {
	d.stop()
	<-d.done
}
