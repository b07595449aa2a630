package cluster

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/server"
)

// measurePresence has clients come to one node and leave it, and takes how long it is until another is told of each.
// Both nodes are in this process, with their NATS; the clients are names alone.
func measurePresence(t kit.Task) (map[string]float64, error) {
	figures := map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	var mu sync.Mutex
	began := make(map[uint64]time.Time) // by stamp
	var took []time.Duration
	heard := func(_ string, l cluster.Login) {
		mu.Lock()
		defer mu.Unlock()
		if at, ok := began[l.Stamp]; ok {
			took = append(took, time.Since(at))
			delete(began, l.Stamp)
		}
	}
	from, end, err := towards(cluster.Handler{Login: heard, Logout: heard})
	if err != nil {
		return nil, err
	}
	defer end()
	const online = 20 // of whom each leaves when that many others have come
	stamps := make([]uint64, online)
	start, cpu, d := time.Now(), flood.CPU(), effortOf(t.Effort).phase
	total := int(changesRate * d.Seconds() / 2)
	for i := range total {
		time.Sleep(time.Until(start.Add(time.Duration(float64(2*i) / changesRate * float64(time.Second)))))
		if i >= online {
			mu.Lock()
			began[stamps[i%online]] = time.Now()
			mu.Unlock()
			from.Closed(fmt.Sprint("user", i-online), stamps[i%online])
		}
		mu.Lock()
		at := time.Now()
		id := fmt.Sprint("user", i)
		stamps[i%online] = from.Opened(cluster.Login{ID: id, User: id, Incarnation: uint64(i) + 1}, server.Ref{})
		began[stamps[i%online]] = at
		mu.Unlock()
	}
	seconds, used := time.Since(start).Seconds(), (flood.CPU() - cpu).Seconds()
	time.Sleep(500 * time.Millisecond) // what is late counts as such
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(took)
	if len(took) == 0 {
		return nil, fmt.Errorf("nobody was told of a login")
	}
	figures["changes"], figures["untold"], figures["busy"] = float64(len(took))/seconds*60, float64(len(began)), used/seconds
	figures["p50_ms"], figures["p99_ms"] = took[len(took)/2].Seconds()*1000, took[len(took)*99/100].Seconds()*1000
	return figures, nil
}
