package main

import "fmt"

// unreached is a rate of connects that nothing here reaches.
const unreached = 1e6

// inFlight is how many connections a bare loop has begun and not finished: fewer than a
// node lets be on their way in.
const inFlight = 256

// ways are those of making connections. The handshake is HELLO and WELCOME.
var ways = []struct {
	name, label string
	server      string
	part        string
	args        []any
}{
	{"bare", "bare loop", "accept", "bare", nil},
	{"dressed", "bare loop, the swarm's system calls", "accept", "bare", []any{"-dressed"}},
	{"swarm", "the swarm, `tcp-echo`", "accept", "swarm", []any{"-protocol", "tcp-echo", "-rate", unreached}},
	{"bare hello", "bare loop, handshake", "node", "bare", []any{"-hello"}},
	{"dressed hello", "bare loop, handshake, the swarm's system calls", "node", "bare", []any{"-hello", "-dressed"}},
	{"swarm hello", "the swarm, handshake", "node", "swarm", []any{"-rate", unreached}},
}

// measureConnects makes connections as fast as can be, in each way in turn; who begins
// changes with the round.
func measureConnects(r *results) error {
	r.Connects = map[string][]outcome{}
	for round := range r.Effort.Rounds {
		for i := range ways {
			w := ways[(i+round)%len(ways)]
			o, err := against([]any{w.server}, w.part, append([]any{"-conns", r.Effort.Connects}, w.args...)...)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			r.Connects[w.name] = append(r.Connects[w.name], o)
			progress("connects of %s: %.0f/s, %d refused", w.name, o.ConnectsPerS, o.Refused)
		}
	}
	return nil
}
