package result

import (
	"math"
	"strings"
	"testing"
)

func sample() *Result {
	return &Result{
		Conns:     Conns{End: 10},
		Connect:   Connect{Failures: Failures{Refused: 3}},
		Storm:     &Storm{T99S: new(29.5)},
		Server:    []Server{{RSSBytes: new(int64(1000))}},
		Generator: Generator{Valid: true},
	}
}

func TestThresholds(t *testing.T) {
	for _, tt := range []struct {
		expr   string
		ok     bool
		actual float64 // NaN: none
	}{
		{"conns.end==10", true, 10},
		{"conns.end!=10", false, 10},
		{"conns.end < 10", false, 10},
		{"conns.end<=10", true, 10},
		{" conns.end > 9.5 ", true, 10},
		{"conns.end>=11", false, 10},
		{"storm.t99_s<30", true, 29.5},
		{"storm.t99_s<29", false, 29.5},
		{"server.0.rss_bytes<2e8", true, 1000},
		{"connect.failures.refused==0", false, 3},
		{"connect.failures.reset==0", true, 0},
		{"eviction.false==0", true, 0},
		{"generator.valid==1", true, 1},
		{"interrupted==0", true, 0},
		// Null, or not there: never met, whichever way it is asked.
		{"storm.t100_s<30", false, math.NaN()},
		{"storm.t100_s>=0", false, math.NaN()},
		{"storm.t100_s!=1", false, math.NaN()},
		{"server.1.rss_bytes<2e8", false, math.NaN()},
		{"heartbeat.rtt_ms.p99<1000", false, math.NaN()},
	} {
		th, err := ParseThreshold(tt.expr)
		if err != nil {
			t.Errorf("ParseThreshold(%q): %v", tt.expr, err)
			continue
		}
		seen, err := evaluate(sample(), []Threshold{th})
		if err != nil {
			t.Fatal(err)
		}
		if seen[0].OK != tt.ok || seen[0].Expr != tt.expr {
			t.Errorf("%q: ok = %v, want %v", tt.expr, seen[0].OK, tt.ok)
		}
		switch got := seen[0].Actual; {
		case got == nil && !math.IsNaN(tt.actual), got != nil && *got != tt.actual:
			t.Errorf("%q: actual = %v, want %v", tt.expr, Number(got), tt.actual)
		}
	}
}

func TestUnknownThresholdPathsAreUsageErrors(t *testing.T) {
	for expr, want := range map[string]string{
		"storm.t98_s<30":           `no "t98_s"`,
		"strom.t99_s<30":           `no "strom"`,
		"server.first.rss_bytes<1": "not an index",
		"server.-1.rss_bytes<1":    "not an index",
		"server<1":                 "does not end at a number",
		"verdict==1":               "does not end at a number",
		"started>1":                "does not end at a number",
		"started.day>1":            "nothing lies below",
		"conns.end.x<1":            "nothing lies below",
		"conns.losses<1":           "does not end at a number",
		"conns.end<ten":            "not a number",
		"conns.end<NaN":            "not a number",
		"conns.end":                "PATH OP NUMBER",
		"conns.end=<1":             "PATH OP NUMBER",
		"":                         "PATH OP NUMBER",
	} {
		if _, err := ParseThreshold(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseThreshold(%q) = %v, want an error with %q", expr, err, want)
		}
	}
}
