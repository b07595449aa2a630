package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

// TestEveryScenarioPassesAgainstRealNodes is what a stranger would try: each scenario, small,
// against nodes of this binary. The tests of package bench know fakes only, which are kinder.
func TestEveryScenarioPassesAgainstRealNodes(t *testing.T) {
	day := filepath.Join(t.TempDir(), "day.yaml")
	if err := os.WriteFile(day, []byte(`
phases:
  - ramp: 150
  - hold: 1s
  - ramp: 50
    rate: 200
  - churn: 2s
  - silence: 10%
  - storm: kill
lifetime: 500ms
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"ramp": {"ramp", "--conns", "300", "--profile", "poisson"},
		// A client id that came again every half second would be taken for one that flaps.
		"churn":          {"churn", "--conns", "100", "--lifetime", "500ms", "--duration", "12s"},
		"soak":           {"soak", "--conns", "100", "--lifetime", "500ms", "--duration", "9s", "--threshold", "churn.missing==0", "--threshold", "soak.fds_growth<=0.1"},
		"silent":         {"silent", "--conns", "200", "--fraction", "0.2"},
		"halfopen":       {"halfopen", "--conns", "200"},
		"trickle":        {"trickle", "--conns", "100"},
		"storm kill":     {"storm", "--kind", "kill", "--spawn", "2", "--conns", "300"},
		"storm drain":    {"storm", "--kind", "drain", "--spawn", "2", "--conns", "300"},
		"storm cut":      {"storm", "--kind", "cut", "--spawn", "2", "--conns", "300"},
		"storm cut some": {"storm", "--kind", "cut", "--fraction", "0.2", "--spawn", "2", "--conns", "100", "--tick", "500ms"},
		"storm freeze":   {"storm", "--kind", "freeze", "--spawn", "2", "--conns", "100", "--pong-timeout", "2s"},
		"storm blackout": {"storm", "--kind", "blackout", "--outage", "1s", "--spawn", "2", "--conns", "300"},
		"storm restart":  {"storm", "--kind", "restart", "--spawn", "2", "--conns", "300"},
		"storm flood":    {"storm", "--kind", "flood", "--spawn", "1", "--conns", "600", "--node-arg", "admit-rate=500"},
		"storm grey":     {"storm", "--kind", "grey", "--slow", "2ms/20ms", "--outage", "1s", "--spawn", "1", "--conns", "300"},
		"storm slow":     {"storm", "--kind", "kill", "--slow", "2ms/20ms", "--spawn", "2", "--conns", "300"},
		"hold loaded":    {"hold", "--spawn", "2", "--conns", "200", "--send", "1KiB", "--deliver", "100B", "--every", "500ms", "--duration", "3s"},
		"soak loaded":    {"soak", "--conns", "100", "--lifetime", "500ms", "--duration", "9s", "--send", "100B", "--deliver", "100B", "--every", "300ms", "--threshold", "soak.fds_growth<=0.1"},
		"kill loaded":    {"storm", "--kind", "kill", "--spawn", "2", "--conns", "300", "--send", "100B", "--deliver", "100B", "--every", "100ms"},
		"drain loaded":   {"storm", "--kind", "drain", "--spawn", "2", "--conns", "300", "--send", "100B", "--deliver", "100B", "--every", "100ms"},
		"freeze loaded":  {"storm", "--kind", "freeze", "--spawn", "2", "--conns", "100", "--pong-timeout", "2s", "--send", "100B", "--every", "100ms"},
		"workers loaded": {"hold", "--conns", "200", "--workers", "2", "--send", "100B", "--deliver", "100B", "--every", "500ms", "--duration", "3s"},
		"phases":         {day, "--spawn", "2"},
		"find-max":       {"find-max", "--goal", "heartbeat.missed==0", "--conns", "64", "--duration", "500ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of a run is waiting
			more := []string{"--heartbeat", "1s", "--timeout", "4s", "--json", "-"}
			if !slices.Contains(args, "--tick") {
				more = append(more, "--tick", "100ms")
			}
			if !slices.Contains(args, "--spawn") {
				more = append(more, "--spawn", "1")
			}
			p := stormwheel(t, append(append([]string{"bench"}, args...), more...)...)
			code, out := p.exitWithin(4 * patience)
			if len(out) == 0 {
				t.Fatalf("exit %d, and no result; it said\n%s", code, p.stderr.String())
			}
			r := resultOf(t, out)
			if want := map[result.Verdict]int{result.Pass: 0, result.Fail: result.ExitThreshold, result.Invalid: result.ExitInvalid}; code != want[r.Verdict] {
				t.Errorf("exit %d, verdict %s; it said\n%s", code, r.Verdict, p.stderr.String())
			}
			for _, seen := range r.Thresholds {
				// A busy machine decides about times; a generator that was late about the rest, too, but for what is wrong at any speed.
				timed := strings.Contains(seen.Expr, "_ms") || strings.Contains(seen.Expr, "_s<")
				always := slices.Contains([]string{"messages.lost==0", "eviction.early==0"}, seen.Expr)
				if !seen.OK && !timed && (r.Generator.Valid || always) {
					t.Errorf("%s fails; it said\n%s", seen.Expr, p.stderr.String())
				}
			}
		})
	}
}
