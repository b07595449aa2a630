package server

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newNetwork returns a command prefix that runs in a network namespace of its own. The
// namespace belongs to a process that ends with the test, however the test ends, and all
// that was made in it goes too.
func newNetwork(t *testing.T) (inside []string, pid string) {
	t.Helper()
	holder := exec.Command("cat")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	in, err := holder.StdinPipe() // which ends with this process
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
			t.Skipf("no network namespace to be had: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		holder.Wait()
	})
	pid = fmt.Sprint(holder.Process.Pid)
	return []string{"nsenter", "--target", pid, "--net", "--"}, pid
}

// runIn runs a command in a network.
func runIn(t *testing.T, network []string, args ...string) string {
	t.Helper()
	args = append(network[:len(network):len(network)], args...)
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// needNetworks skips the test where it cannot make half-open peers, and says why.
func needNetworks(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces and their interfaces")
	}
	for _, tool := range [][2]string{{"ip", "iproute2"}, {"ss", "iproute2"}, {"nsenter", "util-linux"}} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			t.Skipf("needs %s, which is in %s and not on this machine", tool[0], tool[1])
		}
	}
}

// Clients whose machine vanishes send neither FIN nor RST. They are evicted in their span,
// and the kernel keeps nothing of them, which would retransmit for minutes.
func TestVanishedClientsAreEvictedInTheirSpanAndLeaveNoOrphan(t *testing.T) {
	theyVanish(t, 100, 1500*time.Millisecond)
}

// The same by TLS: few, since they are silent until the last handshake is over.
func TestVanishedTLSClientsAreEvictedInTheirSpanAndLeaveNoOrphan(t *testing.T) {
	t.Parallel()
	over.Store(t, stages{Name: "tls", Client: anyTLS})
	defer over.Delete(t)
	theyVanish(t, 10, 6*time.Second)
}

func theyVanish(t *testing.T, vanishing int, timeout time.Duration) {
	needNetworks(t)
	const tick, beat = 20 * time.Millisecond, 200 * time.Millisecond
	here, _ := newNetwork(t)
	there, therePID := newNetwork(t)
	runIn(t, here, "ip", "link", "add", "sw0", "type", "veth", "peer", "name", "sw1", "netns", therePID)
	for _, end := range []struct {
		network   []string
		link, own string
	}{{here, "sw0", "10.203.0.1/24"}, {there, "sw1", "10.203.0.2/24"}} {
		runIn(t, end.network, "ip", "link", "set", "lo", "up")
		runIn(t, end.network, "ip", "addr", "add", end.own, "dev", end.link)
		runIn(t, end.network, "ip", "link", "set", end.link, "up")
	}
	c := startSiege(t, orders{Listen: "10.203.0.1:0", Heartbeat: beat, Timeout: timeout, Tick: tick}, in(here...))
	empty := c.report("gc")
	clients := startChild(t, orders{Beating: vanishing, Node: c.Addr}, in(there...))
	c.until("all are in and have spoken", func(r report) bool { return r.Sessions == int64(vanishing) && r.Pings > 3*uint64(vanishing) })

	runIn(t, there, "ip", "addr", "flush", "dev", "sw1")
	flushed := time.Now()
	clients.cmd.Process.Kill()
	clients.cmd.Wait()
	c.until("all are evicted", func(r report) bool { return r.Conns == 0 })
	last := time.Since(flushed)
	r := c.report("report")
	if r.Closes["heartbeat_timeout"] != uint64(vanishing) {
		t.Errorf("%d clients vanished; the closes are %v", vanishing, r.Closes)
	}
	if early := timeout - tick; r.Silence < early { // how late it may be the pure tests hold
		t.Errorf("one was evicted after %v, the timeout is %v", r.Silence, timeout)
	}
	for line := range strings.Lines(runIn(t, here, "ss", "-tanH")) {
		if state := strings.Fields(line)[0]; state != "LISTEN" {
			t.Errorf("the kernel still holds %s", strings.TrimSpace(line))
		}
	}
	c.wantNothingLeft(empty)
	t.Logf("%d clients vanished: the first was evicted after %v, the last %v after their address went; timeout %v, beat %v",
		vanishing, r.Silence.Round(time.Millisecond), last.Round(time.Millisecond), timeout, beat)
}
