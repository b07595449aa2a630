package messaging_test

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// fabric is what nodes of a test are told of each other: messaging.Peers, without a bus and its faults but for
// those that the test makes.
type fabric struct {
	mu    sync.Mutex
	nodes map[string]*fabricNode
	stamp uint64

	// fault tells how often what a hub says to another comes there; nil: once. With mu held.
	fault func(from, to string, body []byte) int
	// most is how large a message may be; 0: any size.
	most int
	// untold has a node that comes hear of no login there was before: each has to ask.
	untold bool
	// deaf tells that a login, or a logout, is not heard, until it is told again. With mu held.
	deaf func(from, to string) bool
}

// fabricNode is one node's.
type fabricNode struct {
	f    *fabric
	name string
	srv  *server.Server
	h    cluster.Handler

	// With mu held.
	live    map[string]bool
	logins  map[uint64]cluster.Login
	logouts []cluster.Login
	refs    map[uint64]server.Ref
	frozen  bool
	wake    chan struct{}
	queue   []func()
	ended   bool
}

func newFabric() *fabric { return &fabric{nodes: make(map[string]*fabricNode)} }

func (f *fabric) node(name string) *fabricNode {
	n := &fabricNode{f: f, name: name, live: make(map[string]bool), logins: make(map[uint64]cluster.Login), refs: make(map[uint64]server.Ref), wake: make(chan struct{}, 1)}
	f.mu.Lock()
	f.nodes[name] = n
	f.mu.Unlock()
	return n
}

func (f *fabric) peers(t *testing.T, name string) messaging.Peers {
	n := f.node(name)
	t.Cleanup(n.end)
	return n
}

func (n *fabricNode) Node() string { return n.name }

