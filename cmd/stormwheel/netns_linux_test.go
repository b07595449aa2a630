package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// network is a network namespace. It belongs to a process that ends with the test, however
// the test ends, and all that was made in it goes with it.
type network struct {
	t   *testing.T
	pid string
}

func newNetwork(t *testing.T) network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces and their interfaces")
	}
	for _, tool := range [][2]string{{"ip", "iproute2"}, {"nsenter", "util-linux"}} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			t.Skipf("needs %s, which is in %s and not on this machine", tool[0], tool[1])
		}
	}
	holder := exec.Command("cat")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	in, err := holder.StdinPipe() // which ends with this process
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("no network namespace to be had: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = holder.Wait() // it has nothing to say
	})
	n := network{t, strconv.Itoa(holder.Process.Pid)}
	n.ip("link set lo up")
	return n
}

func (n network) command(args ...string) []string {
	return append([]string{"--target", n.pid, "--net", "--"}, args...)
}

func (n network) ip(words string) {
	n.t.Helper()
	out, err := exec.Command("nsenter", n.command(append([]string{"ip"}, strings.Fields(words)...)...)...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("ip %s: %v: %s", words, err, out)
	}
}

// link joins two networks by a cable whose ends have .1 and .2 of subnet.
func (n network) link(other network, name, subnet string) {
	n.t.Helper()
	n.ip("link add " + name + " type veth peer name " + name + " netns " + other.pid)
	for i, end := range []network{n, other} {
		end.ip("addr add " + subnet + "." + strconv.Itoa(i+1) + "/24 dev " + name)
		end.ip("link set " + name + " up")
	}
}

// stormwheel runs the command in the network.
func (n network) stormwheel(args ...string) *process {
	n.t.Helper()
	return start(n.t, nil, "nsenter", n.command(append([]string{os.Args[0]}, args...)...)...)
}

// TestClientNoticesAVanishedNodeByItself: the node's address goes and the node is killed,
// so that neither FIN nor RST reaches the client. It must notice within its interval and
// its pong timeout, and go to the other node.
func TestClientNoticesAVanishedNodeByItself(t *testing.T) {
	const interval, pongTimeout = time.Second, time.Second
	home := newNetwork(t)
	type site struct {
		network
		node *process
		addr string
	}
	sites := map[string]*site{}
	var addrs []string
	for _, s := range [][2]string{{"a", "10.203.1"}, {"b", "10.203.2"}} {
		name, subnet := s[0], s[1]
		n := newNetwork(t)
		home.link(n, "sw"+name, subnet)
		addr := subnet + ".2:7000"
		p := n.stormwheel("serve", "--node", name, "--listen", addr, "--heartbeat", interval.String(), "--timeout", "5s", "--max-window", "1s")
		if line := p.line(); !strings.HasPrefix(line, "stormwheel ready node="+name) {
			t.Fatalf("ready line is %q", line)
		}
		sites[name] = &site{n, p, addr}
		addrs = append(addrs, addr)
	}
	c := home.stormwheel("connect", "--server", strings.Join(addrs, ","), "--id", "alice", "--pong-timeout", pongTimeout.String())
	first := afterWord(t, c.until("connected to"), "node")
	c.say("hello") // answered: there is traffic before the silence
	c.until("< hello")

	s := sites[first]
	s.ip("addr flush dev sw" + first)
	vanished := time.Now()
	s.node.signal(syscall.SIGKILL)
	lost := c.until("lost")
	noticed := time.Since(vanished)
	back := c.until("back on")
	away := time.Since(vanished)
	// Nothing but the client's own clock told it. How late it may be the link's own tests hold, on a clock
	// that no machine delays.
	if !strings.Contains(lost, "node "+first) || !strings.Contains(lost, "timed out: no PONG") || !strings.Contains(lost, "trying again") {
		t.Errorf("loss shows as %q", lost)
	}
	if now := afterWord(t, back, "node"); now == first {
		t.Errorf("it is back on %s, which has vanished", now)
	}
	t.Logf("noticed after %v, back on the other node after %v", noticed.Round(time.Millisecond), away.Round(time.Millisecond))
}

