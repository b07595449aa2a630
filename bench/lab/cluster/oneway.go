package cluster

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/cluster"
)

const (
	oneWaySize = 128
	oneWayOpen = 8192 // messages that are under way at most
)

// measureOneWay sends from one node to another, as much as is taken. Both are in this process, with their NATS.
func measureOneWay(t kit.Task) (map[string]float64, error) {
	figures := map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	var came atomic.Int64
	from, end, err := towards(cluster.Handler{Message: func(string, []byte) { came.Add(1) }})
	if err != nil {
		return nil, err
	}
	defer end()
	sent, body := int64(0), make([]byte, oneWaySize)
	began, cpu := time.Now(), flood.CPU()
	for d := effortOf(t.Effort).phase; time.Since(began) < d; {
		for sent-came.Load() > oneWayOpen {
			time.Sleep(50 * time.Microsecond)
		}
		for range 64 {
			if err := from.Send("b", body); err != nil {
				return nil, err
			}
			sent++
		}
	}
	took := time.Since(began)
	got := float64(came.Load())
	figures["messages"], figures["messages_core"] = got/took.Seconds(), got/(flood.CPU()-cpu).Seconds()
	return figures, nil
}

// towards starts two nodes that know each other, a and b, and returns a; b's handler is h. end ends both.
func towards(h cluster.Handler) (from *member, end func(), err error) {
	to, err := bare("b", "127.0.0.1:0", nil, h)
	if err != nil {
		return nil, nil, err
	}
	if from, err = bare("a", "127.0.0.1:0", []string{to.bus.RouteAddr()}, cluster.Handler{}); err != nil {
		to.end()
		return nil, nil, err
	}
	end = func() { from.end(); to.end() }
	if err = errors.Join(from.meet(1), to.meet(1)); err != nil {
		end()
		return nil, nil, err
	}
	return from, end, nil
}
