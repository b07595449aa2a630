package result

import (
	"slices"
	"strings"
	"testing"
)

// rampAndHold has ten seconds, a ramp until 2.5, a hold until 6, another until 9, and answers of a quarter of a second.
func rampAndHold() *Result {
	r := &Result{Scenario: "hold", WallS: 9.6}
	r.Detail.Phases = []PhaseSeen{{"ramp", 0}, {"hold", 2.5}, {"hold", 6}, {"answers", 9.1}, {"settle", 9.35}}
	for i := range 10 {
		s := Second{T: float64(i + 1), Counts: map[string]int{}, Histograms: map[string]string{}}
		if i == 9 {
			s.T = 9.6
		}
		r.Detail.Seconds = append(r.Detail.Seconds, s)
	}
	return r
}

func TestASpanHasTheSecondsWhoseMiddleItHas(t *testing.T) {
	plain, struck, back := rampAndHold(), rampAndHold(), rampAndHold()
	struck.Detail.StormAtS = new(6.2)
	back.Detail.StormAtS, back.Storm = new(6.2), &Storm{T100S: new(1.5)}
	for _, tt := range []struct {
		r    *Result
		span string
		want []int
	}{
		{plain, "2s..4s", []int{2, 3}},
		{plain, "2.4s..4.4s", []int{2, 3}},
		{plain, "2.6s..4.6s", []int{3, 4}},
		{plain, "..2s", []int{0, 1}},
		{plain, "8s..", []int{8, 9}},
		{plain, "..", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{plain, "7s..10s", []int{7, 8, 9}},       // it ended before the tenth second was over
		{plain, "4100ms..4300ms", []int{4}},      // shorter than a second: the one that it lies in
		{plain, "ramp", []int{0, 1, 2}},          // the third is half of it
		{plain, "hold", []int{3, 4, 5, 6, 7, 8}}, // both
		{plain, "hold#2", []int{6, 7, 8}},
		{plain, "answers", []int{9}},
		{struck, "storm", []int{6, 7, 8, 9}}, // not all came back
		{back, "storm", []int{6, 7}},
	} {
		s, err := parseSpan(tt.span)
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := s.rows(tt.r); err != nil || !slices.Equal(rows, tt.want) {
			t.Errorf("[%s]: rows %v, %v; want %v", tt.span, rows, err, tt.want)
		}
	}
}

func TestASpanThatTheRunHasNotNamesWhatThereIs(t *testing.T) {
	struck := rampAndHold()
	struck.Detail.StormAtS = new(6.2)
	for _, tt := range []struct {
		r          *Result
		span, want string
	}{
		{rampAndHold(), "steady", `no phase "steady"; there are ramp, hold, answers`},
		{rampAndHold(), "storm", `no phase "storm"; there are ramp`},
		{struck, "stedy", `there are ramp, hold, answers, settle, storm`},
		{rampAndHold(), "hold#3", "the phase hold 2 times, and no hold#3"},
		{rampAndHold(), "5s..20s", "the span 5s..20s reaches beyond the run, which took 9.6 s"},
		{rampAndHold(), "20s..", "reaches beyond the run, which took 9.6 s"},
		{&Result{}, "1s..2s", "nothing is known second by second"},
	} {
		s, err := parseSpan(tt.span)
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := s.rows(tt.r); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("[%s]: %v, %v; want %q", tt.span, rows, err, tt.want)
		}
	}
}

func TestSpansThatCannotBeAreUsageErrors(t *testing.T) {
	for expr, want := range map[string]string{
		"conns.lost[]<1":              "[] is no span",
		"conns.lost[ ]<1":             "is no span: want a phase",
		"conns.lost[hold#0]<1":        "is no span",
		"conns.lost[hold#x]<1":        "is no span",
		"conns.lost[5s..5s]<1":        "is empty",
		"conns.lost[5s..1s]<1":        "is empty",
		"conns.lost[10..20]<1":        `"10" is no time since the begin, as in 10s`,
		"conns.lost[-1s..20s]<1":      `"-1s" is no time`,
		"conns.lost[a]b<1":            "PATH[SPAN] OP NUMBER",
		"conns.lost[[a]]<1":           "PATH[SPAN] OP NUMBER",
		"storm.t99_s[storm]<1":        "storm.t99_s is of the whole run; a span can have",
		"heartbeat.pending[hold]<1":   "heartbeat.pending is of the whole run",
		"conns.target[hold]<1":        "is of the whole run",
		"heartbeat.rtt_ms.p98[a]<1":   `no "p98"`,
		"eviction.lateness_ms.p99[a]": "PATH OP NUMBER",
	} {
		if _, err := ParseThreshold(expr); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseThreshold(%q) = %v, want an error with %q", expr, err, want)
		}
	}
}

func TestAPhaseThatARunCannotHaveIsAUsageErrorBeforeIt(t *testing.T) {
	phases := []string{"ramp", "steady", "recovery"}
	for _, tt := range []struct {
		expr, scenario string
		storms         bool
		phases         []string
		want           string // empty: fine
	}{
		{"conns.lost[steady]<1", "storm", true, phases, ""},
		{"conns.lost[storm]<1", "storm", true, phases, ""},
		{"conns.lost[steady#2]<1", "hold", false, phases, ""}, // only the run tells how often
		{"conns.lost[anything]<1", "hold", false, nil, ""},
		{"conns.lost[10s..20s]<1", "hold", false, phases, ""},
		{"conns.lost[storm]<1", "hold", false, phases, `this run has no phase "storm"; there are ramp, steady, recovery`},
		{"conns.lost[hold]<1", "storm", true, phases, `no phase "hold"; there are ramp, steady, recovery, and storm`},
		{"messages.lost[ramp]<1", Talk, false, nil, "only the end of a talk tells"},
		{"messages.sent[ramp]<1", Talk, false, nil, ""},
	} {
		th, err := ParseThreshold(tt.expr)
		if err != nil {
			t.Fatal(err)
		}
		err = CheckSpans([]Threshold{th}, tt.scenario, tt.storms, tt.phases)
		if tt.want == "" && err != nil || tt.want != "" && (ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s of %s: %v, want %q", tt.expr, tt.scenario, err, tt.want)
		}
	}
}
