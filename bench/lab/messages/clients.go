package messages

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// The phases of a workload.
const (
	full  = "full"  // all that the node can take
	paced = "paced" // at a rate that is wanted
	half  = "half"  // at half of what it can take
)

func phasesOf(workload string) []string {
	if workload == durable {
		return []string{paced, full}
	}
	return []string{paced, full, half}
}

// depths are how many messages a client has open where as many are sent as can be.
var depths = map[string]int{durable: 16, pairs: 2}

// clients is the process of the clients. It tells a node's process when its phases begin and end.
func clients(task kit.Task) (map[string]float64, error) {
	target, control, _ := strings.Cut(task.Target, " ")
	conn, err := net.Dial("tcp", control)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer machine.Hurry()() // that a message is late is to be the node's doing
	e := effortOf(task.Effort)
	figures := map[string]float64{}
	count := e.online
	if task.Workload == durable {
		count = e.senders
	}
	t, err := joinTalkers([]string{target}, count, "user")
	if err != nil {
		return nil, err
	}
	t.to = func(int) string { return fmt.Sprint("user", rand.N(count)) }
	if task.Workload == durable {
		t.to = func(int) string { return fmt.Sprint("away", rand.N(awayUsers)) }
	}
	nothing := func() {}
	if err := t.pace(float64(count), e.phase/4, nothing, nothing); err != nil { // until its buffers have their size
		return nil, err
	}
	say := func(word byte) { _, _ = conn.Write([]byte{word}) } // a node that has gone is noticed elsewhere
	for _, phase := range phasesOf(task.Workload) {
		var began time.Time
		begins := func() {
			t.done, t.refused, t.took, t.late = 0, 0, t.took[:0], t.late[:0]
			began = time.Now()
			say(phaseBegins)
		}
		ends := func() {
			say(phaseEnds)
			seconds := time.Since(began).Seconds()
			figures[phase+"_count"], figures[phase+"_s"] = float64(t.done), seconds
			figures[phase] = float64(t.done) / seconds
		}
		switch {
		case phase == full:
			err = t.flow(depths[task.Workload], e.phase, begins, ends)
		case phase == half:
			err = t.pace(figures[full]/2, e.phase, begins, ends)
		case task.Workload == pairs:
			err = t.pace(pairsRate, e.phase, begins, ends)
		default:
			err = t.pace(durableRate, e.phase, begins, ends)
		}
		if err != nil {
			return nil, err
		}
		t.tell(figures, phase)
	}
	return figures, nil
}

// tell adds what came of a phase to the figures.
func (t *talkers) tell(figures map[string]float64, phase string) {
	figures[phase+"_p50_ms"], figures[phase+"_p99_ms"] = percentiles(t.took)
	_, figures[phase+"_late_ms"] = percentiles(t.late)
	figures["refused"] += float64(t.refused)
}

// percentiles are the middle and the 99th of durations, in milliseconds; of none they are 0.
func percentiles(all []time.Duration) (p50, p99 float64) {
	slices.Sort(all)
	n := len(all)
	if n == 0 {
		return 0, 0
	}
	return all[n/2].Seconds() * 1000, all[n*99/100].Seconds() * 1000
}
