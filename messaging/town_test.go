package messaging_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// town is some nodes.
type town struct {
	t     *testing.T
	w     wires
	f     *fabric // w, unless it is of a real cluster
	nodes []*rig
	peers []messaging.Peers // theirs
}

// wires are what connects the nodes of a town.
type wires interface {
	// peers makes a node's end.
	peers(t *testing.T, name string) messaging.Peers
	// faults has copies say how often what a node says to another comes there.
	faults(copies func(from, to string) int)
	// loses has a node be told that another is gone, if it does not find out by itself; heal ends that.
	loses(node, other string)
	heal(a, b string)
	dies(name string)
	freeze(name string, frozen bool)
}

// inTown runs a test on nodes a, b, c, ... within a bubble, each with a store of its own.
func inTown(t *testing.T, n int, cfg messaging.Config, test func(town *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, f: newFabric()}
		w.w = w.f
		w.fill(n, cfg)
		test(w)
	})
}

// inRealTown is inTown with the nodes of package cluster, on a bus in memory.
func inRealTown(t *testing.T, n int, cfg messaging.Config, test func(town *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, w: &memoryWires{buses: make(map[string]cluster.Bus)}}
		w.fill(n, cfg)
		w.advance(2 * time.Second)
		test(w)
	})
}

func (w *town) fill(n int, cfg messaging.Config) {
	w.t.Helper()
	for range n {
		w.add(cfg, newFaulty(messaging.Bounds{}))
	}
	w.advance(0)
}

// memoryWires are those of a real cluster.
type memoryWires struct {
	cluster.Memory
	buses map[string]cluster.Bus
}

func (m *memoryWires) peers(t *testing.T, name string) messaging.Peers {
	t.Helper()
	bus := m.Bus(name)
	m.buses[name] = bus
	t.Cleanup(func() { _ = bus.Close() })
	node, err := cluster.New(cluster.Config{Node: name, Bus: bus, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	return node
}

func (m *memoryWires) faults(copies func(from, to string) int) {
	m.Drop(func(from, to, _ string, _ []byte) bool { return copies(from, to) == 0 })
}

func (m *memoryWires) loses(string, string) {} // after 3 s it does
func (m *memoryWires) heal(string, string)  {}
func (m *memoryWires) dies(name string)     { _ = m.buses[name].Close() }

func (m *memoryWires) freeze(name string, frozen bool) {
	d := time.Duration(0)
	if frozen {
		d = 2 * time.Second
	}
	m.Delay("", name, d)
}

// add starts another node. A store of nil is none.
func (w *town) add(cfg messaging.Config, store messaging.Store) *rig {
	w.t.Helper()
	name := string(rune('a' + len(w.nodes)))
	cfg.Peers, cfg.Name = w.w.peers(w.t, name), "node-"+name
	w.peers = append(w.peers, cfg.Peers)
	if cfg.Store = store; store == nil {
		cfg.Store = nil
	}
	r := newRig(w.t, cfg, server.Config{Node: name})
	w.nodes = append(w.nodes, r)
	return r
}

// advance lets time pass on all nodes.
func (w *town) advance(d time.Duration) {
	w.t.Helper()
	for _, r := range w.nodes {
		r.node.Settle() // what the test has done comes before what its loop will do
	}
	w.nodes[0].node.Advance(d)
	for range 3 {
		for _, r := range w.nodes {
			r.node.Settle()
		}
	}
}
