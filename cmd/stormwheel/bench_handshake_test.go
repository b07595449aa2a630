package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

// A node is killed (kill -9), and all are back on the other one, with the tickets that they had.
func TestAStormByTLSIsResumedElsewhere(t *testing.T) {
	for _, by := range []string{"tls", "wss"} {
		file := filepath.Join(t.TempDir(), "r.json")
		p := stormwheel(t, "bench", "storm", "--kind", "kill", "--spawn", "2", "--transport", by, "--tls-resume", "--place", "first", "--conns", "60", "--rate", "100",
			"--heartbeat", "1s", "--no-tui", "--no-promises", "--json", file)
		if code, rest := p.exit(); code != 0 && code != 4 { // 4: a busy machine
			t.Fatalf("%s: exit %d\n%s\n%s", by, code, strings.Join(rest, "\n"), p.stderr.String())
		}
		var r result.Result
		if b, err := os.ReadFile(file); err != nil || json.Unmarshal(b, &r) != nil {
			t.Fatal(err)
		}
		other := r.Server[1]
		if r.Storm.Clients == 0 || r.Storm.Back != r.Storm.Clients || other.TLSResumed == nil || *other.TLSResumed < r.Storm.Clients {
			t.Errorf("%s: %+v, %v full and %v resumed at the other node", by, r.Storm, *other.TLSFull, *other.TLSResumed)
		}
	}
}

// Handshakes of spawned nodes are full, or resumed at whichever node, and what they cost is told.
func TestBenchHandshake(t *testing.T) {
	for _, resume := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "r.json")
		args := []string{"bench", "handshake", "--spawn", "2", "--conns", "8", "--duration", "1s", "--no-tui", "--json", file}
		if resume {
			args = append(args, "--tls-resume")
		}
		p := stormwheel(t, args...)
		if code, rest := p.exit(); code != 0 {
			t.Fatalf("exit %d\n%s\n%s", code, strings.Join(rest, "\n"), p.stderr.String())
		}
		var r result.Result
		if b, err := os.ReadFile(file); err != nil || json.Unmarshal(b, &r) != nil {
			t.Fatal(err)
		}
		h := r.Handshake
		if h == nil || h.Ended == 0 || h.Open != 8 || h.LatencyMs == nil || h.PerS == nil || h.ServerCPUUs == nil || (h.Resumed == h.Ended) != resume {
			t.Errorf("resume %v: %+v", resume, h)
		}
		if text := p.stderr.String(); r.Conns.Ghosts != nil || !strings.Contains(text, "handshakes/s") || strings.Contains(text, "pings/s") || strings.Contains(text, "clients") {
			t.Errorf("it tells of clients, of which it has none:\n%s", text)
		}
		if r.Load.TLSResume != resume || !strings.Contains(p.stderr.String(), "from the ClientHello") {
			t.Errorf("load %+v\n%s", r.Load, p.stderr.String())
		}
	}
	for want, args := range map[string][]string{
		"is for --transport tls": {"bench", "handshake", "--target", "127.0.0.1:1"},
		"no server at":           {"bench", "handshake", "--target", "tls://127.0.0.1:1", "--insecure"},
	} {
		p := stormwheel(t, args...)
		if code, _ := p.exit(); code == 0 || !strings.Contains(p.stderr.String(), want) {
			t.Errorf("%q: exit %d, %s", args, code, p.stderr.String())
		}
	}
}
