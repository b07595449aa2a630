package exporter

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
)

func scraped(t *testing.T, e *Exporter) string {
	t.Helper()
	resp, err := http.Get("http://" + e.Addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %s: %s", err, resp.Status, text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(string(text))); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return string(text)
}

func TestARunIsReadWhileItGoesOn(t *testing.T) {
	e, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if text := scraped(t, e); strings.Contains(text, "sessions ") {
		t.Errorf("before the first second:\n%s", text)
	}
	status := bench.Status{Second: result.Second{Ready: 7, Attempts: 3, Pongs: 5, RTTp99: new(12.5)}, Failures: result.Failures{Refused: 2},
		Outlook: []result.Outlook{{Expr: "conns.end==7", State: result.Holds}, {Expr: "conns.lost==0", State: result.Failed}}}
	for range 2 {
		e.Watch(bench.Update{Scenario: "storm", Kind: "kill", Target: 10, At: 2 * time.Second, Phase: bench.Phase{Name: "ramp"}, Status: &status})
	}
	e.Watch(bench.Update{Scenario: "storm", Kind: "kill", Target: 10, At: 3 * time.Second, Phase: bench.Phase{Name: "recovery"}, Event: "kill -9"})
	text := scraped(t, e)
	for _, want := range []string{
		`stormwheel_bench_info{kind="kill",scenario="storm"} 1`, "stormwheel_bench_sessions 7", "stormwheel_bench_connect_attempts_total 6", "stormwheel_bench_pongs_total 10",
		`stormwheel_bench_connect_failures_total{class="refused"} 2`, `stormwheel_bench_rtt_seconds{quantile="0.99"} 0.0125`, `stormwheel_bench_phase{phase="recovery"} 1`,
		`stormwheel_bench_threshold{expr="conns.end==7"} 1`, `stormwheel_bench_threshold{expr="conns.lost==0"} -1`, "stormwheel_bench_seconds 3",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if _, err := Listen(e.Addr()); err == nil || !strings.HasPrefix(err.Error(), "--metrics-listen: ") {
		t.Errorf("an address that is taken: %v", err)
	}
}