func (n *fabricNode) Live() []string {
	n.f.mu.Lock()
	defer n.f.mu.Unlock()
	all := []string{n.name}
	for name := range n.live {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (n *fabricNode) Home(key string) string { return homeAmong(n.Live(), key) }

// homeAmong is a rendezvous hash, as it has to be: who takes itself for the home does not see the one that is.
func homeAmong(nodes []string, key string) string {
	return slices.MaxFunc(nodes, func(a, b string) int {
		return cmp.Compare(xxhash.Sum64String(a+"/"+key), xxhash.Sum64String(b+"/"+key))
	})
}

// Stamp is greater than all before, on any node.
func (n *fabricNode) Stamp(after uint64) uint64 {
	n.f.mu.Lock()
	defer n.f.mu.Unlock()
	n.f.stamp = max(n.f.stamp+1, after+1, uint64(time.Now().UnixMilli())<<16)
	return n.f.stamp
}

// Opened closes older sessions of the id, as a cluster does.
func (n *fabricNode) Opened(l cluster.Login, ref server.Ref) uint64 {
	if l.Stamp == 0 {
		l.Stamp = n.Stamp(0)
	}
	f := n.f
	f.mu.Lock()
	defer f.mu.Unlock()
	n.logins[l.Stamp], n.refs[l.Stamp] = l, ref
	n.tellLogin(l)
	return l.Stamp
}

func (n *fabricNode) tellLogin(l cluster.Login) {
	if n.ended {
		return
	}
	for name := range n.live {
		to := n.f.nodes[name]
		if n.f.deaf != nil && n.f.deaf(n.name, name) {
			time.AfterFunc(time.Second, func() { n.again(to, l) })
			continue
		}
		n.login(to, l)
	}
}

// again is what the repair of a gap brings.
func (n *fabricNode) again(to *fabricNode, l cluster.Login) {
	n.f.mu.Lock()
	defer n.f.mu.Unlock()
	if _, there := n.logins[l.Stamp]; there && n.live[to.name] {
		n.login(to, l)
	}
}

func (n *fabricNode) login(to *fabricNode, l cluster.Login) {
	if !to.live[n.name] {
		return // it is nothing to it until it is told all
	}
	to.push(func() {
		to.h.Login(n.name, l)
		to.close(l)
	})
}

// Follow says that all are told of all.
func (n *fabricNode) Follow(string) bool { return false }

func (n *fabricNode) Unfollow(string) {}

// close ends older sessions of the same id here.
func (n *fabricNode) close(l cluster.Login) {
	n.f.mu.Lock()
	var older []server.Ref
	for stamp, own := range n.logins {
		if own.ID == l.ID && stamp < l.Stamp {
			older = append(older, n.refs[stamp])
		}
	}
	n.f.mu.Unlock()
	for _, ref := range older {
		_ = n.srv.Close(ref, server.Close{Code: codec.CodeReplaced})
	}
}

func (n *fabricNode) Closed(id string, stamp uint64) {
	n.f.mu.Lock()
	defer n.f.mu.Unlock()
	l := n.logins[stamp]
	n.logouts = append(n.logouts, l)
	delete(n.logins, stamp)
	delete(n.refs, stamp)
	for name := range n.live {
		if to := n.f.nodes[name]; !n.ended && to.live[n.name] && (n.f.deaf == nil || !n.f.deaf(n.name, name)) {
			to.push(func() { to.h.Logout(n.name, l) })
		}
	}
}

func (n *fabricNode) Send(node string, body []byte) error {
	n.f.mu.Lock()
	defer n.f.mu.Unlock()
	if !n.live[node] || n.ended {
		return cluster.ErrUnknownNode
	}
	if n.f.most > 0 && len(body) > n.f.most {
		return cluster.ErrTooBig
	}
	to, copies := n.f.nodes[node], 1
	if n.f.fault != nil {
		copies = n.f.fault(n.name, node, body)
	}
	body = bytes.Clone(body)
	for range copies {
		to.push(func() { to.h.Message(n.name, bytes.Clone(body)) })
	}
	return nil
}

func (n *fabricNode) SendAll(body []byte) error {
	for _, name := range n.Live() {
		if name != n.name {
			_ = n.Send(name, body)
		}
	}
	return nil
}

func (n *fabricNode) Start(srv *server.Server, h cluster.Handler) error {
	n.srv, n.h = srv, h
	go n.run()
	n.f.mu.Lock()
	defer n.f.mu.Unlock()
	for _, other := range n.f.nodes {
		if other != n && other.h.Up != nil && !other.ended {
			n.sees(other)
			other.sees(n)
		}
	}
	return nil
}

// sees has a node be told that another came. With mu held.
func (n *fabricNode) sees(other *fabricNode) {
	if !n.live[other.name] {
		n.live[other.name] = true
		n.push(func() { n.h.Up(other.name) })
	}
	for _, l := range other.logins {
		if !n.f.untold {
			other.login(n, l)
		}
	}
}

// loses has a node be told that another is gone. With mu held.
func (n *fabricNode) loses(other string) {
	if n.live[other] {
		delete(n.live, other)
		n.push(func() { n.h.Down(other) })
	}
}

// push has the node's goroutine do something. With mu held.
func (n *fabricNode) push(do func()) {
	if n.ended {
		return
	}
	n.queue = append(n.queue, do)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *fabricNode) run() {
	for range n.wake {
		for {
			n.f.mu.Lock()
			if n.ended {
				n.f.mu.Unlock()
				return
			}
			if len(n.queue) == 0 || n.frozen {
				n.f.mu.Unlock()
				break
			}
			do := n.queue[0]
			n.queue = n.queue[1:]
			n.f.mu.Unlock()
			do()
		}
	}
}

// end has a node be gone, of which nobody is told.
func (n *fabricNode) end() {
	n.f.mu.Lock()
	defer n.f.mu.Unlock()
	if !n.ended {
		n.ended, n.queue = true, nil
		close(n.wake)
	}
}

// dies has a node be gone, and the others be told after what it said last.
func (f *fabric) dies(name string) {
	f.nodes[name].end()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, other := range f.nodes {
		other.loses(name)
	}
}

// heal has two nodes see each other again, both or one of which has lost the other.
func (f *fabric) heal(a, b string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[a].sees(f.nodes[b])
	f.nodes[b].sees(f.nodes[a])
}

// freeze has a node hear nothing until it thaws.
func (f *fabric) freeze(name string, frozen bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.nodes[name]
	n.frozen = frozen
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// faults has copies say how often what a node says to another comes there.
func (f *fabric) faults(copies func(from, to string) int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = func(from, to string, _ []byte) int { return copies(from, to) }
	f.deaf = func(from, to string) bool { return copies(from, to) == 0 }
}

// loses has a node be told that another is gone.
func (f *fabric) loses(node, other string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[node].loses(other)
}
