package admin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listen answers for a node on a listener of its own.
func listen(t *testing.T) (addr string, open *conns) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open = new(conns)
	srv := newServer(fine(), Config{}, open)
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(listener) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-ended; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return listener.Addr().String(), open
}

// probe asks on a connection that it closes; the status is 0 for no answer.
func probe(addr, path string) (status int, body string) {
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// Who opens connections takes no more descriptors than the bound, whatever he does with
// them, and operators get in all the same: what nothing happens on goes, the oldest first.
func TestConnectionsAreBoundedAndTheIdleGo(t *testing.T) {
	const beyond = 2
	for _, tc := range []struct {
		name, says string
		answered   bool
	}{
		{"idle", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"silent", "", false},
		{"slow", "GET /livez HT", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			addr, open := listen(t)
			var held []net.Conn
			for range MaxConns {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Write([]byte(tc.says)); err != nil {
					t.Fatal(err)
				}
				if tc.answered {
					if _, err := conn.Read(make([]byte, 4096)); err != nil {
						t.Fatal(err)
					}
				}
				if held = append(held, conn); tc.answered {
					open.awaitIdle(t, len(held)) // or one that is answered later could be the older one
				}
			}
			if tc.name == "slow" {
				time.Sleep(busyTime) // what it is about
			}
			for range beyond {
				if status, body := probe(addr, "/livez"); status != 200 {
					t.Errorf("a probe beside %d %s connections: %d %s", MaxConns, tc.name, status, body)
				}
			}
			// The probes have closed theirs: only the first had to go for them. That somebody had to is counted;
			// from 5 s on the others are closed as idle.
			if n, err := held[0].Read(make([]byte, 1)); err == nil || n != 0 || isTimeout(err) {
				t.Errorf("the oldest connection gets %d bytes, %v; want it closed", n, err)
			}
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
				_, body := probe(addr, "/metrics")
				closed := open.closed.Load()
				if closed > 0 && strings.Contains(body, fmt.Sprintf("\nstormwheel_admin_refused_connections_total %d\n", closed)) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%d connections were closed; /metrics says\n%s", closed, body)
				}
			}
			open.mu.Lock()
			defer open.mu.Unlock()
			if len(open.open) > MaxConns {
				t.Errorf("%d connections are open, want %d at most", len(open.open), MaxConns)
			}
		})
	}
}

// awaitIdle waits until so many connections are idle: net/http says that after what a peer has seen of it.
func (c *conns) awaitIdle(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		idle := 0
		c.mu.Lock()
		for _, is := range c.open {
			if !is.busy {
				idle++
			}
		}
		c.mu.Unlock()
		if idle == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are idle, want %d", idle, want)
		}
	}
}

// Requests that are being answered are not idle: who comes beside them has to wait.
func TestConnectionsThatAreBusyStay(t *testing.T) {
	var c conns
	var all []net.Conn
	for range MaxConns + 1 {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		all = append(all, ours)
		c.changed(ours, http.StateNew)
		c.changed(ours, http.StateActive)
	}
	for i, conn := range all {
		_, open := c.open[conn]
		if want := i < MaxConns; open != want {
			t.Errorf("connection %d of %d is open: %v, want %v", i+1, len(all), open, want)
		}
	}
}

// Who has more to ask than operators have may have more connections.
func TestTheBoundOfConnectionsIsConfigured(t *testing.T) {
	var c conns
	newServer(fine(), Config{MaxConns: MaxConns + 1}, &c)
	for i := range MaxConns + 2 {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c.changed(ours, http.StateNew)
		c.changed(ours, http.StateActive)
		if _, open := c.open[ours]; open != (i <= MaxConns) {
			t.Errorf("connection %d is open: %v", i+1, open)
		}
	}
}

func isTimeout(err error) bool {
	netErr, ok := err.(net.Error)
	return ok && netErr.Timeout()
}
