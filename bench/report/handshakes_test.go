package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

// A run of handshakes tells of those, and not of clients, of which it has none.
func TestARunOfHandshakesIsToldAsOne(t *testing.T) {
	run := Run{Name: "h", Result: &result.Result{Schema: result.Schema, Scenario: "handshake", Verdict: result.Pass,
		Handshake: &result.Handshake{Open: 8, Ended: 1200, PerS: new(600.0), LatencyMs: &result.Percentiles{P50: 1.25, P99: 7.5}, ServerCPUUs: new(321.0)},
		Detail: result.Detail{Seconds: []result.Second{{T: 1, Handshakes: 500}, {T: 2, Handshakes: 700}},
			Histograms: map[string]string{"handshake": histogram(t, 1200, 1000, 8000)}}}}
	if got := files(run); !slices.Equal(got, []string{"timeline", "handshakes", "handshake-latency"}) {
		t.Errorf("it has the pictures %v", got)
	}
	var page, table bytes.Buffer
	if err := WriteHTML(&page, run); err != nil {
		t.Fatal(err)
	}
	if err := WriteTable(&table, run, run); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{page.String(), table.String()} {
		if !strings.Contains(text, "600") || !strings.Contains(text, "321") || strings.Contains(text, "clients at the end") || strings.Contains(text, "unanswered") {
			t.Errorf("not what a run of handshakes has to tell:\n%s", text)
		}
	}
}
