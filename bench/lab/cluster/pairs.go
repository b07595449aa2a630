package cluster

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/messages"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// pairsOpen is how many messages a user has open where as many are sent as can be.
const pairsOpen = 8

// measurePairs has users of two nodes talk, each to one at his own node or to one at the other. Each node is a process, and the users
// are in this one.
func measurePairs(t kit.Task) (map[string]float64, error) {
	addrs, err := freeport.Loopback(2)
	if err != nil {
		return nil, err
	}
	var pids []int
	var targets []string
	type started struct {
		target string
		pid    int
		err    error
	}
	nodes := make(chan started, 2)
	for i, name := range []string{"a", "b"} { // each waits for the other
		go func() {
			c, target, err := spawn(t, name, addrs[i], addrs)
			if err != nil {
				nodes <- started{err: err}
				return
			}
			nodes <- started{target, c.PID, nil}
		}()
	}
	for range 2 {
		n := <-nodes
		if n.err != nil {
			return nil, n.err // what was started ends with this process
		}
		targets, pids = append(targets, n.target), append(pids, n.pid)
	}
	e := effortOf(t.Effort)
	figures := map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	to := func(user int) int { return (user + 2) % e.users }
	if t.Subject == other {
		to = func(user int) int { return user ^ 1 }
	}
	var used time.Duration
	spent := map[string]time.Duration{}
	told, err := messages.Talk{Targets: targets, Users: e.users, To: to, Depth: pairsOpen, Rate: pairsRate, Phase: e.phase,
		Begins: func() { used = usedBy(pids) },
		Ends:   func(phase string) { spent[phase] = usedBy(pids) - used }}.Run()
	if err != nil {
		return nil, err
	}
	for name, v := range told {
		figures[name] = v
	}
	for phase, cpu := range spent {
		figures[phase+"_core"] = figures[phase+"_count"] / max(cpu.Seconds(), 0.01)
	}
	return figures, nil
}

// usedBy is the processor time of processes.
func usedBy(pids []int) (all time.Duration) {
	for _, pid := range pids {
		use, err := proc.Process(pid)
		if err != nil {
			continue // it is missed elsewhere
		}
		all += use.CPU()
	}
	return all
}