// A link-local address is one only with its zone: where to listen, where to connect, what to
// load and where to ask for figures.
func TestAddressesKeepTheirZone(t *testing.T) {
	n := newNetwork(t)
	n.ip("link add v0 type veth peer name v1")
	n.ip("link set v1 up")
	n.ip("link set v0 up")
	n.ip("addr add fe80::7/64 dev v0 nodad")
	for _, listen := range []string{"[fe80::7%v0]:7000", "[::]:7002"} {
		_, port, _ := strings.Cut(listen, "]")
		target, admin := "[fe80::7%v0]"+port, "[fe80::7%v0]:7001"
		node := n.stormwheel("serve", "--listen", listen, "--admin", admin, "--drain-grace", "0")
		if line := node.line(); !strings.Contains(line, " listen="+listen+" admin="+admin+" ") {
			t.Fatalf("ready line is %q", line)
		}
		c := n.stormwheel("connect", "--server", target, "--id", "alice")
		c.until("connected to")
		c.say(":q")
		if code, _ := c.exit(); code != 0 {
			t.Errorf("connect to %s: exit %d: %s", target, code, c.stderr.String())
		}
		b := n.stormwheel("bench", "hold", "--target", target, "--admin", admin, "--i-own-this-target",
			"--conns", "5", "--heartbeat", "100ms", "--duration", "300ms", "--no-tui", "--threshold", "conns.end==5")
		if code, _ := b.exit(); code != 0 && code != result.ExitInvalid {
			t.Errorf("bench of %s: exit %d: %s", target, code, b.stderr.String())
		}
		node.signal(syscall.SIGTERM)
		if code, _ := node.exit(); code != 0 {
			t.Errorf("serve at %s: exit %d: %s", listen, code, node.stderr.String())
		}
	}
}

// Whatever a node listens at is an ordinary socket: for clients, operators and other nodes.
func TestNoSocketIsOfMPTCP(t *testing.T) {
	n := newNetwork(t)
	node := n.stormwheel("serve", "--listen", "127.0.0.1:7000", "--admin", "127.0.0.1:7001", "--node", "a", "--drain-grace", "0",
		"--cluster", "nats://embedded", "--cluster-listen", "127.0.0.1:7002")
	node.line()
	out, err := exec.Command("nsenter", n.command("cat", "/proc/net/protocols")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); strings.HasPrefix(f[0], "MPTCP") && f[2] != "0" || f[0] == "TCP" && f[2] == "0" {
			t.Errorf("%s sockets of %s", f[2], f[0])
		}
	}
	node.signal(syscall.SIGTERM)
	if code, _ := node.exit(); code != 0 {
		t.Errorf("exit %d: %s", code, node.stderr.String())
	}
}

