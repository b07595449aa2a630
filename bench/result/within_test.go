package result

import (
	"math"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// withTimes gives a second times in milliseconds.
func withTimes(t *testing.T, s *Second, name string, ms ...float64) {
	t.Helper()
	h := hdrhistogram.New(1, LongestTime, 2)
	for _, v := range ms {
		if err := h.RecordValue(int64(v * 1000)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := (&Times{h}).Text()
	if err != nil {
		t.Fatal(err)
	}
	s.Histograms[name] = text
}

// dying is a run of which the node stops to answer after second 6: its PINGs wait from the seventh on, and are given
// up in the ninth, in which their clients are lost.
func dying(t *testing.T) *Result {
	r := rampAndHold()
	for i := range r.Detail.Seconds {
		s := &r.Detail.Seconds[i]
		s.Ready, s.Pings, s.Established = 100, 50, 0
		switch {
		case i < 2:
			s.Established, s.Ready, s.Pings = 50, 50*(i+1), 0
		case i < 6:
			s.Pongs = 50
			withTimes(t, s, "rtt", 1, 2, 3)
		case i < 8:
			s.Unanswered, s.RTTMax = 50*(i-5), new(1000*float64(i-5))
		case i == 8:
			s.Ready, s.Lost, s.Pings, s.Failed = 0, 100, 0, 7
			s.Counts["heartbeat.unanswered"], s.Counts["conns.losses.pong_timeout"] = 100, 100
			withTimes(t, s, "rtt", 2000, 2000, 2000)
		default:
			s.Ready, s.Pings = 0, 0
		}
		s.Servers = []ServerSecond{{RSSBytes: new(int64(1000 * (i + 1))), CPUS: new(0.25 * float64(i+1))}}
	}
	h := &r.Heartbeat
	h.Sent, h.Answered, h.Unanswered = 300, 200, 100
	h.RTTms = &Percentiles{P50: 2, P99: 2000, Max: 2000}
	r.Conns = Conns{Target: 100, Peak: 100, End: 0, Lost: 100}
	r.Conns.Losses.PongTimeout = 100
	r.Connect.Failed, r.Connect.Failures.Refused, r.Connect.Established = 7, 7, 100
	return r
}

func TestFiguresOfASpan(t *testing.T) {
	r := dying(t)
	for expr, want := range map[string]float64{ // NaN: there is none
		"heartbeat.sent[hold#1]==0":          150,
		"heartbeat.answered[hold#1]==0":      150,
		"heartbeat.answered[6s..9s]==0":      0,
		"heartbeat.unanswered[..8s]==0":      0,
		"heartbeat.unanswered[8s..9s]==0":    100,
		"conns.lost[hold#2]==0":              100,
		"conns.losses.pong_timeout[8s..]==0": 100,
		"conns.losses.reset[8s..]==0":        0,
		"connect.failed[hold]==0":            7,
		"connect.established[ramp]==0":       100,
		"connect.rate_per_s[0s..2s]>50":      50,
		"connect.rate_per_s[..4s]>50":        25,
		"conns.end[..2s]==0":                 100,
		"conns.end[hold]==0":                 0,
		"conns.peak[..1s]==0":                50,
		"heartbeat.rtt_ms.p50[hold#1]==0":    2,
		"heartbeat.rtt_ms.max[hold#1]==0":    3,
		"heartbeat.rtt_ms.p99[ramp]==0":      3, // its last second has some
		"heartbeat.rtt_ms.p99[..2s]==0":      math.NaN(),
		"server.0.rss_bytes[..4s]==0":        4000,
		"server.0.cpu_s[2s..4s]==9":          0.5,
		"server.0.cpu_s[..2s]==9":            0.5,
		"server.1.rss_bytes[..4s]==0":        math.NaN(),
		"messages.sent[hold]==1":             0,
	} {
		th, err := ParseThreshold(expr)
		if err != nil {
			t.Fatal(err)
		}
		got, err := th.within(r)
		switch {
		case math.IsNaN(want):
			if got != nil || err == nil || !strings.Contains(err.Error(), "there was none in") {
				t.Errorf("%s: %v, %v; want none", expr, Number(got), err)
			}
		case got == nil || math.Abs(*got-want) > want/100:
			t.Errorf("%s: %v, %v; want %v", expr, Number(got), err, want)
		}
	}
	// An older result does not tell, and no figure is made up for it.
	for i := range r.Detail.Seconds {
		r.Detail.Seconds[i].Counts, r.Detail.Seconds[i].Histograms = nil, nil
	}
	for _, expr := range []string{"heartbeat.unanswered[hold]==0", "heartbeat.rtt_ms.p99[hold]<5"} {
		th, _ := ParseThreshold(expr)
		if seen, err := evaluate(r, []Threshold{th}); err != nil || seen[0].OK || seen[0].Actual != nil || !strings.Contains(*seen[0].Failed, "older version") {
			t.Errorf("%s of an older result: %+v, %v", expr, seen[0], err)
		}
	}
}

func TestAThresholdTellsWhenItBroke(t *testing.T) {
	struck := dying(t)
	struck.Detail.StormAtS, struck.Storm = new(6.2), &Storm{Clients: 100}
	talk := dying(t)
	talk.Scenario, talk.Messages = Talk, &Messages{Lost: 3}
	for _, tt := range []struct {
		name string
		r    *Result
		expr string
		want float64 // 0: only the end tells, or it holds
	}{
		{"holds", dying(t), "heartbeat.answered>0", 0},
		{"a count that went beyond", dying(t), "conns.lost<50", 9},
		{"PINGs count from when they waited, not from when they were given up", dying(t), "heartbeat.unanswered==0", 7},
		{"a count that did not get there", dying(t), "heartbeat.answered==300", 0},
		{"a state that was left", dying(t), "conns.end==100", 9},
		{"a state that never was", dying(t), "conns.end==101", 0},
		{"a percentile, from the second that turned it, or in which PINGs waited for so long", dying(t), "heartbeat.rtt_ms.p99<100", 7},
		{"which is later if it may be longer", dying(t), "heartbeat.rtt_ms.p99<1500", 8},
		{"a percentile that was never less", dying(t), "heartbeat.rtt_ms.p50<1", 3},
		{"in a span", dying(t), "heartbeat.rtt_ms.p99[hold#2]<100", 7},
		{"a rate", dying(t), "connect.rate_per_s[1s..6s]>20", 3},
		{"that of the whole run is of the ramp alone", dying(t), "connect.rate_per_s>1000", 0},
		{"a time that passed", struck, "storm.t100_s<=2", 8.2},
		{"a time that had not passed at the end", struck, "storm.t100_s<=60", 0},
		{"of a ledger only the end tells", talk, "messages.lost==0", 0},
		{"what no second tells", dying(t), "wall_s<1", 0},
	} {
		th, err := ParseThreshold(tt.expr)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := evaluate(tt.r, []Threshold{th})
		if err != nil {
			t.Fatal(err)
		}
		got := 0.0
		if seen[0].BrokeAtS != nil {
			got = *seen[0].BrokeAtS
		}
		if math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %s broke at %v, want %v (%+v)", tt.name, tt.expr, got, tt.want, seen[0])
		}
		if words := seen[0].Words(); tt.want != 0 && !strings.Contains(words, "; since second ") {
			t.Errorf("%s: %q", tt.name, words)
		}
	}
}

// An outlook of a span is what its seconds come to, and final when they are over.
func TestTheOutlookOfASpan(t *testing.T) {
	whole := dying(t)
	exprs := []string{"heartbeat.answered[hold#1]==150", "heartbeat.answered[hold#1]>1000", "conns.lost[hold#2]<50", "heartbeat.answered[3s..5s]>1000"}
	all, err := ReadThresholds(nil, exprs)
	if err != nil {
		t.Fatal(err)
	}
	f := NewForecast(all)
	want := map[int][]OutlookState{
		2: {Open, Open, Holds, Open},
		5: {Open, Open, Holds, Open}, // it is over with the next
		6: {Holds, Open, Holds, Failed},
		9: {Holds, Open, Failed, Failed},
	}
	for n := 1; n <= len(whole.Detail.Seconds); n++ {
		soFar := &Result{}
		soFar.Detail = Detail{Seconds: whole.Detail.Seconds[:n]}
		for _, p := range whole.Detail.Phases {
			if p.T < float64(n) {
				soFar.Detail.Phases = append(soFar.Detail.Phases, p)
			}
		}
		seen := f.Foresee(soFar, 0)
		for i, state := range want[n] {
			if seen[i].State != state {
				t.Errorf("after second %d %s is %v (%s), want %v", n, exprs[i], seen[i].State, Number(seen[i].Actual), state)
			}
		}
	}
}
