package nodes

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// nodeStartTimeout bounds the time from exec to the ready line.
const nodeStartTimeout = 15 * time.Second

// maxAlternates are those that a node names: a client keeps no more of them, and a WELCOME
// has no room for very many.
const maxAlternates = 8

// nodeName stands for the name of a node in its arguments, as in that of a file of its own.
const nodeName = "{node}"

// ClusterAddr and ClusterAddrs stand in a node's arguments for where it listens for the others of its cluster, and
// for where all do. Nodes of a cluster are not told alternates: they find out.
const (
	ClusterAddr  = "{cluster}"
	ClusterAddrs = "{cluster-peers}"
)

// Node is one spawned `stormwheel serve`.
type Node struct {
	*child.Child
	Name  string
	Addr  string // HOST:PORT of the listener
	Bus   string // HOST:PORT of that for the others of its cluster; "": it is of none
	admin string // HOST:PORT of GET /stats

	command func() *child.Child // makes it; more than once in some storms
	died    func(error)         // is told of an end that nobody asked for

	frozen atomic.Bool // it can't be asked
	slow   atomic.Bool // asking it would take long
}

// Spawn starts count children that know each other as alternates, and returns when
// all are ready. Whatever it returns, no child is left behind on an error. died is told
// why, of a child that ends unasked.
func Spawn(ctx context.Context, serve child.Program, count int, args []string, died func(error)) (*Servers, error) {
	addrs, err := freeport.Loopback(2 * count)
	if err != nil {
		return nil, err
	}
	clustered := slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, ClusterAddr) }) // also within --node-arg
	within := addrs[count:]
	nodes := make([]*Node, count)
	for i := range nodes {
		var others []string
		for j := range min(count-1, maxAlternates) { // the next ones, so that none is everybody's
			others = append(others, addrs[(i+1+j)%count])
		}
		nodes[i] = &Node{Name: fmt.Sprintf("n%d", i+1), Addr: addrs[i]}
		if clustered {
			nodes[i].Bus = within[i]
		}
		argv := []string{"--node", nodes[i].Name, "--listen", addrs[i], "--admin", "127.0.0.1:0"}
		if len(others) > 0 && !clustered {
			argv = append(argv, "--alternates", strings.Join(others, ","))
		}
		for _, arg := range args {
			argv = append(argv, strings.NewReplacer(nodeName, nodes[i].Name, ClusterAddr, within[i], ClusterAddrs, strings.Join(within, ",")).Replace(arg))
		}
		nodes[i].command, nodes[i].died = func() *child.Child { return serve.Command(argv...) }, died
	}
	failed := make([]error, count)
	var starting sync.WaitGroup
	for i, n := range nodes {
		starting.Go(func() { failed[i] = n.start(ctx) })
	}
	starting.Wait()
	for _, err := range failed { // the first tells enough: they have the same flags
		if err != nil {
			stopNodes(nodes)
			return nil, err
		}
	}
	all := &Servers{Nodes: nodes, named: count}
	for _, n := range nodes {
		go n.watch()
		all.list = append(all.list, result.Server{Addr: n.Addr, Node: &n.Name, PID: &n.PID})
		all.observers = append(all.observers, observer{node: n, pid: n.PID, admin: n.admin})
	}
	return all, nil
}

// start runs the child and waits for its ready line.
func (n *Node) start(ctx context.Context) error {
	n.Child = n.command()
	line, err := n.Start(ctx, nodeStartTimeout)
	if err != nil {
		return n.didNotStart(err)
	}
	return n.readyLine(line)
}

// watch tells of a death that nobody asked for.
func (n *Node) watch() {
	<-n.Done()
	if n.Unasked() {
		n.died(fmt.Errorf("node %s (pid %d) died unasked: %w%s", n.Name, n.PID, n.How(), n.LastWords()))
	}
}

// again starts a node that has ended: a new process of the same name and address.
func (n *Node) again(ctx context.Context) (*Node, error) {
	next := &Node{Name: n.Name, Addr: n.Addr, Bus: n.Bus, command: n.command, died: n.died}
	if err := next.start(ctx); err != nil {
		stopNodes([]*Node{next})
		return nil, err
	}
	go next.watch()
	return next, nil
}

// didNotStart words the end of a child that was never ready. What the command itself found
// wrong with the flags is an error of usage here too.
func (n *Node) didNotStart(err error) error {
	var exit *exec.ExitError
	if fault, ours := strings.CutPrefix(n.Complaint(), "stormwheel: "); ours && errors.As(err, &exit) && exit.ExitCode() == result.ExitUsage {
		return result.Usage("node %s did not start: %s", n.Name, fault)
	}
	return fmt.Errorf("node %s did not start: %w", n.Name, err)
}

// readyLine reads `stormwheel ready node=n1 listen=127.0.0.1:7001 admin=127.0.0.1:7002 pid=5`.
func (n *Node) readyLine(s string) error {
	words := strings.Fields(s)
	if len(words) < 2 || words[0] != "stormwheel" || words[1] != "ready" {
		return fmt.Errorf("node %s said %q instead of being ready%s", n.Name, strings.TrimSpace(s), n.LastWords())
	}
	for _, w := range words[2:] {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "admin":
			n.admin = value
		case "listen":
			if value != n.Addr {
				return fmt.Errorf("node %s listens on %s, was told %s", n.Name, value, n.Addr)
			}
		}
	}
	return nil
}

// stopNodes kills and reaps them all.
func stopNodes(nodes []*Node) {
	for _, n := range nodes {
		n.Kill()
	}
	for _, n := range nodes {
		n.Reap()
	}
}

// Freeze stops the process; a death would still be unasked.
func (n *Node) Freeze() error {
	n.frozen.Store(true)
	return n.Signal(syscall.SIGSTOP)
}

// Thaw lets it go on. It may be repeated.
func (n *Node) Thaw() error {
	defer n.frozen.Store(false)
	return n.Signal(syscall.SIGCONT)
}

// Most is how many nodes a run may spawn: what a process of a million descriptors would need; each is a process.
const Most = 1024
