package main

import (
	"fmt"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/admin"
)

// collected returns the names of the metrics that are this project's own.
func collected(t *testing.T) (names []string) {
	t.Helper()
	srv, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	admin.NewServer(srv, admin.Config{}).Handler.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		words := strings.Fields(line) // "# TYPE name kind", in the order of the names
		if len(words) == 4 && words[1] == "TYPE" && strings.HasPrefix(words[2], "stormwheel_") {
			names = append(names, words[2])
		}
	}
	return names
}

func TestOperationsPageNamesEveryMetric(t *testing.T) {
	page := readDoc(t, "../../docs/OPERATIONS.md")
	listed := column(t, page, "| metric | meaning |", 1)
	slices.Sort(listed)
	sameRows(t, "metrics", listed, collected(t))
	for _, m := range server.Metrics() {
		if row := "| stormwheel_" + m.Name + " | " + m.Help + " |\n"; !strings.Contains(page, row) {
			t.Errorf("OPERATIONS.md should say %q", row)
		}
	}
}

// Every row of the table of limits names a metric, a flag or a field that exists, and a
// reason that can happen.
func TestTableOfLimitsIsTrue(t *testing.T) {
	const head = "| limit | default | what happens at it | metric | change it with |"
	page := readDoc(t, "../../docs/OPERATIONS.md")
	var cmd command
	app, err := kong.New(&cmd, benchFlags...)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"ulimit -n": true}
	for _, name := range collected(t) {
		known[name] = true
	}
	for _, name := range column(t, readDoc(t, "../../docs/HOOKS.md"), "| metric of hooks | meaning |", 1) {
		known[name] = true // TestHookMetricsAreOnThePage
	}
	for _, name := range column(t, page, "| metric of messages | meaning |", 1) {
		known[name] = true
	}
	for _, name := range column(t, readDoc(t, "../../docs/CLUSTER.md"), "| metric | meaning |", 1) {
		known[name] = true
	}
	for _, node := range app.Model.Children {
		for _, f := range node.Flags {
			if node.Name == "serve" {
				known["--"+f.Name] = true
			}
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[server.Config]()) {
		known[f.Name] = true
	}
	for r := reactor.ReasonNone + 1; r.String() != "unknown"; r++ {
		known[r.String()] = true
	}
	for _, api := range []reflect.Type{reflect.TypeFor[*server.Server](), reflect.TypeFor[*server.Session]()} {
		for m := range api.NumMethod() {
			known[api.Method(m).Name] = true
		}
	}
	known["AuthGrant.Limits"], known["Handler.Missed"] = true, true
	quoted := regexp.MustCompile("`([^`]+)`|(stormwheel_\\w+)")
	rows := column(t, page, head, 5)
	for _, row := range rows {
		words := quoted.FindAllStringSubmatch(row, -1)
		for _, w := range words {
			word := w[1] + w[2]
			if word != "Server.Deliver" && !known[word] {
				t.Errorf("%q: there is no %q", row, word)
			}
		}
		if !strings.Contains(row, "stormwheel_") {
			t.Errorf("%q names no metric", row)
		}
	}
	if len(rows) < 30 {
		t.Errorf("%d limits are listed", len(rows))
	}
	// The defaults that the command states itself.
	for flag, row := range map[string]string{"max-frame-rate": "| 2000, four seconds", "max-byte-rate": "| 4 MiB, four seconds", "max-queued": "| 256 KiB |"} {
		if !strings.Contains(page, row) {
			t.Errorf("the table does not state the default of --%s as %q", flag, row)
		}
	}
}

func TestMetricsAreServed(t *testing.T) {
	n := serve(t)
	dial(t, n.listen).join()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, body := n.get("GET", "/metrics")
		if strings.Contains(body, "\nstormwheel_sessions 1\n") &&
			strings.Contains(body, `stormwheel_closed_connections_total{reason="heartbeat_timeout"} 0`) &&
			strings.Contains(body, "\nprocess_resident_memory_bytes ") && strings.Contains(body, "\ngo_goroutines ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/metrics says\n%s", body)
		}
	}
}

func TestNodeWithoutMemoryIsNotReadyAndRefuses(t *testing.T) {
	n := serve(t, "--memory-limit", "1000000")
	status, body := n.get("GET", "/readyz")
	if status != 503 || !strings.Contains(body, "shed") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	p := dial(t, n.listen)
	f := p.next()
	if m, err := codec.ParseGoAway(f.Payload); f.Type != codec.GoAway || err != nil || m.Code != codec.CodeFull {
		t.Errorf("a newcomer gets %v %+v, %v", f.Type, m, err)
	}
	p.conn.Close()
	n.signal(syscall.SIGTERM)
	if code, _ := n.exit(); code != 0 || !strings.Contains(n.stderr.String(), "state=shed") {
		t.Errorf("exit %d, log\n%s", code, n.stderr.String())
	}
}

// Rates given as flags reach the server, and a wrong one is named as its flag.
func TestRateFlags(t *testing.T) {
	p := dial(t, serve(t, "--max-frame-rate", "10").listen)
	p.join()
	var flood []byte
	for range 100 {
		flood = codec.AppendPing(flood, 1, 0)
	}
	p.write(flood, nil)
	for {
		f := p.next()
		if f.Type == codec.Pong {
			continue
		}
		if m, err := codec.ParseGoAway(f.Payload); err != nil || m.Code != codec.CodeRateLimit {
			t.Errorf("a flood is answered by %v %+v, %v", f.Type, m, err)
		}
		break
	}
	for _, args := range [][2]string{{"--max-frame-rate", "0"}, {"--max-queued", "100"}, {"--max-queued-total", "5000"}, {"--max-byte-rate", "900000000"}} {
		wrong := stormwheel(t, "serve", fmt.Sprintf("%s=%s", args[0], args[1]), "--listen", "127.0.0.1:0")
		if code, _ := wrong.exit(); code != exitUsage || !strings.Contains(wrong.stderr.String(), args[0]) {
			t.Errorf("%v: exit %d, %s", args, code, wrong.stderr.String())
		}
	}
}
