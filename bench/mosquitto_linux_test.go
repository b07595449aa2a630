package bench

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestMosquittoHolds(t *testing.T) {
	m := benchtest.StartMosquitto(t, "allow_anonymous true\n")
	r, err := Run(t.Context(), Config{Scenario: "hold", Targets: []string{m.Addr}, Protocol: "mqtt", Conns: 200, Rate: 1000,
		Heartbeat: 2 * time.Second, Duration: 5 * time.Second, LateLimit: time.Minute}, View{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Connect.Attempts != 200 || r.Heartbeat.Answered < 300 || r.Conns.Losses != (result.Losses{}) {
		t.Errorf("%d attempts, %d answers, losses %+v; want 200, 300 or more, none", r.Connect.Attempts, r.Heartbeat.Answered, r.Conns.Losses)
	}
}

func TestMosquittoStandsChurnAndACut(t *testing.T) {
	m := benchtest.StartMosquitto(t, "allow_anonymous true\n")
	for _, cfg := range []Config{
		{Scenario: "churn", Lifetime: time.Second, Duration: 2 * time.Second},
		{Scenario: "storm", Kind: "cut", Duration: 100 * time.Millisecond, RecoveryTimeout: 10 * time.Second},
	} {
		cfg.Targets, cfg.Protocol, cfg.Conns, cfg.Rate, cfg.Heartbeat = []string{m.Addr}, "mqtt", 100, 1000, 2*time.Second
		cfg.LateLimit, cfg.NoPromises = time.Minute, true // some are of times, which a busy machine does not keep
		cfg.Thresholds = []string{"conns.end==100", "connect.failed==0"}
		if _, err := Run(t.Context(), cfg, View{}); err != nil {
			t.Errorf("%s: %v", cfg.Scenario, err)
		}
	}
}
