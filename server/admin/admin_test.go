package admin

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// fixed is a node whose numbers stand still.
type fixed server.Stats

func (f fixed) Stats() server.Stats { return server.Stats(f) }

// fine is a node that nothing is wrong with.
func fine() fixed { return fixed{Node: "a", MemoryState: "fine", MaxConns: 77} }

func ask(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestFourPathsAndNoMore(t *testing.T) {
	h := Handler(fine(), Config{})
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/livez", 200}, {"GET", "/readyz", 200}, {"GET", "/stats", 200}, {"GET", "/metrics", 200},
		{"GET", "/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/stats/x", 404},
		{"POST", "/stats", 405}, {"DELETE", "/livez", 405},
	} {
		if got := ask(h, tc.method, tc.path).Code; got != tc.want {
			t.Errorf("%s %s: status %d, want %d", tc.method, tc.path, got, tc.want)
		}
	}
}

func TestProbesSayWhatIsWrong(t *testing.T) {
	stuck, short := fine(), fine()
	stuck.Age = 31 * time.Second
	short.MemoryState = "shed"
	no := func() bool { return false }
	for _, tc := range []struct {
		name string
		node fixed
		cfg  Config
		path string
		code int
		says string
	}{
		{"well", fine(), Config{}, "/livez", 200, "ok\n"},
		{"well", fine(), Config{}, "/readyz", 200, "ok\n"},
		{"stuck", stuck, Config{}, "/livez", 503, "a loop was last seen 31s ago\n"},
		{"stuck, as the default", stuck, Config{StuckAfter: -1}, "/livez", 503, "a loop was last seen 31s ago\n"},
		{"slow, and may be", stuck, Config{StuckAfter: time.Minute}, "/livez", 200, "ok\n"},
		{"draining", fine(), Config{Ready: no}, "/readyz", 503, "not taking clients\n"},
		{"draining", fine(), Config{Ready: no}, "/livez", 200, "ok\n"},
		{"short of memory", short, Config{}, "/readyz", 503, "new clients are refused: memory state is shed\n"},
		{"short of memory", short, Config{}, "/livez", 200, "ok\n"},
	} {
		if w := ask(Handler(tc.node, tc.cfg), "GET", tc.path); w.Code != tc.code || w.Body.String() != tc.says {
			t.Errorf("%s: %s is %d %q, want %d %q", tc.name, tc.path, w.Code, w.Body, tc.code, tc.says)
		}
	}
}

func TestReadinessIsAskedEachTime(t *testing.T) {
	var ready atomic.Bool
	h := Handler(fine(), Config{Ready: ready.Load})
	for _, is := range []bool{false, true, false} {
		ready.Store(is)
		if got := ask(h, "GET", "/readyz").Code == 200; got != is {
			t.Errorf("ready: %v, /readyz says %v", is, got)
		}
	}
}

func TestNumbersAreJSONAndMetrics(t *testing.T) {
	more := prometheus.NewGauge(prometheus.GaugeOpts{Name: "of_the_embedder", Help: "A metric."})
	h := Handler(fine(), Config{Metrics: []prometheus.Collector{more}})
	w := ask(h, "GET", "/stats")
	var stats struct {
		Node     string
		MaxConns int `json:"max_conns"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &stats); err != nil || stats.Node != "a" || stats.MaxConns != 77 {
		t.Errorf("/stats: %+v, %v", stats, err)
	}
	if kind := w.Header().Get("Content-Type"); kind != "application/json" {
		t.Errorf("/stats is %s", kind)
	}
	body := ask(h, "GET", "/metrics").Body.String()
	for _, line := range []string{"stormwheel_connections_max 77", "of_the_embedder 0", "go_goroutines ", "process_open_fds "} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("/metrics has no %q:\n%s", line, body)
		}
	}
}

// start runs a node in this process.
func start(t *testing.T, cfg server.Config) *server.Server {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Stop(t.Context()); err != nil { // a context that is over: at once
			t.Error(err)
		}
	})
	return srv
}

// until asks a handler until it answers as ok wants.
func until(t *testing.T, h http.Handler, what, path string, ok func(status int, body string) bool) {
	t.Helper()
	const patience = time.Minute
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		w := ask(h, "GET", path)
		if ok(w.Code, w.Body.String()) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s; %s says %d %s", patience, what, path, w.Code, w.Body)
		}
	}
}

// A handler that blocks its loop makes /livez give the node up, and its return makes it well.
func TestLivezSaysWhenALoopIsStuck(t *testing.T) {
	block := make(chan struct{})
	release := sync.OnceFunc(func() { close(block) })
	srv := start(t, server.Config{Loops: 1, Tick: 10 * time.Millisecond,
		Handler: server.Handler{Message: func(*server.Session, server.Message) { <-block }}})
	t.Cleanup(release)
	h := Handler(srv, Config{StuckAfter: time.Second})
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(hello); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 4096)); n == 0 { // WELCOME
		t.Fatal(err)
	}
	well := func(status int, _ string) bool { return status == 200 }
	until(t, h, "the loop runs", "/livez", well)
	if _, err := conn.Write(codec.AppendSend(nil, 1, nil)); err != nil {
		t.Fatal(err)
	}
	until(t, h, "the blocked loop is seen", "/livez", func(status int, body string) bool {
		return status == 503 && strings.HasPrefix(body, "a loop was last seen ")
	})
	release()
	until(t, h, "the loop is seen again", "/livez", well)
}

func TestStatsHaveMembersOfTheApplication(t *testing.T) {
	number := func() any { return map[string]int{"users": 3} }
	w := ask(Handler(fine(), Config{Stats: map[string]func() any{"b": number, "a": func() any { return 1 }}}), "GET", "/stats")
	var got struct {
		Node string
		A    int
		B    struct{ Users int }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Node != "a" || got.A != 1 || got.B.Users != 3 {
		t.Errorf("%v: %s", err, w.Body)
	}
	bad := map[string]func() any{"bad": func() any { return func() {} }}
	if w := ask(Handler(fine(), Config{Stats: bad}), "GET", "/stats"); w.Code != 500 {
		t.Errorf("what is no JSON: status %d", w.Code)
	}
}
