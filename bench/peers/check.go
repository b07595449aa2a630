package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// budget is what `peers check` allows, of bare gnet's. It is wide: the machine is noisy, and
// what this must catch is a copy, a lock or an allocation too many.
type budget struct {
	what string
	name string
	most float64
}

// check fails when a budget is broken beyond doubt: when the whole 95 % interval of the
// paired rounds lies above it. Nine rounds let one of them be bad luck.
func check(args []string) error {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	rounds := fs.Int("rounds", 9, "of each server")
	conns := fs.Int("conns", 5000, "connections")
	rate := fs.Int("rate", 10_000, "heartbeats a second")
	memory := fs.Float64("memory", 1.5, "budget: bytes a connection, of bare gnet's")
	cpu := fs.Float64("cpu", 1.4, "budget: CPU of a heartbeat, of bare gnet's")
	if err := fs.Parse(args); err != nil {
		return err
	}
	e := effort{Name: "check", Beat: *rounds, BeatConns: *conns, Rates: []int{*rate}, Connect: 10_000,
		Warm: 500 * time.Millisecond, Span: 2200 * time.Millisecond}
	r := &results{Effort: e}
	for _, s := range e.steps([]string{ours, floorKind}) {
		if s.Workload != "beat" {
			continue
		}
		f, err := e.measure(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Kind, err)
		}
		r.Records = append(r.Records, record{step: s, Figures: f})
		fmt.Fprintln(os.Stderr, r.Records[len(r.Records)-1].line())
	}
	own, floor := r.of(e.top().by(ours)), r.of(e.top().by(floorKind))
	for _, b := range []budget{
		{"memory of a connection", "bytes", *memory},
		{"CPU of a heartbeat", "cpu_us", *cpu},
	} {
		i := intervalOf(paired(own, floor, b.name, ratio))
		lowest := i.low
		if !i.known {
			lowest = i.median
		}
		text := fmt.Sprintf("%s is %.2f times bare gnet's (%.2f - %.2f), %.2f are allowed", b.what, i.median, i.low, i.high, b.most)
		if i.n < *rounds || lowest > b.most {
			return fmt.Errorf("%s; %d connections, %d heartbeats a second, %d rounds", text, *conns, *rate, i.n)
		}
		fmt.Println(text)
	}
	return nil
}
