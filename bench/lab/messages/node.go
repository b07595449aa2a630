package messages

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// node is a hub on a server, with a store in a file or in memory.
type node struct {
	srv   *server.Server
	hub   *messaging.Hub
	store messaging.Store
	dir   string
}

func startNode(t kit.Task) (n *node, err error) {
	n = new(node)
	none := messaging.Bounds{UserRecords: -1, UserBytes: -1, Records: -1, Bytes: -1}
	n.store = messaging.NewMemory(none)
	if t.Workload == durable {
		if n.dir, err = os.MkdirTemp("", "stormwheel-lab"); err != nil {
			return nil, err
		}
		if n.store, err = messaging.OpenBolt(filepath.Join(n.dir, "store"), none); err != nil {
			return nil, err
		}
	}
	loops := 1
	if t.Subject == oursWide {
		loops = runtime.NumCPU()
	}
	if n.hub, err = messaging.New(messaging.Config{Store: n.store, MessageRate: -1}); err != nil {
		return nil, err
	}
	n.srv, err = server.New(server.Config{Listen: "127.0.0.1:0", Loops: loops, AdmitRate: 1e6, MaxFrameRate: -1, MaxByteRate: -1,
		Heartbeat: 5 * time.Minute, Handler: n.hub.Handler()})
	if err != nil {
		return nil, err
	}
	if err := n.hub.Start(n.srv); err != nil {
		return nil, err
	}
	return n, n.srv.Start()
}

func (n *node) stop() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.srv.Stop(over)
	_ = n.hub.Close(over) // what waits is of no worth
	_ = n.store.Close()
	_ = os.RemoveAll(n.dir)
}

// measure runs a node, and in a process beside it the clients. They say by a connection when a phase
// begins and ends; what the node used meanwhile is this process's to tell.
func measure(t kit.Task) (map[string]float64, error) {
	figures := map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	defer machine.Hurry()() // as the clients do: what else the machine does comes behind both
	n, err := startNode(t)
	if err != nil {
		return nil, err
	}
	if t.Workload == durable {
		took, err := disk(n.dir, effortOf(t.Effort).phase/3) // before anybody is there
		if err != nil {
			n.stop()
			return nil, err
		}
		figures["fsync_p50_ms"], figures["fsync_p99_ms"] = percentiles(took)
	}
	defer n.stop()
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer control.Close()
	t.Target = n.srv.Addr() + " " + control.Addr().String()
	task, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	c, _, err := kit.Command("part", name, string(task))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	uses := make(chan []use, 1)
	go func() { uses <- listen(control) }()
	told, err := figuresOf(c)
	if err != nil {
		return nil, err
	}
	maps.Copy(figures, told)
	phases := <-uses
	for i, phase := range phasesOf(t.Workload) {
		if i >= len(phases) {
			return nil, fmt.Errorf("the clients have told of %d phases", len(phases))
		}
		messages, seconds := figures[phase+"_count"], figures[phase+"_s"]
		figures[phase+"_core"] = messages / phases[i].cpu.Seconds()
		figures[phase+"_busy"] = phases[i].cpu.Seconds() / seconds
		figures[phase+"_waited"] = phases[i].waited.Seconds() / seconds
		figures[phase+"_wake"] = messages / float64(max(phases[i].wakes, 1))
	}
	return figures, nil
}

func figuresOf(c *child.Child) (figures map[string]float64, err error) {
	line, err := c.Start(context.Background(), 3*time.Minute)
	if err != nil {
		return nil, fmt.Errorf("the clients: %w", err)
	}
	return figures, json.Unmarshal([]byte(line), &figures)
}

// use is what the node used in a phase.
type use struct {
	cpu    time.Duration
	waited time.Duration // of its threads for a processor
	wakes  int64         // times that one of its threads slept
}

func used() use { return use{flood.CPU(), flood.Waited(), flood.Sleeps()} }

// The words of the clients.
const (
	phaseBegins = 'B'
	phaseEnds   = 'E'
)

// listen measures from each beginning to its end, until the clients are gone.
func listen(l net.Listener) (phases []use) {
	conn, err := l.Accept()
	if err != nil {
		return nil
	}
	defer conn.Close()
	var before use
	word := make([]byte, 1)
	for {
		if _, err := io.ReadFull(conn, word); err != nil {
			return phases
		}
		switch word[0] {
		case phaseBegins:
			before = used()
		case phaseEnds:
			now := used()
			phases = append(phases, use{now.cpu - before.cpu, now.waited - before.waited, now.wakes - before.wakes})
		}
	}
}
