package scenario

import (
	"testing"
)

func TestProbesAreTenAtLeastOfFiveHundred(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want int
	}{
		{Config{Scenario: "storm", Spawn: 2, Conns: 200}, 4},
		{Config{Scenario: "storm", Spawn: 2, Conns: 500}, 10},
		{Config{Scenario: "storm", Spawn: 2, Conns: 10_000}, 200},
		{Config{Scenario: "storm", Spawn: 2, Conns: 500, Probes: -1}, 0},
		{Config{Scenario: "storm", Spawn: 2, Conns: 100, Probes: 0.9}, 50},
		{Config{Scenario: "hold", Spawn: 2, Conns: 500}, 0},
	} {
		if got := tt.cfg.ProbeCount(); got != tt.want {
			t.Errorf("%+v: %d probes, want %d", tt.cfg, got, tt.want)
		}
	}
}
