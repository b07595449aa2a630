package result

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAResultIsJudgedAgain(t *testing.T) {
	for _, tt := range []struct {
		name       string
		asked      []string
		noPromises bool
		want       []string // thresholds; those of the promises first
		code       int
		says       string
	}{
		{"as it was", nil, false, []string{"conns.lost==0", "heartbeat.sent>0"}, ExitThreshold, "sessions lost: 100"},
		{"without promises", nil, true, []string{"heartbeat.sent>0"}, ExitPass, ""},
		{"by something else", []string{"conns.lost[hold#1]==0"}, true, []string{"conns.lost[hold#1]==0"}, ExitPass, ""},
		{"by something else, too", []string{"conns.lost[hold#2]==0"}, false, []string{"conns.lost==0", "conns.lost[hold#2]==0"}, ExitThreshold, "and 1 more"},
		{"a phase that it had not", []string{"conns.lost[steady]==0"}, true, nil, ExitUsage, `no phase "steady"; there are ramp, hold`},
		{"a time after its end", []string{"conns.lost[10s..20s]==0"}, true, nil, ExitUsage, "reaches beyond the run"},
		{"no threshold", []string{"conns.lots==0"}, true, nil, ExitUsage, `no "lots"`},
	} {
		r := dying(t)
		r.Schema, r.Promises, r.Generator.LateMs = Schema, true, &GeneratorLate{P99: 100} // it had another limit
		r.Thresholds = []ThresholdSeen{{Expr: "heartbeat.sent>0"}, {Expr: "conns.lost==0", Promise: true}}
		err := r.Rejudge(tt.asked, tt.noPromises)
		if ExitCode(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: exit %d, %v; want %d, %q", tt.name, ExitCode(err), err, tt.code, tt.says)
		}
		if tt.want == nil {
			continue
		}
		var got []string
		for _, s := range r.Thresholds {
			got = append(got, s.Expr)
		}
		if !slices.Equal(got, tt.want) || r.Promises == tt.noPromises {
			t.Errorf("%s: judged by %q, promises %v; want %q", tt.name, got, r.Promises, tt.want)
		}
	}
}

func TestAResultThatDoesNotCountIsNotMadeToCount(t *testing.T) {
	r := dying(t)
	r.Schema, r.Generator.WhyInvalid, r.Generator.LateMs = Schema, new("it was late"), &GeneratorLate{}
	if err := r.Rejudge([]string{"heartbeat.sent>0"}, true); ExitCode(err) != ExitInvalid || r.Verdict != Invalid {
		t.Errorf("%s, %v; want that it stays invalid", r.Verdict, err)
	}
	r.Schema = schemaV1
	if err := r.Rejudge(nil, false); ExitCode(err) != ExitUsage {
		t.Errorf("of another schema: %v", err)
	}
}

func TestWhatMayBeCompared(t *testing.T) {
	of := func(with func(*Result)) *Result {
		r := sample()
		r.Schema, r.Scenario, r.Verdict, r.WallS, r.Started = Schema, "storm", Pass, 30, time.Unix(0, 0)
		r.Storm.Kind, r.Storm.Policy, r.Load.Policy = "kill", "window", "window"
		if with != nil {
			with(r)
		}
		return r
	}
	for _, tt := range []struct {
		name string
		with func(*Result)
		want []string // each in a sentence
		none string   // in no sentence
	}{
		{"the same", nil, []string{"the same: they may be compared"}, "differ in"},
		{"one thing", func(r *Result) { r.Load.Policy = "full" }, []string{"They differ in policy (window and full) alone"}, "not to which"},
		{"two", func(r *Result) { r.Load.Policy, r.Build.Version = "full", "v2" }, []string{"policy (window and full) and version ( and v2)", "not to which of these it is due"}, "alone"},
		{"another experiment", func(r *Result) { r.Scenario, r.Storm = "hold", nil }, []string{"different experiments, storm kill and hold"}, "may be compared"},
		{"invalid", func(r *Result) { r.Verdict, r.Generator.WhyInvalid = Invalid, new("it was late") }, []string{"The figures of b do not count, so nothing may be compared with them: it was late."}, "they may be compared"},
		{"invalid, and another policy", func(r *Result) { r.Verdict, r.Load.Policy, r.WallS = Invalid, "full", 60 }, []string{"nothing may be compared with them", "They also differ in policy (window and full)."}, "they may be compared"},
		{"invalid, and longer", func(r *Result) { r.Verdict, r.WallS = Invalid, 60 }, []string{"nothing may be compared"}, "compare rates"},
		{"an older one", func(r *Result) { r.Schema = schemaV1 }, []string{"b is of stormwheel.bench/v1"}, ""},
		{"longer", func(r *Result) { r.WallS = 60 }, []string{"30 to 60 s: compare rates, shares and percentiles"}, ""},
		{"more clients", func(r *Result) { r.Conns.Target = 99 }, []string{"clients (0 and 99) alone"}, ""},
	} {
		all := strings.Join(Comparable([]string{"a", "b"}, []*Result{of(nil), of(tt.with)}), "\n")
		for _, want := range tt.want {
			if !strings.Contains(all, want) {
				t.Errorf("%s: %q is not said in\n%s", tt.name, want, all)
			}
		}
		if tt.none != "" && strings.Contains(all, tt.none) {
			t.Errorf("%s: %q is said in\n%s", tt.name, tt.none, all)
		}
	}
}
