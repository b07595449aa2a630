package result

import (
	"strings"
	"testing"
	"time"
)

func TestOutlookSaysNothingThatTheEndMayContradict(t *testing.T) {
	before := &Result{Conns: Conns{End: 10, Peak: 10}}
	storm := &Result{Conns: Conns{End: 5, Peak: 10}, Storm: &Storm{Clients: 5, T50S: new(1.5)},
		Eviction: Eviction{False: 1}}
	for _, tt := range []struct {
		name  string
		soFar *Result
		expr  string
		since time.Duration
		want  OutlookState
		known bool
	}{
		{"holds now", before, "conns.end==10", 0, Holds, true},
		{"does not hold yet", before, "conns.end==11", 0, Open, true},
		{"may fall again", before, "conns.end<10", 0, Open, true},
		{"cannot fall again", before, "conns.peak<10", 0, Failed, true},
		{"has gone beyond", before, "conns.peak==9", 0, Failed, true},
		{"counts from zero", before, "eviction.observed==5", 0, Open, true},
		{"no storm yet", before, "storm.t99_s<3", 0, Open, false},
		{"a first false eviction", storm, "eviction.false==0", 2 * time.Second, Failed, true},
		{"half are back in time", storm, "storm.t50_s<=1.5", 2 * time.Second, Holds, true},
		{"the rest may be yet", storm, "storm.t99_s<3", 2 * time.Second, Open, false},
		{"the rest are late", storm, "storm.t99_s<3", 3 * time.Second, Failed, false},
		{"told at the end only", storm, "storm.offline==0", 2 * time.Second, Open, false},
	} {
		threshold, err := ParseThreshold(tt.expr)
		if err != nil {
			t.Fatal(err)
		}
		got := NewForecast([]Threshold{threshold}).Foresee(tt.soFar, tt.since)[0]
		if got.State != tt.want || (got.Actual != nil) != tt.known {
			t.Errorf("%s: foresee(%s) = %+v, want state %d, a figure: %v", tt.name, tt.expr, got, tt.want, tt.known)
		}
	}
}

// The other figures are made when the run is over.
func TestWhatIsKnownEarly(t *testing.T) {
	for path, want := range map[string][2]bool{ // grows, known
		"wall_s": {true, true}, "conns.peak": {true, true}, "conns.end": {false, true}, "conns.losses.cut": {}, "conns.losses.reset": {true, true},
		"connect.failures.memory": {true, true}, "connect.latency_ms.max": {}, "heartbeat.rtt_ms.p999": {false, true}, "heartbeat.rtt_ms.max": {true, true},
		"heartbeat.intended_rtt_ms.max": {}, "storm.back": {false, true}, "storm.clients": {true, true}, "eviction.lateness_ms.min": {false, true},
		"generator.late_ms.max": {true, true}, "server.0.rss_bytes": {},
	} {
		if grows, known := early(strings.Split(path, ".")); grows != want[0] || known != want[1] {
			t.Errorf("%s: grows %v, known %v; want %v", path, grows, known, want)
		}
	}
}
