package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/bench"
)

// holding is a measurement of a server whose clients connect, stay and heartbeat.
type holding struct {
	conns     int
	connect   float64       // connects a second that are offered
	heartbeat time.Duration // of the clients
	warm      time.Duration // after all are connected, before the window
	span      time.Duration // the window in which CPU and answers are counted

	processes int // of the server; 0: as many as perProcess asks for
	loops     int // of each, which then are its processors, the first ones; 0: the default, on all
	workers   int // processes of the clients; 0: as many as descriptors ask for
}

// patient is a timeout that nobody meets in a holding, and admitted an admission rate that
// holds nobody up: neither is measured there.
const (
	patient  = "10m"
	admitted = "1000000"
)

// hold gives the figures of one holding.
func hold(kind string, h holding) (figures, error) {
	processes := h.processes
	if processes == 0 {
		processes = (h.conns + perProcess - 1) / perProcess
	}
	flags := []string{"--heartbeat", h.heartbeat.String(), "--timeout", patient, "--admit-rate", admitted}
	if h.loops > 0 {
		flags = append(flags, "--loops", strconv.Itoa(h.loops), "--pin")
	}
	p, err := startGroup(kind, processes, flags...)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	time.Sleep(settle) // what it does at its start is none of the clients' business
	empty, err := p.rss()
	if err != nil {
		return nil, err
	}
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	swarm := startSwarm(bench.Config{Scenario: "hold", Targets: p.addrs(), Conns: h.conns, Rate: h.connect,
		Duration: time.Hour, Heartbeat: h.heartbeat, Workers: h.workers})
	defer swarm.end()
	if err := swarm.reached("hold"); err != nil {
		return nil, err
	}
	time.Sleep(settle)
	connected, err := p.cpu()
	if err != nil {
		return nil, err
	}
	time.Sleep(h.warm)
	from, err := p.cpu()
	if err != nil {
		return nil, err
	}
	began := time.Since(swarm.began)
	time.Sleep(h.span)
	to, err := p.cpu()
	if err != nil {
		return nil, err
	}
	ended := time.Since(swarm.began)
	full, err := p.rss()
	if err != nil {
		return nil, err
	}
	res, err := swarm.end()
	if err != nil {
		return nil, err
	}
	if res.Conns.End != h.conns {
		return nil, fmt.Errorf("%d of %d clients at the end", res.Conns.End, h.conns)
	}
	f := figures{
		"bytes":      float64(full-empty) / float64(h.conns),
		"connect_us": micros(connected.total()-before.total()) / float64(h.conns),
	}
	if res.Connect.RatePerS != nil {
		f["connect_s"] = *res.Connect.RatePerS
	}
	f.generator(res)
	rows, err := readRows(swarm.rows.Bytes())
	if err != nil {
		return nil, err
	}
	seconds := (ended - began).Seconds()
	steady := rows.within(began, ended)
	if beats := steady.mean("pongs_per_s"); beats > 0 {
		f["beats_s"] = beats
		f["cpu_us"] = micros(to.total()-from.total()) / seconds / beats
		f["user_us"] = micros(to.user-from.user) / seconds / beats
		f["system_us"] = micros(to.system-from.system) / seconds / beats
		f["rtt_p50"] = steady.median("rtt_p50_ms")
		f["rtt_p99"] = steady.median("rtt_p99_ms")
	}
	return f, nil
}

// atOnce is a rate of connects that no pair of server and clients reaches here.
const atOnce = 40_000

// leisurely is a rate of connects at which no server gets into debt, so that what a crowd
// leaves behind in a heap is not taken for the cost of a connection.
const leisurely = 2000

const settle = 300 * time.Millisecond

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// swarm is a run of package bench under way.
type swarm struct {
	began  time.Time
	cancel context.CancelFunc
	rows   bytes.Buffer // a line a second; complete when it has ended
	phases chan string  // the parts of the scenario, as they begin
	done   chan struct{}
	res    *bench.Result
	err    error
}

func startSwarm(cfg bench.Config) *swarm {
	ctx, cancel := context.WithCancel(context.Background())
	s := &swarm{began: time.Now(), cancel: cancel, phases: make(chan string, 16), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.res, s.err = bench.Run(ctx, cfg, bench.View{CSV: &s.rows, Watch: s.watch})
	}()
	return s
}

// end stops the run, if it has not ended, and gives its result. A verdict is no error here:
// whether the generator was late is among the figures, and the rest is what we measure.
func (s *swarm) end() (*bench.Result, error) {
	s.cancel()
	return s.wait()
}

func (s *swarm) wait() (*bench.Result, error) {
	<-s.done
	switch bench.ExitCode(s.err) {
	case bench.ExitPass, bench.ExitInvalid, bench.ExitThreshold, bench.ExitInterrupted:
		if s.res != nil {
			return s.res, nil
		}
	}
	return nil, fmt.Errorf("the clients: %w", s.err)
}

// watch passes phases on.
func (s *swarm) watch(u bench.Update) {
	if u.Event == "" && u.Status == nil {
		select {
		case s.phases <- u.Phase.Name:
		default: // nobody waits for so many
		}
	}
}

// reached waits until a phase of the scenario begins: after "ramp", all clients that can be
// have been welcomed.
func (s *swarm) reached(phase string) error {
	for {
		select {
		case name := <-s.phases:
			if name == phase {
				return nil
			}
		case <-s.done:
			_, err := s.wait()
			return fmt.Errorf("the clients ended before they came to %q: %w", phase, err)
		}
	}
}
