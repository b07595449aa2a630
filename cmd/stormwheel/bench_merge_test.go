package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Two machines are two processes here; they share the server and the moment.
func TestTwoRunsAtOnceMergeToTheExactSum(t *testing.T) {
	server := stormwheel(t, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--heartbeat", "500ms", "--timeout", "5s", "--admit-rate", "5000")
	ready := map[string]string{}
	for _, word := range strings.Fields(server.until("stormwheel ready")) {
		key, value, _ := strings.Cut(word, "=")
		ready[key] = value
	}
	at := time.Now().Add(8 * time.Second).Truncate(time.Second)
	dir := t.TempDir()
	var files []string
	var runs []*process
	for i, conns := range []int{300, 200} {
		file := filepath.Join(dir, fmt.Sprint(i, ".json"))
		files = append(files, file)
		runs = append(runs, stormwheel(t, "bench", "hold", "--target", ready["listen"], "--conns", fmt.Sprint(conns), "--rate", "500",
			"--duration", "4s", "--seed", fmt.Sprint(i+1), "--start-at", at.Format(time.RFC3339), "--json", file))
	}
	most := 0
	for _, p := range runs {
		for done := false; !done; {
			select {
			case <-p.done:
				done = true
			case <-time.After(100 * time.Millisecond):
				most = max(most, sessions(t, ready["admin"]))
			}
		}
		if code, _ := p.exit(); code != 0 && code != result.ExitInvalid {
			t.Fatalf("exit %d; it said\n%s", code, p.stderr.String())
		}
	}
	if most != 500 {
		t.Errorf("the server saw %d sessions at once, want 500: the clients of the two runs must differ", most)
	}
	all := filepath.Join(dir, "all.json")
	p := stormwheel(t, "bench", "merge", files[0], files[1], "--json", all)
	code, _ := p.exit()
	a, b, m := readBench(t, files[0]), readBench(t, files[1]), readBench(t, all)
	if code != 0 && (code != result.ExitInvalid || m.Verdict != result.Invalid) {
		t.Errorf("exit %d; it said\n%s", code, p.stderr.String())
	}
	for _, r := range []result.Result{a, b} {
		if off := r.Started.Sub(at); off < -10*time.Millisecond || off > patience {
			t.Errorf("a run began %v after the moment", off)
		}
	}
	for _, c := range []struct {
		what           string
		sum, one, more int
	}{
		{"conns.end", m.Conns.End, a.Conns.End, b.Conns.End},
		{"connect.attempts", m.Connect.Attempts, a.Connect.Attempts, b.Connect.Attempts},
		{"connect.established", m.Connect.Established, a.Connect.Established, b.Connect.Established},
		{"heartbeat.sent", m.Heartbeat.Sent, a.Heartbeat.Sent, b.Heartbeat.Sent},
		{"heartbeat.answered", m.Heartbeat.Answered, a.Heartbeat.Answered, b.Heartbeat.Answered},
		{"pings of the seconds", pings(m), pings(a), pings(b)},
	} {
		if c.sum != c.one+c.more || c.one == 0 || c.more == 0 {
			t.Errorf("%s = %d of %d and %d", c.what, c.sum, c.one, c.more)
		}
	}
	if m.Conns.End != 500 || m.Conns.Peak != 500 || m.Thresholds[0].Expr != "conns.end==500" || !m.Thresholds[0].OK {
		t.Errorf("merged: %d at the end, peak %d, thresholds %+v", m.Conns.End, m.Conns.Peak, m.Thresholds)
	}

	p = stormwheel(t, "bench", "merge", files[0], files[0])
	if code, _ := p.exit(); code != result.ExitUsage || !strings.Contains(p.stderr.String(), "same seed 1") || strings.Count(p.stderr.String(), "\n") != 1 {
		t.Errorf("the same run twice: exit %d; it said\n%s", code, p.stderr.String())
	}
}

func pings(r result.Result) int {
	n := 0
	for _, s := range r.Detail.Seconds {
		n += s.Pings
	}
	return n
}

func readBench(t *testing.T, file string) result.Result {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return resultOf(t, []string{string(b)})
}

// sessions is what a node says that it has.
func sessions(t *testing.T, admin string) int {
	t.Helper()
	resp, err := http.Get("http://" + admin + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var stats struct {
		Sessions int `json:"sessions"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	return stats.Sessions
}
