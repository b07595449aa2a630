package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// stormOn are words of a storm on targets that do not need a quiet machine.
func stormOn(targets string, more ...string) []string {
	return append([]string{"bench", "storm", "--target", targets, "--conns", "100", "--duration", "300ms", "--json", "-"}, more...)
}

// A node that was started by hand hands its clients over to the other when the command asks it to: nobody is offline.
func TestADrainFromOutside(t *testing.T) {
	var nodes []*process
	addrs := freePorts(t, 2)
	for i, addr := range addrs {
		p := stormwheel(t, "serve", "--listen", addr, "--node", fmt.Sprint("n", i), "--alternates", addrs[1-i], "--heartbeat", "1s", "--timeout", "10s", "--drain-grace", "0s", "--admin", "127.0.0.1:0")
		p.until("stormwheel ready")
		nodes = append(nodes, p)
	}
	p := stormwheel(t, stormOn(strings.Join(addrs, ","), "--drain-cmd", fmt.Sprintf("kill -TERM %d", nodes[0].cmd.Process.Pid))...)
	code, out := p.exit()
	r := resultOf(t, out)
	if code != 0 && code != result.ExitInvalid || r.Storm == nil || r.Storm.Clients != 50 || r.Storm.Offline != 0 || r.Storm.Back != 50 || *r.Storm.OutageS != 0 {
		t.Errorf("exit %d, storm %+v; it said\n%s", code, r.Storm, p.stderr.String())
	}
}

// What people type ends the load test, too: it keeps its result and says what may have been the cause.
func TestACommandThatEndsTheLoadTestCostsNoResult(t *testing.T) {
	addr := freePorts(t, 1)[0]
	stormwheel(t, "serve", "--listen", addr, "--heartbeat", "1s", "--timeout", "10s").until("stormwheel ready")
	p := stormwheel(t, stormOn(addr, "--storm-cmd", "kill -TERM $PPID; sleep 0.2")...)
	code, out := p.exit()
	r := resultOf(t, out)
	if code != result.ExitInterrupted || !r.Interrupted || r.Conns.End != 100 || r.Storm == nil || r.Storm.Command == nil || !strings.Contains(p.stderr.String(), "as pkill does, may have meant the load test") {
		t.Errorf("exit %d, %+v; it said\n%s", code, r.Storm, p.stderr.String())
	}
}

// The figures of real nodes stand beside those of the clients, and the run's own are read while it goes on.
func TestMetricsAreReadOfNodesAndOfTheRun(t *testing.T) {
	listen := freePorts(t, 1)[0]
	file := filepath.Join(t.TempDir(), "r.json")
	p := stormwheel(t, "bench", "hold", "--spawn", "2", "--conns", "50", "--duration", "2500ms", "--scrape", "nodes,rss=process_resident_memory_bytes,go_goroutines", "--scrape", "nodes",
		"--threshold", "scraped.rss.max>1e6", "--threshold", "scraped.rss_2.readings>=2", "--threshold", "scraped.go_goroutines.max<1", "--metrics-listen", listen, "--json", file)
	var text string
	for deadline := time.Now().Add(patience); !strings.Contains(text, "stormwheel_bench_sessions 50"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not read: %s", text)
		}
		if resp, err := http.Get("http://" + listen + "/metrics"); err == nil {
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			text = string(b)
		}
	}
	code, _ := p.exit()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("exit %d, %v; it said\n%s", code, err, p.stderr.String())
	}
	r := resultOf(t, []string{string(b)})
	if code != result.ExitThreshold && code != result.ExitInvalid || len(r.Scraped) < 6 || len(r.Detail.Scraped) != len(r.Scraped) || r.Scraped["rss"].Max == nil || r.Scraped["rss_2"].URL == r.Scraped["rss"].URL {
		t.Errorf("exit %d, %+v", code, r.Scraped)
	}
	for _, s := range r.Thresholds {
		if scraped, fails := strings.HasPrefix(s.Expr, "scraped."), s.Expr == "scraped.go_goroutines.max<1"; scraped && s.OK == fails {
			t.Errorf("%+v", s)
		}
	}
	for _, tt := range []struct{ scrape, threshold, want string }{
		{"nodes,rss=process_resident_memory_bytes", "scraped.rs.max<1", `no --scrape has "rs"; did you mean "rss"?`},
		{"nodes,process_resident_memory", "conns.end>0", `no series "process_resident_memory"; did you mean "process_resident_memory_bytes"?`},
		{"nodes", "scraped.rss.max<1", `"rss" is not scraped; there are process_cpu_seconds_total`},
		{"somewhere", "conns.end>0", "is neither http://HOST:PORT/PATH"},
	} {
		p := stormwheel(t, "bench", "hold", "--spawn", "1", "--conns", "5", "--duration", "100ms", "--scrape", tt.scrape, "--threshold", tt.threshold)
		if code, _ := p.exit(); code != exitUsage || !strings.Contains(p.stderr.String(), tt.want) {
			t.Errorf("%+v: exit %d, %q", tt, code, p.stderr.String())
		}
	}
}

func TestRepeatedRunsAreKeptInFilesOfTheirOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	p := stormwheel(t, "bench", "hold", "--spawn", "1", "--conns", "20", "--duration", "300ms", "--repeat", "2", "--seed", "5", "--json", file)
	code, _ := p.exit()
	var all []result.Result
	for _, name := range []string{"r.json", "r-1.json", "r-2.json"} {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(file), name))
		if err != nil {
			t.Fatalf("exit %d, %v; it said\n%s", code, err, p.stderr.String())
		}
		all = append(all, resultOf(t, []string{string(b)}))
	}
	if len(all[0].Repeats) != 2 || len(all[0].Spread) == 0 || all[1].Seed != 5 || all[2].Seed != 6 || all[1].Repeats != nil {
		t.Errorf("repeats %+v, seeds %d and %d", all[0].Repeats, all[1].Seed, all[2].Seed)
	}
	if !strings.Contains(p.stderr.String(), "spread connect.latency_ms.p99") {
		t.Errorf("no spread in\n%s", p.stderr.String())
	}
}
