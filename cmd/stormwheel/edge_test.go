package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// edge is a cluster of processes, named a, b and so on, each of which keeps its addresses and its store over all its runs.
type edge struct {
	t     *testing.T
	nodes []*node // as they run now
	argv  [][]string
	hub   network   // from which clients come; none: that of the test
	nets  []network // of each node; empty: they are where the test is
}

// freePorts are addresses on loopback at which nobody listens.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	addrs, err := freeport.Loopback(n)
	if err != nil {
		t.Fatal(err)
	}
	return addrs
}

// newEdge is one of n nodes on loopback that do not run yet. In args {store} is a file of each node's own.
func newEdge(t *testing.T, n int, args ...string) *edge {
	t.Helper()
	ports := freePorts(t, 3*n)
	listen, admin, bus := ports[:n], ports[n:2*n], ports[2*n:]
	e := &edge{t: t, nodes: make([]*node, n)}
	for i := range n {
		e.argv = append(e.argv, memberArgs(t, i, listen[i], admin[i], bus[i], bus, args))
	}
	return e
}

func memberArgs(t *testing.T, i int, listen, admin, bus string, peers, args []string) []string {
	t.Helper()
	name := string(rune('a' + i))
	argv := append([]string{"serve", "--listen", listen, "--admin", admin, "--node", name,
		"--cluster", "nats://embedded", "--cluster-listen", bus, "--cluster-peers", strings.Join(peers, ",")}, args...)
	store := filepath.Join(t.TempDir(), name+".db")
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "{store}", store)
	}
	return argv
}

// startMember is a node of a cluster of one's own making.
func startMember(t *testing.T, i int, peers []string, args ...string) *process {
	t.Helper()
	return stormwheel(t, memberArgs(t, i, "127.0.0.1:0", "127.0.0.1:0", peers[i], peers, args)...)
}

// startCluster starts nodes named a, b and so on, and waits until all are ready.
func startCluster(t *testing.T, n int, args ...string) []*node {
	t.Helper()
	return newEdge(t, n, args...).start().nodes
}

// start starts all nodes at once.
func (e *edge) start() *edge {
	e.t.Helper()
	all := make([]*process, len(e.nodes))
	for i := range all {
		all[i] = e.launch(i)
	}
	for i, p := range all {
		e.ready(i, p)
	}
	return e
}

func (e *edge) launch(i int) *process {
	e.t.Helper()
	if len(e.nets) > 0 {
		return e.nets[i].stormwheel(e.argv[i]...)
	}
	return stormwheel(e.t, e.argv[i]...)
}

func (e *edge) ready(i int, p *process) {
	e.t.Helper()
	e.nodes[i] = ready(e.t, p)
	if len(e.nets) > 0 {
		e.nodes[i].in = e.nets[i]
	}
}

// again starts a node that has ended.
func (e *edge) again(i int) {
	e.t.Helper()
	e.ready(i, e.launch(i))
}

// kill is kill -9 of a node. It has gone on return.
func (e *edge) kill(i int) {
	e.t.Helper()
	e.nodes[i].signal(syscall.SIGKILL)
	e.nodes[i].exit()
}

// freeze is SIGSTOP to a node for a while.
func (e *edge) freeze(i int, d time.Duration) {
	e.t.Helper()
	e.nodes[i].signal(syscall.SIGSTOP)
	time.Sleep(d) // it is the fault
	e.nodes[i].signal(syscall.SIGCONT)
}

// addrs is where clients come.
func (e *edge) addrs() (all []string) {
	for _, n := range e.nodes {
		all = append(all, n.listen)
	}
	return all
}

// command is stormwheel where clients are.
func (e *edge) command(args ...string) *process {
	e.t.Helper()
	if e.hub.pid != "" {
		return e.hub.stormwheel(args...)
	}
	return stormwheel(e.t, args...)
}

