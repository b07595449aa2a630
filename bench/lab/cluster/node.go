package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// secret has connections between nodes be encrypted.
var secret = [][]byte{[]byte("0123456789abcdef0123456789abcdef")}

// member is a node of a cluster, in this process.
type member struct {
	*cluster.Node
	bus *natsbus.Bus // nil: it has one in memory
	srv *server.Server
	hub *messaging.Hub // nil: there is none
}

// joinBus makes a node that is not yet started.
func joinBus(name, listen string, peers []string) (m *member, err error) {
	return joinBy(natsbus.Config{Node: name, Listen: listen, Peers: peers, Secrets: secret})
}

func joinBy(by natsbus.Config) (m *member, err error) {
	m = new(member)
	if m.bus, err = natsbus.New(by); err != nil {
		return nil, err
	}
	if m.Node, err = cluster.New(cluster.Config{Node: by.Node, Bus: m.bus}); err != nil {
		return nil, err
	}
	return m, nil
}

// bare starts a node without clients and messages, whose owner is told of the others.
func bare(name, listen string, peers []string, h cluster.Handler) (*member, error) {
	m, err := joinBus(name, listen, peers)
	if err != nil {
		return nil, err
	}
	if m.srv, err = server.New(server.Config{Node: name}); err != nil {
		return nil, err
	}
	return m, m.Start(m.srv, h)
}

// whole starts a node with a server and a hub.
func whole(name, listen string, peers []string) (*member, error) {
	m, err := joinBus(name, listen, peers)
	if err != nil {
		return nil, err
	}
	return m, m.carry(messaging.Config{MessageRate: -1})
}

// carry starts a node, with a server and a hub.
func (m *member) carry(cfg messaging.Config) (err error) {
	cfg.Name, cfg.Peers = "node "+m.Node.Node(), m.Node
	if m.hub, err = messaging.New(cfg); err != nil {
		return err
	}
	m.srv, err = server.New(server.Config{Listen: "127.0.0.1:0", Node: m.Node.Node(), Loops: 1, AdmitRate: 1e6, MaxFrameRate: -1, MaxByteRate: -1,
		Heartbeat: 5 * time.Minute, Handler: m.hub.Handler()})
	if err != nil {
		return err
	}
	if err := m.hub.Start(m.srv); err != nil {
		return err
	}
	return m.srv.Start()
}

// meet waits until a node sees so many others.
func (m *member) meet(others int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return m.Meet(ctx, others)
}

func (m *member) end() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if m.hub != nil {
		_ = m.srv.Stop(over)
		_ = m.hub.Close(over)
	}
	m.Close()
	if m.bus != nil {
		_ = m.bus.Close()
	}
}

// spawn starts a node in a process of its own, which ends with this one. Its line has what serve says.
func spawn(t kit.Task, node, listen string, peers []string) (c *child.Child, clients string, err error) {
	t.Target = strings.Join(append([]string{node, listen}, peers...), " ")
	task, err := json.Marshal(t)
	if err != nil {
		return nil, "", err
	}
	if c, _, err = kit.Command("part", name, string(task)); err != nil {
		return nil, "", err
	}
	clients, err = c.Start(context.Background(), 30*time.Second)
	if err != nil {
		c.Close()
		return nil, "", fmt.Errorf("node %s: %w", node, err)
	}
	return c, strings.TrimSpace(clients), nil
}

// serve is such a process: a node of the workload. It says where its clients find it, if it has any, and is there until it is ended.
func serve(t kit.Task) error {
	of := strings.Fields(t.Target)
	start := func(name, listen string, peers []string) (*member, error) {
		return bare(name, listen, peers, cluster.Handler{})
	}
	if t.Workload == pairs {
		start = whole
	}
	m, err := start(of[0], of[1], of[2:])
	if err != nil {
		return err
	}
	if t.Workload == pairs {
		if err := m.meet(len(of) - 3); err != nil {
			return err
		}
		fmt.Println(m.srv.Addr())
	} else {
		fmt.Println("ready")
	}
	_ = os.Stdout.Sync()
	select {}
}
