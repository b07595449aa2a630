package main

import "slices"

// measureLateness has the clients of one process send PINGs at the rate in question.
func measureLateness(r *results) error {
	e := r.Effort
	r.Late = nil
	for range e.Repeats {
		o, err := against([]any{"node", "-heartbeat", e.beat()}, "swarm", "-conns", e.Conns,
			"-rate", e.Ramp, "-hold", e.Hold)
		if err != nil {
			return err
		}
		r.Late = append(r.Late, o)
		progress("lateness: p99 %.2f ms, of the seconds %.2f ms, at %.0f PINGs/s", o.LateP99, median(o.LateSeconds), o.PingsPerS)
	}
	return nil
}

// worst is the p99 of the latest second; that of the whole hold is no higher.
func worst(o outcome) float64 {
	if len(o.LateSeconds) == 0 {
		return 0
	}
	return slices.Max(o.LateSeconds)
}
