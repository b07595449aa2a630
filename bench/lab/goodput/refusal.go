package goodput

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// What a refusal costs the node, beside what an admission does.

// refusals is the workload, whose subjects are what becomes of those who come.
const (
	refusals   = "refusal"
	admitted   = "admitted"
	slotted    = "told a slot"
	unanswered = "not answered"
)

var outcomes = []string{admitted, slotted, unanswered}

// knockers come knocksAtOnce at a time.
const (
	knockers     = 6000
	knocksAtOnce = 64
)

// measureRefusal has knockers come to a node on one loop and counts its processor time. Those who are
// not answered come to a node whose accept queue is full: it stands still, and the kernel does all that
// is done.
func measureRefusal(ctx context.Context, r *kit.Record, clients int) error {
	rate := node.Admitted
	if r.Subject == slotted {
		rate = "250" // the queue has room for all of them, and lets few of them in meanwhile
	}
	s, err := peers.Start(ctx, peers.Ours, "--loops", "1", "--heartbeat", "30s", "--timeout", "75s", "--admit-rate", rate)
	if err != nil {
		return err
	}
	defer s.Close()
	before, err := proc.Process(s.PID)
	if err != nil {
		return err
	}
	if r.Subject == unanswered {
		if err := syscall.Kill(s.PID, syscall.SIGSTOP); err != nil {
			return err
		}
		defer syscall.Kill(s.PID, syscall.SIGCONT)
		clients, err = overflow(s.Addr, clients)
	} else {
		err = knock(s.Addr, clients, r.Subject == admitted)
	}
	if err != nil {
		return err
	}
	after, err := proc.Process(s.PID)
	r.Figures = map[string]float64{"clients": float64(clients), "us": (after.CPU() - before.CPU()).Seconds() * 1e6 / float64(clients)}
	return err
}

// knock has clients say HELLO and waits until each is told. If they stay they keep their connections until all are.
func knock(addr string, clients int, stay bool) error {
	var all sync.WaitGroup
	failed := make(chan error, knocksAtOnce)
	over := make(chan struct{})
	for first := range knocksAtOnce {
		all.Add(1)
		go func() {
			var once sync.Once
			done := func() { once.Do(all.Done) }
			defer done()
			for i := first; i < clients; i += knocksAtOnce {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					failed <- err
					return
				}
				defer c.Close()
				if err := greet(c, fmt.Sprint("k", i)); err != nil {
					failed <- err
					return
				}
				if !stay {
					c.Close()
				}
			}
			done()
			if stay {
				<-over
			}
		}()
	}
	all.Wait()
	close(over)
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// greet says HELLO and reads what the node says to it; if that is no WELCOME, until the node ends the connection.
func greet(c net.Conn, id string) error {
	hello, _ := flood.Hello(id)
	if _, err := c.Write(hello); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	in := make([]byte, 4096)
	n, err := c.Read(in)
	if err != nil {
		return err
	}
	if f, _, err := codec.Decode(in[:n], codec.MaxPayload); err != nil || f.Type == codec.Welcome {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}

// overflow has clients connect until nobody answers any more, and returns how many came after that.
func overflow(addr string, clients int) (unanswered int, err error) {
	var queued []net.Conn
	defer func() {
		for _, c := range queued {
			c.Close()
		}
	}()
	for {
		c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err != nil {
			break
		}
		if queued = append(queued, c); len(queued) > 5000 {
			return 0, fmt.Errorf("%d clients wait, and more may", len(queued))
		}
	}
	gate := make(chan struct{}, knocksAtOnce)
	var all sync.WaitGroup
	for range clients {
		gate <- struct{}{}
		all.Go(func() {
			if c, err := net.DialTimeout("tcp", addr, 10*time.Millisecond); err == nil {
				c.Close()
			}
			<-gate
		})
	}
	all.Wait()
	return clients, nil
}

// writeRefusals is the part of the section about them.
func writeRefusals(p *kit.Page, k *kit.Kept) {
	at := func(outcome string) kit.Step { return kit.Step{Workload: refusals, Subject: outcome} }
	if k.Rounds(at(admitted)) == 0 {
		return
	}
	p.Printf(`
Processor time of a node on one loop for each of those who say HELLO, and of those who find its accept queue full: the
node stands still meanwhile, and the kernel drops what they send.

`)
	var rows [][]string
	for _, outcome := range outcomes {
		if k.Rounds(at(outcome)) > 0 {
			rows = append(rows, []string{outcome, kit.Count(int(k.Sample(at(outcome), "clients").Median)), fmt.Sprintf("%.1f", k.Sample(at(outcome), "us").Median)})
		}
	}
	p.Table([]string{"who comes is", "clients", "µs CPU each"}, rows)
	var targets []kit.Target
	for _, outcome := range outcomes[1:] {
		targets = append(targets, kit.Target{What: outcome + ", by an admission", AtMost: new(0.1), Unit: "x", Of: k.Sample(at(outcome), "us").Times(1 / k.Sample(at(admitted), "us").Median),
			Why: "Both are a connection that is accepted, watched, read, written to; this one is closed, too. So under overload the node does not answer."})
	}
	p.Targets("a refusal", targets)
}
