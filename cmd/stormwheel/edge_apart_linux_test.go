package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// dial connects from within the network; from where the test is, if it is none.
func (n network) dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	if n.pid == "" {
		return new(net.Dialer).DialContext(ctx, kind, addr)
	}
	other, err := os.Open("/proc/" + n.pid + "/ns/net")
	if err != nil {
		return nil, err
	}
	defer other.Close()
	runtime.LockOSThread() // for ever, if it cannot go back: then the thread ends with the goroutine
	back, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer back.Close()
	if err := unix.Setns(int(other.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, kind, addr) // of an address of numbers: the socket is of this thread
	if err := unix.Setns(int(back.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	runtime.UnlockOSThread()
	return conn, err
}

// newEdgeApart is an edge whose nodes have a network each, and two cables to the hub: clN, by which clients come, and busN, by
// which nodes reach each other. Where there can be none the test is skipped.
func newEdgeApart(t *testing.T, n int, args ...string) *edge {
	t.Helper()
	e := &edge{t: t, nodes: make([]*node, n), hub: newNetwork(t)}
	if out, err := exec.Command("nsenter", e.hub.command("sysctl", "-qw", "net.ipv4.ip_forward=1")...).CombinedOutput(); err != nil {
		t.Skipf("the hub cannot forward: %v: %s", err, out)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("x", 40)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var peers []string
	for i := range n {
		peers = append(peers, fmt.Sprintf("10.204.%d.2:6222", i))
	}
	for i := range n {
		own := newNetwork(t)
		e.hub.link(own, fmt.Sprint("cl", i), fmt.Sprint("10.203.", i))
		e.hub.link(own, fmt.Sprint("bus", i), fmt.Sprint("10.204.", i))
		own.ip(fmt.Sprintf("route add 10.204.0.0/16 via 10.204.%d.1", i))
		e.nets = append(e.nets, own)
		e.argv = append(e.argv, memberArgs(t, i, fmt.Sprintf("10.203.%d.2:7000", i), "127.0.0.1:7001", peers[i], peers, append([]string{"--cluster-secret-file", secret}, args...)))
	}
	return e
}

// cut has nothing of one node reach another by the bus. Nobody is told: what is sent goes nowhere.
func (e *edge) cut(from, to int) {
	e.t.Helper()
	e.hub.ip(fmt.Sprintf("rule add pref 5 iif bus%d to 10.204.%d.0/24 blackhole", from, to))
}

// heal undoes a cut.
func (e *edge) heal(from, to int) {
	e.t.Helper()
	e.hub.ip(fmt.Sprintf("rule del pref 5 iif bus%d to 10.204.%d.0/24 blackhole", from, to))
}

// alone cuts one node from all others, both ways, until the call of what it returns.
func (e *edge) alone(i int) (heal func()) {
	e.t.Helper()
	for j := range e.nodes {
		if j != i {
			e.cut(i, j)
			e.cut(j, i)
		}
	}
	return func() {
		e.t.Helper()
		for j := range e.nodes {
			if j != i {
				e.heal(i, j)
				e.heal(j, i)
			}
		}
	}
}

// narrow has what a node sends and gets by the bus pass at a rate, as tc says it, until the call of what it returns; false:
// this kernel cannot.
func (e *edge) narrow(i int, rate string) (heal func(), ok bool) {
	e.t.Helper()
	tc := func(in network, words string) error {
		words = fmt.Sprintf("tc qdisc "+words, fmt.Sprint("bus", i))
		return exec.Command("nsenter", in.command(strings.Fields(words)...)...).Run()
	}
	ends := []network{e.hub, e.nets[i]}
	for _, end := range ends {
		if err := tc(end, "add dev %s root tbf rate "+rate+" burst 16kb latency 500ms"); err != nil {
			return nil, false
		}
	}
	return func() {
		e.t.Helper()
		for _, end := range ends {
			if err := tc(end, "del dev %s root"); err != nil {
				e.t.Fatal(err)
			}
		}
	}, true
}
