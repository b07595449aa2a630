//go:build !nonats

package natsbus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// node is the NATS server within a node.
type node struct {
	cfg    Config
	server atomic.Pointer[server.Server] // the present one
	log    *logger
	beats  *beats

	mu      sync.Mutex
	options *server.Options // what was last asked for; a copy goes to the server
	watched map[*watched]bool
	known   map[string]bool // names of Config.Peers that had an address
	unknown []string        // those that never had one

	looked chan struct{} // closed when names have been looked up once
	first  sync.Once

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

const (
	startTime = 5 * time.Second
	// restartTime is how long a server that ended by itself stays away.
	restartTime = time.Second
)

// embed starts the server and connects to it.
func (b *Bus) embed() error {
	n := &node{cfg: b.cfg, log: newLogger(b.cfg), watched: make(map[*watched]bool), known: make(map[string]bool), looked: make(chan struct{}),
		beats: newBeats()}
	token := rand.Text()
	if err := n.setOptions(token); err != nil {
		return err
	}
	if err := n.start(); err != nil {
		return err
	}
	if err := b.connect("", nats.InProcessServer(n), nats.Token(token), nats.ReconnectWait(50*time.Millisecond)); err != nil {
		n.shutdown()
		return err
	}
	n.beats.conn = b.conn
	if _, err := b.conn.ChanSubscribe(subjectBeats, b.in.from); err != nil {
		b.conn.Close()
		n.shutdown()
		return err
	}
	b.node = n
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.wg.Go(func() { n.follow(ctx) })
	n.wg.Go(func() { n.followNames(ctx) })
	return nil
}

// InProcessConn is a connection to the present server.
func (n *node) InProcessConn() (net.Conn, error) { return n.server.Load().InProcessConn() }

// start starts a server, and waits until it listens, or says why it does not.
func (n *node) start() error {
	n.mu.Lock()
	options := n.options.Clone()
	n.mu.Unlock()
	n.log.forget()
	s, err := server.NewServer(options)
	if err != nil {
		return fmt.Errorf("natsbus: %w", err)
	}
	s.SetLoggerV2(n.log, false, false, false)
	s.Start()
	if err := n.await(s); err != nil {
		s.Shutdown()
		return fmt.Errorf("natsbus: cannot listen at %s: %w", n.cfg.Listen, err)
	}
	n.mu.Lock()
	n.options.Cluster.Port = s.ClusterAddr().Port // the same if there must be another
	n.mu.Unlock()
	n.server.Store(s)
	return nil
}

func (n *node) await(s *server.Server) error {
	for deadline := time.Now().Add(startTime); !s.ReadyForConnections(50 * time.Millisecond); {
		if err := n.log.failure(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("it did not begin in time")
		}
	}
	return nil
}

// revive starts another server if the present one has ended, which it should not.
func (n *node) revive(ctx context.Context) {
	s := n.server.Load()
	if s.Running() || ctx.Err() != nil {
		return
	}
	n.cfg.Logger.Error("cluster: the NATS within this node has ended, and is started again", "err", n.log.failure())
	s.WaitForShutdown()
	for ctx.Err() == nil {
		err := n.start()
		if err == nil {
			return
		}
		n.cfg.Logger.Error("cluster: the NATS within this node does not start", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(restartTime):
		}
	}
}

// RouteAddr is where other nodes connect; empty with Servers.
func (b *Bus) RouteAddr() string {
	if b.node == nil {
		return ""
	}
	return b.node.server.Load().ClusterAddr().String()
}

// routes is how many nodes there are connections with.
func (n *node) routes() int { return n.server.Load().NumRoutes() }

// sends is told of each message that is to leave.
func (n *node) sends(subject string) { n.beats.sends(subject) }

func (n *node) close() {
	n.cancel()
	n.wg.Wait()
}

func (n *node) shutdown() {
	s := n.server.Load()
	s.Shutdown()
	s.WaitForShutdown()
}
