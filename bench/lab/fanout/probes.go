package fanout

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/child"
)

// probes is the process of clients that ask for PONGs. It is told whom to ask.
type probes struct {
	process *child.Child
	wire
}

// probing is whom they ask, none if it is below 0, and whether publications flow.
type probing struct {
	Node  int
	Flows bool
	Over  bool // they tell what came of it, and end
}

// probed is their answer.
type probed struct{ Idle, Flowing flood.Times }

func startProbes(t kit.Task, addrs []string) (p *probes, err error) {
	p = new(probes)
	var conn net.Conn
	if p.process, conn, err = beside(t, probesOf, strings.Join(addrs, " ")); err != nil {
		return nil, err
	}
	p.wire = wireOn(conn)
	if err := p.take(new(probed)); err != nil { // they are there
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *probes) close() { p.wire.close(); p.process.Close() }

func (p *probes) ask(whom probing) error { return p.call(whom, new(probed)) }

// tell ends them.
func (p *probes) tell(figures map[string]float64) error {
	var all probed
	if err := p.call(probing{Over: true}, &all); err != nil {
		return err
	}
	for name, v := range all.Idle.Figures() {
		figures["idle_"+name] = v
	}
	for name, v := range all.Flowing.Figures() {
		figures[name] = v
	}
	return nil
}

// probeAll is that process.
func probeAll(conn net.Conn, addrs []string) error {
	var all []*flood.Prober
	for _, addr := range addrs {
		p, err := flood.NewProber(addr)
		if err != nil {
			return err
		}
		defer p.Close()
		all = append(all, p)
	}
	w := wireOn(conn)
	var whom atomic.Pointer[probing]
	whom.Store(&probing{Node: -1})
	over := make(chan error, 1)
	go func() {
		for {
			next := new(probing)
			if err := w.take(next); err != nil {
				over <- err
				return
			}
			if whom.Store(next); next.Over {
				over <- nil
				return
			}
			if err := w.say(probed{}); err != nil {
				over <- err
				return
			}
		}
	}()
	if err := w.say(probed{}); err != nil {
		return err
	}
	var got probed
	for ; len(over) == 0; time.Sleep(flood.ProbeEvery) {
		now := whom.Load()
		if now.Node < 0 || now.Over {
			continue
		}
		ms, err := all[now.Node].Ask()
		if err != nil {
			return fmt.Errorf("a client of node %d: %w", now.Node, err)
		}
		switch {
		case whom.Load() != now:
		case now.Flows:
			got.Flowing = append(got.Flowing, ms)
		default:
			got.Idle = append(got.Idle, ms)
		}
	}
	if err := <-over; err != nil {
		return err
	}
	return w.say(got)
}
