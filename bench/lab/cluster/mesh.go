package cluster

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
)

const (
	meshNodes = 8
	meshPace  = 100 // messages to all a second and node
	meshSize  = 128
)

// measureMesh tells what a message to all costs of a processor for each node to which it comes: sent, carried, encrypted and
// received. The nodes of a mesh, which have nothing but a bus, are in this process; what they cost idle is not counted.
func measureMesh(t kit.Task) (map[string]float64, error) {
	var all []*natsbus.Bus
	var peers []string
	var came atomic.Int64
	defer func() {
		for _, b := range all {
			_ = b.Close()
		}
	}()
	for i := range meshNodes {
		b, err := natsbus.New(natsbus.Config{Node: fmt.Sprint("n", i), Listen: "127.0.0.1:0", Peers: peers, Secrets: secret})
		if err != nil {
			return nil, err
		}
		all, peers = append(all, b), append(peers, b.RouteAddr())
		if err := b.Subscribe("sw.all", func([]byte) { came.Add(1) }); err != nil {
			return nil, err
		}
	}
	body := make([]byte, meshSize)
	for until := time.Now().Add(20 * time.Second); ; { // all reach all
		before := came.Load()
		for _, b := range all {
			_ = b.Publish("sw.all", body)
		}
		if time.Sleep(200 * time.Millisecond); came.Load()-before == meshNodes*(meshNodes-1) {
			break
		}
		if time.Now().After(until) {
			return nil, errors.New("they do not all reach each other")
		}
	}
	phase := effortOf(t.Effort).phase
	run := func(says bool) (cpu time.Duration, got int64) {
		used, before := flood.CPU(), came.Load()
		tick := time.NewTicker(time.Second / (meshPace * meshNodes))
		defer tick.Stop()
		for end, i := time.Now().Add(phase), 0; time.Now().Before(end); i++ {
			if <-tick.C; says {
				_ = all[i%meshNodes].Publish("sw.all", body)
			}
		}
		return flood.CPU() - used, came.Load() - before
	}
	idle, _ := run(false)
	spent, got := run(true)
	return map[string]float64{"carry_us": (spent - idle).Seconds() * 1e6 / max(float64(got), 1)}, nil
}
