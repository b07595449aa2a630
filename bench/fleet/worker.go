package fleet

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// Work is the main of a worker process: it takes a swarm's configuration and then orders
// from in, and answers them on out, until in ends. Both are ours alone: the format is that
// of encoding/gob and of this very build.
func Work(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt) // Ctrl-C is for the parent to act on
	defer machine.Hurry()()
	orders, answers := gob.NewDecoder(in), gob.NewEncoder(out)
	var cfg swarm.Config
	if err := orders.Decode(&cfg); err != nil {
		return fmt.Errorf("a worker takes its orders from `stormwheel bench --workers`: %w", err)
	}
	s, err := swarm.New(cfg)
	if err != nil {
		return errors.Join(err, answers.Encode(swarm.Answer{Fault: err.Error()}))
	}
	if err := answers.Encode(swarm.Answer{}); err != nil {
		return err
	}
	for {
		var o swarm.Order
		switch err := orders.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil // the parent has what it wants, or is dead
		case err != nil:
			return err
		}
		if err := answers.Encode(s.Do(o)); err != nil {
			return err
		}
	}
}

// worker is a process that runs one swarm of a fleet.
type worker struct {
	*child.Child
	mu      sync.Mutex // one order at a time
	in      io.WriteCloser
	orders  *gob.Encoder
	answers *gob.Decoder
}

// A worker that does not answer for so long counts as lost. Its end, with all closes, may
// take long on a busy machine.
const (
	startPatience  = 15 * time.Second
	answerPatience = 30 * time.Second
	finishPatience = 5 * time.Minute
)

// startWorker starts a process and hands it its share of the clients.
func startWorker(work child.Program, index int, cfg swarm.Config) (*worker, error) {
	c := work.Command()
	in, err := c.Pipe()
	if err != nil {
		return nil, err
	}
	out, outWriter := io.Pipe()
	w := &worker{Child: c, in: in, orders: gob.NewEncoder(in), answers: gob.NewDecoder(out)}
	if err := c.Launch(outWriter); err != nil {
		return nil, fmt.Errorf("worker %d: %w", index+1, err)
	}
	a, err := w.exchange(cfg, startPatience)
	if err == nil && a.Fault != "" {
		err = errors.New(a.Fault)
	}
	if err != nil {
		w.close()
		return nil, fmt.Errorf("worker %d did not start: %w", index+1, err)
	}
	return w, nil
}

func (w *worker) do(o swarm.Order) (swarm.Answer, error) {
	patience := answerPatience
	if o.Op == swarm.Finish {
		patience = finishPatience
	}
	return w.exchange(o, patience)
}

// exchange sends a message and waits for the answer. A process that ends or hangs is an
// error that says how.
func (w *worker) exchange(message any, patience time.Duration) (a swarm.Answer, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	hung := time.AfterFunc(patience, w.Kill)
	err = w.orders.Encode(message)
	if err == nil {
		err = w.answers.Decode(&a)
	}
	if !hung.Stop() && err != nil {
		return a, fmt.Errorf("pid %d did not answer for %v", w.PID, patience)
	}
	if err == nil {
		return a, nil
	}
	select { // its end says more than the broken pipe
	case <-w.Done():
		return a, fmt.Errorf("pid %d ended: %w%s", w.PID, w.How(), w.LastWords())
	case <-time.After(time.Second):
		return a, err
	}
}

func (w *worker) use() proc.Use {
	u, _ := proc.Process(w.PID) // that of a lost worker is lost
	return u
}

// close ends the process. It may be repeated.
func (w *worker) close() {
	_ = w.in.Close() // it may be gone already
	w.Close()
}
