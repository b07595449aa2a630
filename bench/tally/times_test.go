package tally

import (
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// timed is a row with round trips.
func timed(t *testing.T, at float64, rtts ...time.Duration) result.Second {
	t.Helper()
	recent := NewRecent()
	for _, d := range rtts {
		RecordRecent(recent.RTT, d)
	}
	s := result.Second{T: at, Counts: map[string]int{"messages.lost": len(rtts)}}
	if err := recent.SetTimes(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func timesOf(t *testing.T, s *result.Second, name string) *result.Times {
	t.Helper()
	times := result.NewTimes()
	if err := times.Add(s, name); err != nil {
		t.Fatal(err)
	}
	return times
}

func TestASecondHasTheTimesThatWereMeasuredInIt(t *testing.T) {
	s := timed(t, 1, 100*time.Microsecond, 3*time.Millisecond, 2*time.Minute)
	if len(s.Histograms) != 1 {
		t.Errorf("there are %v, want round trips alone", s.Histograms)
	}
	times := timesOf(t, &s, "rtt")
	if p50, most := *times.Ms(50), *times.Ms(100); times.Count() != 3 || p50 < 3 || p50 > 3.03 || most < 60_000 || most > 60_600 {
		t.Errorf("%d times, p50 %v, max %v ms; want 3, and two digits of 3 and of a minute at most", times.Count(), p50, most)
	}
	shakes := NewHist()
	shakes.Record(5 * time.Millisecond)
	if err := shakes.SetTimes(&s, "handshake"); err != nil || timesOf(t, &s, "handshake").Count() != 1 {
		t.Errorf("handshakes: %v, %v", s.Histograms, err)
	}
	var none *Hist
	if err := none.SetTimes(&s, "none"); err != nil || s.Histograms["none"] != "" {
		t.Errorf("nothing is %v, %v", s.Histograms, err)
	}
}

// What two machines measured in a second is one distribution, and what they counted is one sum.
func TestTheTimesOfPartsAddUp(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := benchtest.Part(1, at, 1), benchtest.Part(2, at, 1)
	a.Detail.Seconds = []result.Second{timed(t, 1, time.Millisecond, time.Millisecond), timed(t, 2)}
	b.Detail.Seconds = []result.Second{timed(t, 1, 9*time.Millisecond), timed(t, 2, 7*time.Millisecond), timed(t, 3, 5*time.Millisecond)}
	m, err := Merge([]*result.Result{a, b}, []string{"heartbeat.rtt_ms.max[..1s]<9", "heartbeat.rtt_ms.max[1s..2s]<9", "messages.lost[..1s]==3", "messages.lost[2s..]==1"}, true, nil)
	if m == nil {
		t.Fatal(err)
	}
	for i, want := range []int{3, 1, 1} {
		if n := timesOf(t, &m.Detail.Seconds[i], "rtt").Count(); n != want || m.Detail.Seconds[i].Counts["messages.lost"] != want {
			t.Errorf("second %d has %d times and %v, want %d", i+1, n, m.Detail.Seconds[i].Counts, want)
		}
	}
	for i, want := range []bool{false, true, true, true} {
		if m.Thresholds[i].OK != want {
			t.Errorf("%+v, want that it holds: %v", m.Thresholds[i], want)
		}
	}
	b.Detail.Seconds[1].Histograms = nil // of an older version
	if m, err = Merge([]*result.Result{a, b}, []string{"conns.end>0"}, true, nil); m == nil || m.Detail.Seconds[1].Histograms != nil || m.Detail.Seconds[0].Histograms == nil {
		t.Errorf("%v: the times of a part that does not tell are made up", err)
	}
}

func TestTheSpansOfPartsThatWentTogether(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	for _, tt := range []struct {
		name  string
		begin time.Duration // of the second part, after the first
		last  string        // its phase at last
		want  bool
	}{
		{"together", 200 * time.Millisecond, "hold", true},
		{"one had left the ramp before the other began", 3 * time.Second, "hold", false},
		{"something else", 0, "steady", false},
	} {
		a, b := benchtest.Part(1, at, 1), benchtest.Part(2, at.Add(tt.begin), 1)
		for _, p := range []*result.Result{a, b} {
			p.Detail.Phases = []result.PhaseSeen{{Name: "ramp"}, {Name: "hold", T: 2}}
			p.Detail.Seconds = []result.Second{timed(t, 1, time.Millisecond), timed(t, 2), timed(t, 3, 9*time.Millisecond)}
		}
		b.Detail.Phases[1].Name = tt.last
		m, err := Merge([]*result.Result{a, b}, []string{"messages.lost[hold]==2"}, true, nil)
		if m == nil {
			t.Fatal(err)
		}
		if s := m.Thresholds[0]; s.OK != tt.want || (m.Detail.Phases != nil) != tt.want || !tt.want && !strings.Contains(*s.Failed, "nothing is known of phases") {
			t.Errorf("%s: %+v, phases %v", tt.name, s, m.Detail.Phases)
		}
	}
}
