package report

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/stormwheel/stormwheel/bench/result"
)

// judged is a run with a threshold of each sort, one of which has words that are markup elsewhere.
func judged() Run {
	r := &result.Result{Schema: result.Schema, Scenario: "storm", Seed: 7, Started: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), WallS: 12.5, Verdict: result.Fail, Promises: true}
	r.Storm = &result.Storm{Kind: "kill", Policy: "window", Clients: 5}
	r.Conns.Losses.Reset, r.Conns.Lost = 3, 3
	r.Heartbeat.RTTms = &result.Percentiles{P50: 0.25, P99: 12.31, Max: 20}
	r.Server = []result.Server{{Addr: "127.0.0.1:1", RSSBytes: new(int64(5000))}, {Addr: "127.0.0.1:1", Node: new(`n"2\`)}}
	r.Cohorts = []result.Cohort{{Policy: "full", Clients: 2, T50S: new(1.5)}}
	r.Build.Version = "v1\u0001<&>"
	r.Detail.Command = []string{"stormwheel", "bench", "storm", "--threshold", "conns.lost<1|`x`"}
	r.Thresholds = []result.ThresholdSeen{
		{Expr: "conns.lost>5", Abort: true, OK: true, Actual: new(3.0)},
		{Expr: "conns.end==10", Promise: true, OK: true, Actual: new(10.0)},
		{Expr: "conns.lost<1", Actual: new(3.0), Failed: new("sessions lost: 3, asked for | less than *1*"), BrokeAtS: new(7.02)},
		{Expr: "conns.lost<1", Actual: new(3.0), Failed: new("twice"), BrokeAtS: new(7.02)},
	}
	return Run{"run", r}
}

// readJUnit reads what a CI system does.
type readJUnit struct {
	Suites []struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
		Stamp    string `xml:"timestamp,attr"`
		Out      string `xml:"system-out"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Class   string `xml:"classname,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Type    string `xml:"type,attr"`
			} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func junitOf(t *testing.T, run Run) (r readJUnit) {
	t.Helper()
	var b strings.Builder
	if err := WriteJUnit(&b, run); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal([]byte(b.String()), &r); err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	return r
}

func TestJUnitHasACaseForEachThreshold(t *testing.T) {
	s := junitOf(t, judged()).Suites[0]
	if s.Tests != 5 || len(s.Cases) != 5 || s.Failures != 2 || s.Errors != 0 || s.Skipped != 0 || s.Time != "12.500" || s.Stamp != "2026-01-02T03:04:05" {
		t.Errorf("%+v", s)
	}
	if c := s.Cases[3]; c.Name != "conns.lost<1" || c.Class != "stormwheel.bench.storm.kill" || c.Failure == nil || c.Failure.Type != "threshold" || !strings.HasSuffix(c.Failure.Message, "since second 7") {
		t.Errorf("the failed one is %+v", c)
	}
	if s.Cases[0].Name != "the run counts" || s.Cases[1].Name != "abort on conns.lost>5" || s.Cases[2].Failure != nil || !strings.Contains(s.Out, "verdict: fail") {
		t.Errorf("%+v", s)
	}
}

func TestJUnitOfARunThatDoesNotCountIsAnError(t *testing.T) {
	run := judged()
	run.Result.Verdict, run.Result.Generator.WhyInvalid = result.Invalid, new("it was late")
	s := junitOf(t, run).Suites[0]
	if s.Errors != 1 || s.Failures != 0 || s.Skipped != 4 || s.Cases[0].Error == nil || s.Cases[3].Failure != nil || s.Cases[3].Skipped == nil || !strings.Contains(s.Cases[3].Skipped.Message, "do not count; sessions lost: 3") {
		t.Errorf("%+v", s)
	}
}

func TestMarkdownSaysWhatFailedFirstAndNothingInItIsMarkup(t *testing.T) {
	var b strings.Builder
	if err := WriteMarkdown(&b, judged()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"### stormwheel bench storm, kill: fail\n",
		"|---|---|---|---:|---:|\n| **FAIL** | `conns.lost<1`<br>sessions lost: 3, asked for \\| less than \\*1\\* | `--threshold` | 3 | 7 s |\n",
		"| ok | `abort on conns.lost>5` | `--abort-on` | 3 |  |\n",
		"| ok | `conns.end==10` | the scenario | 10 |  |\n",
		"v1&lt;&amp;>",
		"| command | `` stormwheel bench storm --threshold 'conns.lost<1\\|`x`' `` |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") && strings.Contains(text, "\u0001") {
			t.Error("a character that no page may have")
		}
	}
}

func TestMarkdownOfSeveralRunsComparesThem(t *testing.T) {
	var b strings.Builder
	one, other := steadyRun(t, 60, 10, 1), steadyRun(t, 60, 13, 2)
	if err := WriteMarkdown(&b, Run{"one_", one}, Run{"other", other}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| figure | one\\_ | other | ratio |\n|---|---:|---:|---:|\n", "| verdict | pass | pass |  |\n", "| round trip p50, ms | 10.00 \\[", "\\]\\* |\n", "- Load, version and machine are the same", "- In square brackets"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, &b)
		}
	}
}

func TestOpenMetricsAreReadByPrometheusParser(t *testing.T) {
	var b strings.Builder
	if err := WriteOpenMetrics(&b, judged()); err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(b.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	seen := map[string]bool{}
	values := map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			key := name
			for _, l := range m.GetLabel() {
				if l.GetName() != "scenario" {
					key += " " + l.GetName() + "=" + l.GetValue()
				} else if l.GetValue() != "storm_kill" {
					t.Errorf("%s is of %s", name, l.GetValue())
				}
			}
			if seen[key] {
				t.Errorf("%s is there twice", key)
			}
			seen[key], values[key] = true, m.GetGauge().GetValue()
		}
	}
	for key, want := range map[string]float64{
		"stormwheel_bench_heartbeat_rtt_seconds quantile=0.99":                0.01231,
		"stormwheel_bench_heartbeat_rtt_seconds quantile=1":                   0.02,
		"stormwheel_bench_conns_losses class=reset":                           3,
		"stormwheel_bench_wall_seconds":                                       12.5,
		"stormwheel_bench_server_rss_bytes index=0 server=127.0.0.1:1":        5000,
		`stormwheel_bench_server_killed index=1 server=n"2\`:                  0,
		"stormwheel_bench_cohorts_t50_seconds cohort=0 policy=full":           1.5,
		"stormwheel_bench_verdict verdict=fail":                               1,
		"stormwheel_bench_verdict verdict=pass":                               0,
		"stormwheel_bench_threshold_ok expr=conns.lost<1 type=threshold":      0,
		"stormwheel_bench_threshold_ok expr=abort on conns.lost>5 type=abort": 1,
		"stormwheel_bench_storm_lost_connection_seconds":                      0,
		"stormwheel_bench_storm_peak_attempts_per_second":                     0,
		"stormwheel_bench_started_timestamp_seconds":                          1767323045,
	} {
		if got, there := values[key]; !there || got != want {
			t.Errorf("%s is %v (%v), want %v", key, got, there, want)
		}
	}
	if !strings.HasSuffix(b.String(), "\n# EOF\n") || strings.Contains(b.String(), "storm_t99") {
		t.Error("it does not end as OpenMetrics does, or has what is null")
	}
}

// A rule of --abort-on is no promise: the page says by what a run was ended, and counts it nowhere else.
func TestARuleThatEndedARunIsToldAsThat(t *testing.T) {
	run := judged()
	run.Result.CutShort, run.Result.Interrupted = new("--abort-on: lost"), true
	run.Result.Thresholds[0] = result.ThresholdSeen{Expr: "conns.lost>2", Abort: true, Failed: new("lost"), BrokeAtS: new(3.0)}
	text := strings.Join(why(run.Result), "\n")
	if !strings.Contains(text, "Cut short") || !strings.Contains(text, "2 of 3 promises and thresholds are broken") || strings.Contains(text, "conns.lost>2") {
		t.Error(text)
	}
	for _, h := range run.story() {
		if strings.Contains(h.Text, "conns.lost>2") && (strings.Contains(h.Text, "broken") || !strings.Contains(h.Text, "--abort-on")) {
			t.Errorf("%+v", h)
		}
	}
}