// whole waits until all nodes see all, and have heard of every login.
func (e *edge) whole() {
	e.t.Helper()
	waitFor(e.t, "all nodes see all, and nobody is behind", func() bool {
		return !slices.ContainsFunc(e.nodes, func(n *node) bool {
			st := n.cluster()
			return st.Live != len(e.nodes) || slices.ContainsFunc(st.Members, func(m cluster.Member) bool { return m.Behind > 0 || m.Listing })
		})
	})
}

// slow tells whether faults last as long as they may, in place of as long as they must. What the tests start is not told: to it
// that would be a flag of bench.
var slow = func() bool {
	const name = "STORMWHEEL_SLOW"
	defer os.Unsetenv(name)
	return os.Getenv(name) != ""
}()

// during has 60 users talk at all nodes, in pairs and in rooms, while something befalls the nodes for so long; then all nodes see all
// again, and every message is reconciled by its name.
func (e *edge) during(what string, lasts time.Duration, strike func()) {
	e.t.Helper()
	args := []string{"--target", strings.Join(e.addrs(), ","), "--i-own-this-target", "--cluster", "--conns", "60", "--rooms", "3", "--every", "500ms",
		"--duration", (lasts + time.Second).String(), "--pong-timeout", "2s", "--no-promises"}
	for _, must := range []string{"messages.lost==0", "messages.held_lost==0", "messages.doubled==0", "messages.acknowledged>0", "conns.end==60"} {
		args = append(args, "--threshold", must)
	}
	r := talking(e.t, e.command, args...)
	waitFor(e.t, "they talk", func() bool { return strings.Contains(r.stderr.String(), "they talk for") })
	strike()
	e.whole()
	m, said := r.over()
	e.t.Logf("%s: %d sent, %d acknowledged, %d durable first, %d refused (%d of them to be sent later), %d of %d copies came", what, m.Sent, m.Acknowledged, m.Durable, m.Refused, m.TryLater, m.Delivered, m.Published)
	if m.Refused != m.TryLater {
		e.t.Errorf("%s: %d messages were refused for good", what, m.Refused-m.TryLater)
	}
	if e.t.Failed() {
		e.t.Fatalf("%s:\n%s\n%s", what, said, e.logs())
	}
}

// logs are what the nodes have said.
func (e *edge) logs() string {
	var all strings.Builder
	for _, n := range e.nodes {
		fmt.Fprintf(&all, "node %s:\n%s", n.name, n.stderr.String())
	}
	return all.String()
}

// cluster is what a node says of its.
func (n *node) cluster() (st cluster.Status) {
	n.t.Helper()
	status, body := n.get("GET", "/cluster")
	if err := json.Unmarshal([]byte(body), &st); status != 200 || err != nil {
		n.t.Fatalf("/cluster: status %d, %v, %s", status, err, body)
	}
	return st
}

// sees tells whether a node has that many live nodes, itself included.
func (n *node) sees(live int) bool { return n.cluster().Live == live }

// member is what a node says of another.
func (n *node) member(name string) cluster.Member {
	st := n.cluster()
	i := slices.IndexFunc(st.Members, func(m cluster.Member) bool { return m.Node == name })
	if i < 0 {
		return cluster.Member{}
	}
	return st.Members[i]
}

// knowsOneOf waits until a node has seen the one login that another has: its WELCOME does not wait for that.
func (n *node) knowsOneOf(name string) {
	n.t.Helper()
	waitFor(n.t, n.name+" knows who is at "+name, func() bool {
		m := n.member(name)
		return m.Sessions == 1 && m.Behind == 0 && !m.Listing
	})
}

// startNATS is a NATS that is there. It ends with the test.
func startNATS(t *testing.T, port int) *natsserver.Server {
	t.Helper()
	nats, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	t.Cleanup(func() { nats.Shutdown(); nats.WaitForShutdown() })
	if !nats.ReadyForConnections(patience) {
		t.Fatal("no NATS")
	}
	return nats
}