// Ports that others have taken are nobody's fault but this machine's: the run is invalid and
// names them, whatever the target did. What is known before is refused before.
func TestALackOfLocalPortsIsNotTheTargetsFault(t *testing.T) {
	n := newNetwork(t)
	for name, value := range map[string]string{"net.ipv4.ip_local_port_range": "40000 40059", "net.ipv4.tcp_tw_reuse": "0"} {
		if out, err := exec.Command("nsenter", n.command("sysctl", "-qw", name+"="+value)...).CombinedOutput(); err != nil {
			t.Skipf("%s cannot be set: %v: %s", name, err, out)
		}
	}
	node := n.stormwheel("serve", "--listen", "[::1]:7000", "--drain-grace", "0")
	node.line()
	others := n.stormwheel("bench", "hold", "--target", "[::1]:7000", "--conns", "30", "--heartbeat", "1s", "--duration", "10m", "--no-tui")
	for deadline := time.Now().Add(time.Minute); !strings.Contains(others.stderr.String(), "all 30 clients are ready"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the ports are not taken: %s", others.stderr.String())
		}
	}
	hold := func(args ...string) []string {
		return append([]string{"bench", "hold", "--target", "[::1]:7000", "--heartbeat", "200ms", "--duration", "1s", "--rate", "200", "--quiet"}, args...)
	}
	for _, tt := range []struct {
		args []string
		code int
		say  string
	}{
		{hold("--conns", "50"), result.ExitInvalid, "no free local port"},
		{hold("--conns", "70"), result.ExitImpossible, "60 local ports"},
		{[]string{"bench", "churn", "--target", "[::1]:7000", "--conns", "10", "--lifetime", "500ms", "--duration", "10s", "--quiet"},
			result.ExitImpossible, "200 that were closed and keep their ports (TIME_WAIT)"},
	} {
		p := n.stormwheel(tt.args...)
		code, _ := p.exit()
		if s := p.stderr.String(); code != tt.code || !strings.Contains(s, tt.say) || strings.Count(s, "\n") != 1 {
			t.Errorf("%v: exit %d: %q; want exit %d and one line with %q", tt.args, code, s, tt.code, tt.say)
		}
	}
	others.signal(syscall.SIGINT)
	others.exit()
	node.signal(syscall.SIGTERM)
	node.exit()
}

// Where a family of addresses is missing, connect fails with the error that a lack of ports has.
func TestAnAlternateOfAMissingFamilyIsNoLackOfPorts(t *testing.T) {
	n := newNetwork(t)
	if out, err := exec.Command("nsenter", n.command("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")...).CombinedOutput(); err != nil {
		t.Skipf("IPv6 cannot be switched off: %v: %s", err, out)
	}
	node := n.stormwheel("serve", "--listen", "127.0.0.1:7000", "--drain-grace", "0", "--alternates", "[::1]:7009", "--admit-rate", "10000")
	node.line()
	p := n.stormwheel("bench", "hold", "--target", "127.0.0.1:7000", "--conns", "10", "--heartbeat", "200ms", "--duration", "4s",
		"--pong-timeout", "1s", "--policy", "fixed", "--no-tui", "--json", "-")
	for deadline := time.Now().Add(time.Minute); !strings.Contains(p.stderr.String(), "all 10 clients are ready"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody is ready: %s", p.stderr.String())
		}
	}
	node.signal(syscall.SIGKILL)
	_, out := p.exit()
	r := resultOf(t, out)
	if f := r.Connect.Failures; f.Ports != 0 || f.Other == 0 {
		t.Errorf("failures %+v; want the alternate among the others, and the node that is gone", f)
	}
	if why := r.Generator.WhyInvalid; why != nil && strings.Contains(*why, "port") {
		t.Errorf("invalid: %s", *why)
	}
}

// While no node of a cluster hears another, what is for the other side is stored, and comes when they do.
func TestASplitOfACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	n := newNetwork(t)
	t.Parallel()
	m, said := talkedBy(t, n.stormwheel, "--spawn", "3", "--cluster", "--conns", "60", "--rooms", "3", "--every", "500ms", "--duration", "6s", "--split-after", "500ms", "--split-for", "3s")
	if m.Sent != 60*12 || m.Durable == 0 {
		t.Errorf("messages = %+v; it said\n%s", m, said)
	}
}

// Where more than loopback is up, rules of routing are those of a machine.
func TestNoSplitOfTheMachine(t *testing.T) {
	n := newNetwork(t)
	n.ip("link add v0 type veth peer name v1")
	n.ip("link set v0 up")
	p := n.stormwheel("bench", "talk", "--no-tui", "--spawn", "2", "--cluster", "--split-after", "1s")
	if code, _ := p.exit(); code != result.ExitOther || !strings.Contains(p.stderr.String(), "--split-after: a split would change the routing of this machine, which has v0") {
		t.Errorf("exit %d: %s", code, p.stderr.String())
	}
}
