package fanout

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/server"
)

// node is a server of one loop.
type node struct {
	*server.Server
	count atomic.Int64
	turns *flood.Turns
}

// The group of all members, and another of all to be in.
const everybody, again = "everybody", "again"

func startNode() (hub, string, error) {
	n := &node{turns: flood.WatchTurns()}
	s, err := server.New(server.Config{Listen: "127.0.0.1:0", Loops: 1, AdmitRate: 1e6, Heartbeat: 5 * time.Minute,
		Handler: server.Handler{Opened: n.opened}})
	if err != nil {
		return nil, "", err
	}
	n.Server = s
	if err := s.Start(); err != nil {
		return nil, "", err
	}
	return n, s.Addr(), nil
}

func member(s *server.Session) bool { return !strings.HasPrefix(s.ID(), flood.ProbePrefix) }

func (n *node) opened(s *server.Session) {
	if member(s) {
		n.count.Add(1)
	}
}

func (n *node) joined() int { return int(n.count.Load()) }

// gather also tells what two memberships take of the memory of the process.
func (n *node) gather(figures map[string]float64) error {
	time.Sleep(calm) // what joining has used is free
	before := resident()
	var failed error // of the one loop
	err := n.Each(context.Background(), func(s *server.Session) {
		if member(s) {
			failed = errors.Join(failed, s.Join(everybody), s.Join(again))
		}
	})
	figures["group_bytes"] = float64(resident()-before) / float64(n.joined())
	return errors.Join(err, failed)
}

func resident() int64 {
	debug.FreeOSMemory()
	bytes, _ := machine.Resident()
	return bytes
}

func (n *node) publish(body []byte, times int) error {
	for range times {
		if err := n.Publish(everybody, body); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) marks(body []byte) int { return marksOf(codec.AppendDeliver(nil, 0, body)) }

func (n *node) end(figures map[string]float64) {
	st := n.Stats()
	n.turns.Tell(figures)
	figures["dropped"] = float64(st.Dropped)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Stop(over)
}
