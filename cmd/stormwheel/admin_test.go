package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// operate runs a node in this process, with its admin listener.
func operate(t *testing.T, cfg server.Config, change func(*admin)) (*server.Server, *admin) {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newAdmin("127.0.0.1:0", srv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	change(a)
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := srv.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	a.serve()
	return srv, a
}

// ask returns what a path of the admin listener answers, 0 for nothing.
func (a *admin) ask(path string) (status int, body string) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + a.addr + path)
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

func (a *admin) until(t *testing.T, what, path string, ok func(status int, body string) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		status, body := a.ask(path)
		if ok(status, body) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s; %s says %d %s", patience, what, path, status, body)
		}
	}
}

// A handler that blocks its loop makes /livez give the node up, and its return makes it well.
func TestLivezSaysWhenALoopIsStuck(t *testing.T) {
	block := make(chan struct{})
	release := sync.OnceFunc(func() { close(block) })
	srv, a := operate(t, server.Config{Loops: 1, Tick: 10 * time.Millisecond,
		Handler: server.Handler{Message: func(*server.Session, uint64, []byte) { <-block }},
	}, func(a *admin) { a.stuck = time.Second })
	t.Cleanup(release)
	p := dial(t, srv.Addr())
	p.join()
	a.until(t, "the loop runs", "/livez", func(status int, _ string) bool { return status == 200 })
	p.write(codec.AppendSend(nil, 1, nil), nil)
	a.until(t, "the blocked loop is seen", "/livez", func(status int, body string) bool {
		return status == 503 && strings.HasPrefix(body, "a loop was last seen ")
	})
	release()
	a.until(t, "the loop is seen again", "/livez", func(status int, _ string) bool { return status == 200 })
}

// Who opens connections takes no more descriptors than the bound, whatever he does with
// them, and operators get in all the same: what nothing happens on goes, the oldest first.
func TestAdminConnectionsAreBoundedAndTheIdleGo(t *testing.T) {
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
			_, a := operate(t, server.Config{Loops: 1}, func(*admin) {})
			var open []net.Conn
			for range maxAdminConns {
				conn, err := net.Dial("tcp", a.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				// The others are closed no earlier than after 5 s.
				if err := conn.SetDeadline(time.Now().Add(4 * time.Second)); err != nil {
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
				open = append(open, conn)
			}
			if tc.name == "slow" {
				time.Sleep(busyTime) // what it is about
			}
			for range beyond {
				if status, body := a.ask("/livez"); status != 200 {
					t.Errorf("a probe beside %d %s connections: %d %s", maxAdminConns, tc.name, status, body)
				}
			}
			// The probes have closed theirs: only the first had to go for them.
			if n, err := open[0].Read(make([]byte, 1)); err == nil || n != 0 || isTimeout(err) {
				t.Errorf("the oldest connection gets %d bytes, %v; want it closed", n, err)
			}
			a.until(t, "the metric tells", "/metrics", func(status int, body string) bool {
				return status == 200 && strings.Contains(body, fmt.Sprintf("\nstormwheel_admin_refused_connections_total %d\n", a.open.closed.Load())) && a.open.closed.Load() > 0
			})
			a.open.mu.Lock()
			defer a.open.mu.Unlock()
			if len(a.open.open) > maxAdminConns {
				t.Errorf("%d connections are open, want %d at most", len(a.open.open), maxAdminConns)
			}
		})
	}
}

// Requests that are being answered are not idle: who comes beside them has to wait.
func TestAdminConnectionsThatAreBusyStay(t *testing.T) {
	var c adminConns
	var all []net.Conn
	for range maxAdminConns + 1 {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		all = append(all, ours)
		c.changed(ours, http.StateNew)
		c.changed(ours, http.StateActive)
	}
	for i, conn := range all {
		_, open := c.open[conn]
		if want := i < maxAdminConns; open != want {
			t.Errorf("connection %d of %d is open: %v, want %v", i+1, len(all), open, want)
		}
	}
}

func isTimeout(err error) bool {
	netErr, ok := err.(net.Error)
	return ok && netErr.Timeout()
}
