package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A node at a unix socket: a client comes back to it after kill -9, a load test runs against it, and
// the socket goes with it.
func TestTheCommandByAUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "sw") // t.TempDir's names are longer than a socket's may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "edge.sock")
	at := "unix:" + path
	flags := []string{"serve", "--listen", at + ",mode=0600", "--admin", "127.0.0.1:0", "--node", "edge", "--heartbeat", "1s", "--timeout", "1m"}
	n := ready(t, stormwheel(t, flags...))
	if n.listen != at {
		t.Errorf("the ready line says %q", n.listen)
	}
	alice := stormwheel(t, "connect", "--server", at, "--id", "alice")
	alice.until("connected to")
	if info := alice.info(); info["endpoint"] != at {
		t.Errorf(":info shows %v", info)
	}
	n.signal(syscall.SIGKILL)
	n.exit()
	alice.until("lost")
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the killed node's socket: %v", err)
	}
	n = ready(t, stormwheel(t, flags...))
	alice.until("back on")
	alice.say("hello")
	if line := alice.until("< "); line != "< hello" {
		t.Errorf("echo shows as %q", line)
	}

	p := stormwheel(t, "bench", "hold", "--target", at, "--admin", n.admin, "--conns", "200", "--duration", "2s", "--json", "-", "--no-tui")
	code, out := p.exit()
	if r := resultOf(t, out); code != 0 && r.Generator.Valid || r.Conns.End != 200 || r.Heartbeat.Missed != 0 || r.Server[0].Addr != at {
		t.Errorf("exit %d, %+v, %+v; it said\n%s", code, r.Conns, r.Heartbeat, p.stderr.String())
	}
	p = stormwheel(t, "bench", "hold", "--target", at+",127.0.0.1:7000", "--conns", "2")
	if code, _ := p.exit(); code != 2 || !strings.Contains(p.stderr.String(), "a unix socket goes with others of its kind only") {
		t.Errorf("exit %d; it said %s", code, p.stderr.String())
	}

	alice.say(":q")
	n.signal(syscall.SIGTERM)
	n.signal(syscall.SIGTERM)
	n.exit()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket outlives its node")
	}
}
