package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

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
