package result

import (
	"strings"
	"testing"
	"time"
)

// runUntil gives a run to the rules second by second, and says with which it ends and why; 0: it does not.
func runUntil(t *testing.T, a *Aborts, r *Result) (second int, why string) {
	t.Helper()
	for n := 1; n <= len(r.Detail.Seconds); n++ {
		soFar := r.Detail
		soFar.Seconds = r.Detail.Seconds[:n]
		soFar.Phases = nil
		for _, p := range r.Detail.Phases {
			if p.T < float64(n) {
				soFar.Phases = append(soFar.Phases, p)
			}
		}
		if why := a.Take(&soFar); why != "" && second == 0 {
			second = n
			if again := a.Take(&soFar); again != "" {
				t.Errorf("it ends twice: %s", again)
			}
			return second, why
		}
	}
	return 0, ""
}

func TestARunEndsWhenARuleHasHeldForSoLong(t *testing.T) {
	flicker := dying(t) // second 4 is fine
	for _, i := range []int{2, 4, 5} {
		withTimes(t, &flicker.Detail.Seconds[i], "rtt", 500)
	}
	for _, tt := range []struct {
		name  string
		r     *Result
		expr  string
		after time.Duration
		want  int // 0: it goes on
	}{
		{"at once", dying(t), "conns.lost>50", 0, 9},
		{"a count stays, so that a second later it has been so for one", dying(t), "conns.lost>50", 600 * time.Millisecond, 10},
		{"not for so long", dying(t), "conns.lost>50", 2 * time.Second, 0},
		{"not so", dying(t), "conns.lost>500", 0, 0},
		{"a percentile is that of the last second", dying(t), "heartbeat.rtt_ms.p50>1000", 0, 9},
		{"a good second begins it anew", flicker, "heartbeat.rtt_ms.p99>400", time.Second, 6},
		{"or ends it", flicker, "heartbeat.rtt_ms.p99>400", 2 * time.Second, 0},
		{"a second without any is none that it holds in", dying(t), "heartbeat.rtt_ms.p99>=0", 5 * time.Second, 0},
		{"a state", dying(t), "conns.end<100", 0, 1},
		{"a state, in a phase", dying(t), "conns.end<100[hold]", 0, -1},
		{"in a phase", dying(t), "conns.end[hold]<100", 0, 9},
		{"in a phase that does not come", dying(t), "conns.end[steady]<100", 0, 0},
		{"of a span only its own count", dying(t), "connect.established[2s..9s]>=1", 0, 0},
	} {
		a, err := NewAborts([]string{tt.expr}, tt.after)
		if tt.want < 0 {
			if ExitCode(err) != ExitUsage {
				t.Errorf("%s: %v, want a usage error", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		second, why := runUntil(t, a, tt.r)
		seen := a.Seen()[0]
		if second != tt.want || (why != "") != (tt.want > 0) || seen.OK != (tt.want == 0) || !seen.Abort {
			t.Errorf("%s: it ends with second %d (%s), %+v; want %d", tt.name, second, why, seen, tt.want)
		}
		if tt.want > 0 && (*seen.Failed != why || *seen.BrokeAtS > float64(tt.want)) {
			t.Errorf("%s: %q since %v", tt.name, *seen.Failed, *seen.BrokeAtS)
		}
	}
}

func TestARuleMustBeOfWhatIsKnownBeforeTheEnd(t *testing.T) {
	for expr, want := range map[string]string{
		"storm.t99_s>3":      "only the end of a run tells storm.t99_s",
		"conns.lots>3":       `no "lots"`,
		"verdict==1":         "does not end at a number",
		"conns.lost[a..b]>1": "no time since the begin",
	} {
		if _, err := NewAborts([]string{expr}, 0); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--abort-on") {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}

// What ended a run is a failure of it, and neither an interruption nor lost when it is judged again.
func TestARunThatEndedItselfHasFailed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		ok      bool // of the rule
		cut     bool
		late    float64
		verdict Verdict
		code    int
	}{
		{"no rule held", true, false, 1, Pass, ExitPass},
		{"one did", false, true, 1, Fail, ExitThreshold},
		{"interrupted by hand", true, true, 1, Invalid, ExitInterrupted},
		{"one did, of a generator that was late", false, true, 30, Invalid, ExitInvalid},
	} {
		r := sample()
		r.Generator.LateMs, r.Interrupted = &GeneratorLate{P99: tt.late}, tt.cut
		r.Thresholds = []ThresholdSeen{{Expr: "conns.lost>1", Abort: true, OK: tt.ok, Failed: new("lost")}}
		for range 2 {
			if err := r.Judge(nil, 20*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		if code := ExitCode(r.Err()); r.Verdict != tt.verdict || code != tt.code || len(r.Thresholds) != 1 {
			t.Errorf("%s: %s, exit %d, %+v; want %s, %d", tt.name, r.Verdict, code, r.Thresholds, tt.verdict, tt.code)
		}
	}
}
