package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

func TestRulesThatARunCannotKeepAreRefusedBeforeIt(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string // empty: fine
	}{
		{Config{Scenario: "hold", Thresholds: []string{"heartbeat.rtt_ms.p99[hold]<50", "conns.lost[ramp]==0", "conns.lost[5s..6s]==0", "conns.lost[answers]==0"}}, ""},
		{Config{Scenario: "hold", Thresholds: []string{"conns.lost[steady]==0"}}, `no phase "steady"; there are ramp, hold, answers`},
		{Config{Scenario: "hold", Thresholds: []string{"conns.lost[storm]==0"}}, `no phase "storm"`},
		{Config{Scenario: "storm", Kind: "kill", Thresholds: []string{"conns.lost[storm]<9", "conns.lost[recovery]<9", "conns.lost[aftermath]==0"}}, ""},
		{Config{Scenario: "storm", Kind: "kill", Thresholds: []string{"conns.lost[frozen]==0"}}, "there are ramp, steady, recovery, aftermath, answers, and storm"},
		{Config{Scenario: "storm", Kind: "freeze", Thresholds: []string{"conns.lost[frozen]<9"}}, ""},
		{Config{Scenario: "storm", Kind: "drain", Thresholds: []string{"conns.lost[recovery]<9"}}, "there are ramp, steady, drain, aftermath"},
		{Config{Scenario: "phases", Phases: []Phase{{Do: "ramp", Clients: 10}, {Do: "churn", For: time.Second}}, Thresholds: []string{"conns.lost[churn]==0", "conns.lost[settle]==0"}}, ""},
		{Config{Scenario: "phases", Phases: []Phase{{Do: "ramp", Clients: 10}, {Do: "hold", For: time.Second}}, Thresholds: []string{"conns.lost[churn]==0"}}, "there are ramp, hold, answers"},
		{Config{Scenario: "hold", AbortOn: []string{"conns.lost>9"}, AbortAfter: time.Second}, ""},
		{Config{Scenario: "hold", AbortOn: []string{"conns.lost[steady]>9"}}, `no phase "steady"`},
		{Config{Scenario: "hold", AbortOn: []string{"storm.t99_s>9"}}, "only the end of a run tells"},
		{Config{Scenario: "hold", AbortAfter: time.Second}, "--abort-after is for --abort-on"},
		{Config{Scenario: "hold", AbortOn: []string{"conns.lost>9"}, AbortAfter: -time.Second}, "--abort-after: -1s is below 0"},
	} {
		tt.cfg.Spawn, tt.cfg.Conns = 2, 10
		_, err := Prepare(t.Context(), tt.cfg)
		if tt.want == "" && err != nil || tt.want != "" && (result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s %v %v: %v, want %q", tt.cfg.Scenario, tt.cfg.Thresholds, tt.cfg.AbortOn, err, tt.want)
		}
	}
}
