package messages

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// The phases of a workload: all that the node can take, and a pace.
const (
	full  = "full"
	paced = "paced"
)

func phasesOf(workload string) []string {
	if workload == durable {
		return []string{paced, full}
	}
	return []string{full, paced}
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
	e := effortOf(task.Effort)
	figures := map[string]float64{}
	count := e.online
	if task.Workload == durable {
		count = e.senders
	}
	t, err := joinTalkers(target, count, "user")
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
			t.done, t.refused, t.took = 0, 0, t.took[:0]
			began = time.Now()
			say(phaseBegins)
		}
		ends := func() {
			say(phaseEnds)
			seconds := time.Since(began).Seconds()
			figures[phase+"_count"], figures[phase+"_s"] = float64(t.done), seconds
			figures[phase] = float64(t.done) / seconds
		}
		if phase == full {
			err = t.flow(depths[task.Workload], e.phase, begins, ends)
		} else {
			rate := float64(durableRate)
			if task.Workload == pairs {
				rate = figures[full] / 2
			}
			err = t.pace(rate, e.phase, begins, ends)
		}
		if err != nil {
			return nil, err
		}
		slices.Sort(t.took)
		if n := len(t.took); n > 0 {
			figures[phase+"_p50_ms"], figures[phase+"_p99_ms"] = t.took[n/2].Seconds()*1000, t.took[n*99/100].Seconds()*1000
		}
		figures["refused"] += float64(t.refused)
	}
	return figures, nil
}
