package main

import "fmt"

// holders are the clients whose memory is compared, and how their processes are started.
var holders = []struct {
	kind, label string
	part        string
	args        []any
}{
	{"swarm", "the swarm", "swarm", nil},
	{"plain", "plain Go client", "plain", nil},
	{"lean", "plain Go client, `bufio` of 512 B", "plain", []any{"-buffer", 512}},
}

// measureMemory compares what the processes of many clients and of few hold.
func measureMemory(r *results) error {
	r.Memory = map[string][]memory{}
	e := r.Effort
	for range e.Repeats {
		for _, h := range holders {
			hold := func(conns int) (outcome, error) {
				o, err := against([]any{"node", "-heartbeat", e.Heartbeat}, h.part,
					append([]any{"-conns", conns, "-rate", e.Ramp, "-settled", e.settled()}, h.args...)...)
				if err == nil && (o.Ready != conns || o.Collected == 0) {
					err = fmt.Errorf("%s: %d of %d clients at the end, %d bytes", h.kind, o.Ready, conns, o.Collected)
				}
				return o, err
			}
			few, err := hold(e.Few)
			if err != nil {
				return err
			}
			many, err := hold(e.Conns)
			if err != nil {
				return err
			}
			m := memory{Many: many, Few: few}
			r.Memory[h.kind] = append(r.Memory[h.kind], m)
			progress("memory of %s: %.0f B a connection, %.0f as it was", h.kind, m.perConn(collected), m.perConn(asItWas))
		}
	}
	return nil
}
