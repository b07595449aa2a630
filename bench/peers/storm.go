package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/stormwheel/stormwheel/bench"
)

// stormRun is a kill -9 of one of two servers of a kind, which has all the clients.
type stormRun struct {
	conns   int
	connect float64
}

const (
	stormHeartbeat = 2 * time.Second
	stormTimeout   = 6 * time.Second
)

// openKind is our node with an admission rate that holds nobody up, as the peers have.
const openKind = "stormwheel-open"

// storm gives the figures of one recovery.
func storm(kind string, s stormRun) (figures, error) {
	program, err := self()
	if err != nil {
		return nil, err
	}
	name, admit := kind, []string(nil)
	if kind == openKind {
		name, admit = "stormwheel", []string{"admit-rate=" + admitted}
	}
	res, err := bench.Run(context.Background(), bench.Config{Scenario: "storm", Kind: "kill", Spawn: 2, Place: "first",
		NodeCommand: []string{program, "serve", name}, NodeArgs: admit,
		Conns: s.conns, Rate: min(s.connect, 1900), // below what our node admits by default
		Heartbeat: stormHeartbeat, Timeout: stormTimeout}, bench.View{Progress: io.Discard})
	switch code := bench.ExitCode(err); {
	case res == nil:
		return nil, err
	case code != bench.ExitPass && code != bench.ExitInvalid && code != bench.ExitThreshold:
		return nil, err
	}
	storm := res.Storm
	if storm == nil || storm.T100S == nil {
		return nil, fmt.Errorf("not all clients came back within the time")
	}
	f := figures{"clients": float64(storm.Clients), "t100_s": *storm.T100S, "peak_s": storm.PeakAttemptsPerS,
		"lost_s": storm.LostConnectionSeconds, "false": float64(res.Eviction.False)}
	for name, v := range map[string]*float64{"t50_s": storm.T50S, "t99_s": storm.T99S,
		"attempts": storm.AttemptsPerSuccess} {
		if v != nil {
			f[name] = *v
		}
	}
	f.generator(res)
	return f, nil
}
