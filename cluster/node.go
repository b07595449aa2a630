package cluster

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/peer"
	"github.com/stormwheel/stormwheel/internal/pulse"
	"github.com/stormwheel/stormwheel/server"
)

// Errors of a Node.
var (
	ErrStarted  = errors.New("cluster: already started")
	ErrReplaced = errors.New("cluster: another node has this one's name, and was started later") // on Failed
)

// Node is this process in the cluster. Its methods may be called from any goroutine; those whose comments do not
// say else do not wait, and call no function of the Handler.
//
// The machine is guarded by mu, which is held for memory and Bus.Publish only: sessions begin and end on the
// loops of a server, and want a stamp at once. What others say is taken in under telling, which comes before mu
// and is held while the Handler is called: so its functions are called one at a time and in order, and may call
// the Node.
type Node struct {
	cfg   Config
	log   *slog.Logger
	began time.Time // of the pulse

	mu      sync.Mutex
	machine *peer.Machine
	out     peer.Out      // of calls that only publish
	asked   []event       // what such a call asked for all the same; the runner does it
	wakeAt  time.Duration // when the runner means to wake
	left    bool

	quiet   atomic.Bool // nothing claimed waits: Machine.Quiet as of the last call
	members atomic.Pointer[members]
	unsent  atomic.Uint64 // messages that the Bus did not take

	telling sync.Mutex
	heard   peer.Out            // guarded by telling
	events  []event             // guarded by telling
	watches map[string]watching // guarded by telling

	started atomic.Bool
	handler Handler        // set by Start
	srv     *server.Server // set by Start
	kick    chan struct{}
	done    chan struct{}
	failed  chan error
	closing sync.Once
	running sync.WaitGroup

	endings struct {
		mu  sync.Mutex // behind telling
		all []ending   // sessions that end in a moment, by when
	}
	loadAt time.Duration // the runner's: when the server's load is told next
	mover  mover
	claims wrapped
	epoch  atomic.Uint64 // the server's, of its sessions
}

// members are the live nodes, for those who do not hold mu. It is never changed.
type members struct {
	*peer.Members
	subjects map[string]string // by name, this node's not included
	next     chan struct{}     // closed when there are others
}

// watching is what the Bus tells of a node.
type watching struct {
	stop func()
	run  *struct{ _ byte } // of this time that it is up
}

// New returns a node that knows no other before Start. The error names the field of cfg that makes no sense.
func New(cfg Config) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &Node{
		cfg: cfg, log: cfg.logger(), began: pulse.Origin(time.Now()), watches: make(map[string]watching),
		kick: make(chan struct{}, 1), done: make(chan struct{}), failed: make(chan error, 1),
	}
	n.machine = peer.New(peer.Config{
		Node: cfg.Node, Epoch: randomNumber(), Seed: randomNumber(), Address: cfg.Advertise, Version: cfg.Version,
		Replace: cfg.Replace, Stay: cfg.Stay, Announce: cfg.Announce, Alive: cfg.Alive, HomesAbove: cfg.HomesAbove,
	}, n.now())
	n.quiet.Store(true)
	n.setMembers()
	return n, nil
}

// randomNumber is not 0.
func randomNumber() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// since is the time since the node was made, on a clock that nobody sets.
func (n *Node) since() time.Duration { return time.Since(n.began) }

// now is the time as the machine takes it.
func (n *Node) now() peer.Now {
	t := time.Now()
	return peer.Now{Since: t.Sub(n.began), Wall: t.Add(n.cfg.skew).UnixMilli()}
}

// Start has the node known to the others, and h told of them. It is to be called once, before srv starts, whose
// name must be the node's. Errors: ErrStarted, and those of Bus.Subscribe.
func (n *Node) Start(srv *server.Server, h Handler) error {
	if name := srv.Node(); name != n.cfg.Node {
		return fmt.Errorf("cluster: the server's name is %q, and the node's %q", name, n.cfg.Node)
	}
	if !n.started.CompareAndSwap(false, true) {
		return ErrStarted
	}
	n.srv, n.handler = srv, h
	for _, subject := range []string{subjectNodes, subjectAll, subjectTo + n.cfg.Node} {
		if err := n.cfg.Bus.Subscribe(subject, n.received); err != nil {
			return err
		}
	}
	n.running.Go(n.run)
	n.running.Go(n.mover.run(n))
	return nil
}

// Node is this node's name.
func (n *Node) Node() string { return n.cfg.Node }

// Live returns the names of the live nodes, this one included, sorted.
func (n *Node) Live() []string { return slices.Clone(n.members.Load().Names()) }

// Home is the live node that keeps key: the same wherever the same nodes are seen, and another only for keys of a
// node that comes or goes.
func (n *Node) Home(key string) string { return n.members.Load().Home(key) }

// setMembers takes over who lives, with mu held or before there is anybody else.
func (n *Node) setMembers() {
	now := &members{Members: n.machine.Members(), subjects: make(map[string]string), next: make(chan struct{})}
	for _, name := range now.Names() {
		if name != n.cfg.Node {
			now.subjects[name] = subjectTo + name
		}
	}
	if before := n.members.Swap(now); before != nil {
		close(before.next)
	}
}

// Failed is told once if the node cannot go on: ErrReplaced. Its owner should end the process, or give the node
// another name.
func (n *Node) Failed() <-chan error { return n.failed }

// Drain tells the others that this node hands its clients over, or does so no more: they name it to no client
// from then on.
func (n *Node) Drain(on bool) {
	n.local(func(now peer.Now, out *peer.Out) { n.machine.Drain(now, on, out) })
}

// Draining is a live node that drains and began before this one did; empty: there is none.
func (n *Node) Draining() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.machine.Draining()
}

// Close tells the others that this node ends, and waits until nobody is called any more. The Bus stays open. It may
// be repeated.
func (n *Node) Close() {
	n.closing.Do(func() {
		n.local(func(now peer.Now, out *peer.Out) { n.machine.Leave(now, out) })
		n.mu.Lock()
		n.left = true
		n.mu.Unlock()
		close(n.done)
		n.running.Wait()
		n.telling.Lock() // whoever tells has ended
		defer n.telling.Unlock()
		for _, w := range n.watches {
			w.stop()
		}
		clear(n.watches)
	})
}
