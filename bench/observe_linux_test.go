package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

func TestNamedServersHaveTheirFigures(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Farewell: true, Name: "east"})
	var evictions atomic.Int64
	evictions.Store(40)
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"node":"east","conns":%d,"sessions":%d,"evictions":%d,"sends":%d}`, f.Conns(), f.Conns(), evictions.Add(1), evictions.Load()+100)
	}))
	t.Cleanup(admin.Close)
	cfg := spawned(t, "good", "hold", 0, 20)
	cfg.Timeout, cfg.Tick, cfg.NodeCommand = 0, 0, nil
	cfg.Duration *= 5 // a second of the series at least
	cfg.Targets, cfg.PIDs, cfg.Admins = []string{f.Addr()}, []int{os.Getpid()}, []string{admin.Listener.Addr().String()}
	before := burn(t, 300*time.Millisecond)
	r, err := Run(t.Context(), cfg, View{})
	if r == nil {
		t.Fatal(err)
	}
	s := r.Server[0]
	if all, err := proc.Process(os.Getpid()); err != nil || s.CPUS == nil || *s.CPUS > (all.CPU()-before).Seconds()+0.02 {
		t.Errorf("%v, cpu %s s; want that of the run, at most %.2f s", err, result.Number(s.CPUS), (all.CPU() - before).Seconds())
	}
	if s.Node == nil || *s.Node != "east" || s.PID == nil || *s.PID != os.Getpid() || s.RSSBytes == nil || *s.RSSBytes < 1<<20 ||
		s.CPUS == nil || s.FDs == nil || *s.FDs < 20 || s.Conns == nil || *s.Conns != 20 || s.Sessions == nil || *s.Sessions != 20 {
		t.Errorf("server = %+v", s)
	}
	if s.Sends == nil || *s.Sends < 1 || *s.Sends > 30 || s.Delivers != nil {
		t.Errorf("%v messages got, %v written: want those since the run began, and nothing that it does not say", s.Sends, s.Delivers)
	}
	if s.Evictions == nil || *s.Evictions < 1 || *s.Evictions > 30 {
		t.Errorf("evictions = %v, want those since the run began", s.Evictions)
	}
	if len(r.Detail.Seconds) == 0 || len(r.Detail.Seconds[0].Servers) != 1 || r.Detail.Seconds[0].Servers[0].Conns == nil {
		t.Errorf("seconds = %+v, want the server in them", r.Detail.Seconds)
	}
	if err := validate(t, r); err != nil {
		t.Error(err)
	}
}

// burn has this process take so much processor time, and returns what it has taken since its
// start.
func burn(t *testing.T, d time.Duration) time.Duration {
	t.Helper()
	var first, now time.Duration
	for now-first < d {
		use, err := proc.Process(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if now = use.CPU(); first == 0 {
			first = now
		}
	}
	return now
}

func TestAServerThatCannotBeReadEndsTheRunBeforeItBegins(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Farewell: true})
	foreign := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(foreign.Close)
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	t.Cleanup(empty.Close)
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	var runs int64
	for _, tt := range []struct {
		name   string
		change func(*Config)
		code   int
		want   string
	}{
		{"no process", func(c *Config) { c.PIDs = []int{gone.Process.Pid} }, result.ExitOther, fmt.Sprintf("process %d of %s: there is none", gone.Process.Pid, f.Addr())},
		{"nobody there", func(c *Config) { c.Admins = []string{"127.0.0.1:1"} }, result.ExitOther, "no server at 127.0.0.1:1: connection refused"},
		{"another server", func(c *Config) { c.Admins = []string{foreign.Listener.Addr().String()} }, result.ExitOther, "404"},
		{"no figures", func(c *Config) { c.Admins = []string{empty.Listener.Addr().String()} }, result.ExitOther, "has no conns"},
		{"no address", func(c *Config) { c.Admins = []string{"x"} }, result.ExitUsage, "HOST:PORT"},
		{"no number", func(c *Config) { c.PIDs = []int{-1} }, result.ExitUsage, "--pid"},
		{"more than targets", func(c *Config) { c.PIDs = []int{1, 2} }, result.ExitUsage, "there are 1 targets"},
		{"spawned", func(c *Config) { c.Targets, c.Spawn, c.PIDs = nil, 1, []int{1} }, result.ExitUsage, "of spawned nodes they are known"},
	} {
		cfg := Config{Scenario: "hold", Targets: []string{f.Addr()}, Conns: 1}
		tt.change(&cfg)
		runs++
		r, err := Run(t.Context(), cfg, View{})
		if r != nil || result.ExitCode(err) != tt.code || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want exit %d and one line with %q", tt.name, err, tt.code, tt.want)
		}
	}
	if n := f.Accepted.Load(); n > runs { // each may look whether there is a server
		t.Errorf("%d connections were made by %d runs", n, runs)
	}
}
