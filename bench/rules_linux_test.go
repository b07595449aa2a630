package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// What the seconds of a run counted is what the run counted, and its phases share that among them.
func TestTheSecondsOfARunAddUpToIt(t *testing.T) {
	cfg := spawned(t, "good", "hold", 2, 40)
	cfg.Duration = 1500 * time.Millisecond
	all := []string{"connect.attempts", "connect.established", "heartbeat.sent", "heartbeat.answered", "heartbeat.unanswered", "conns.lost"}
	for _, path := range all {
		cfg.Thresholds = append(cfg.Thresholds, path+"[..]>=0", path+"[ramp]>=0", path+"[hold]>=0", path+"[answers]>=0")
	}
	r, err := Run(t.Context(), cfg, View{})
	if r == nil {
		t.Fatal(err)
	}
	met := map[string]float64{}
	for _, s := range r.Thresholds {
		if strings.Contains(s.Expr, "[") {
			if s.Actual == nil {
				t.Fatalf("%s: %s", s.Expr, *s.Failed)
			}
			met[s.Expr] = *s.Actual
		}
	}
	for _, path := range all {
		want := benchtest.Figure(t, r, path)
		if got := met[path+"[..]>=0"]; got != want {
			t.Errorf("%s: the seconds have %v, the run %v", path, got, want)
		}
	}
	times := result.NewTimes()
	for i := range r.Detail.Seconds {
		if err := times.Add(&r.Detail.Seconds[i], "rtt"); err != nil {
			t.Fatal(err)
		}
	}
	if times.Count() != r.Heartbeat.Sent {
		t.Errorf("the seconds have %d round trips, the run %d", times.Count(), r.Heartbeat.Sent)
	}
}

func TestARunThatGoesWrongEndsBeforeItsTime(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Farewell: true})
	cfg := spawned(t, "good", "hold", 0, 20)
	cfg.Timeout, cfg.Tick, cfg.NodeCommand = 0, 0, nil
	cfg.Targets, cfg.Duration = []string{f.Addr()}, time.Hour
	cfg.AbortOn = []string{"conns.end[hold]>=20"}
	r, err := Run(t.Context(), cfg, View{})
	if r == nil {
		t.Fatal(err)
	}
	s := r.Thresholds[0]
	if code := result.ExitCode(err); code != result.ExitThreshold && code != result.ExitInvalid || r.WallS > 60 || !r.Interrupted || r.CutShort == nil || !s.Abort || s.OK || s.BrokeAtS == nil {
		t.Errorf("%v, %.1f s, %+v", err, r.WallS, s)
	}
	if e := r.Detail.Events; len(e) == 0 || e[len(e)-1].Kind != result.EventAbort || !strings.Contains(e[len(e)-1].Name, "sessions at the end in hold: 20; the run ends when it is at least 20") {
		t.Errorf("events %+v", e)
	}
	if err := validate(t, r); err != nil {
		t.Error(err)
	}
}
