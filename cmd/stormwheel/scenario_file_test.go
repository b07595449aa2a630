package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// parsed is what bench makes of a scenario file and more words.
func parsed(t *testing.T, text string, more ...string) (bench.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "day.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var cmd command
	app, err := kong.New(&cmd, append(benchFlags, kong.DefaultEnvars("STORMWHEEL"))...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = app.Parse(append([]string{"bench", file}, more...))
	return cmd.Bench.Run.config(), err
}

func TestAScenarioFileSaysFlagsAndPhases(t *testing.T) {
	t.Setenv("STORMWHEEL_TICK", "100ms")
	t.Setenv("STORMWHEEL_SEED", "5")
	c, err := parsed(t, `
spawn: 3
rate: 500
heartbeat: 2s
seed: 7
workers: 2
node-arg: [admit-rate=1000, loops=1]
threshold: [conns.end==80]
phases:
  - ramp: 60
  - hold: 10s
  - ramp: 40
    rate: 2e3
    profile: step
    steps: 4
  - churn: 1m
  - silence: 20%
  - storm: freeze
    for: 15s
`, "--heartbeat", "1s")
	if err != nil {
		t.Fatal(err)
	}
	if c.Scenario != "phases" || c.Spawn != 3 || c.Rate != 500 || c.Workers != 2 {
		t.Errorf("config = %+v", c)
	}
	if c.Heartbeat != time.Second || c.Seed != 7 || c.Tick != 100*time.Millisecond {
		t.Errorf("heartbeat %v, seed %d, tick %v; want the command line before the file, and the file before the environment", c.Heartbeat, c.Seed, c.Tick)
	}
	if !reflect.DeepEqual(c.NodeArgs, []string{"admit-rate=1000", "loops=1"}) || !reflect.DeepEqual(c.Thresholds, []string{"conns.end==80"}) {
		t.Errorf("node args %q, thresholds %q", c.NodeArgs, c.Thresholds)
	}
	want := []scenario.Phase{
		{Do: "ramp", Clients: 60},
		{Do: "hold", For: 10 * time.Second},
		{Do: "ramp", Clients: 40, Rate: 2000, Profile: "step", Steps: 4},
		{Do: "churn", For: time.Minute},
		{Do: "silence", Fraction: 0.2},
		{Do: "storm", Kind: "freeze", For: 15 * time.Second},
	}
	if !reflect.DeepEqual(c.Phases, want) {
		t.Errorf("phases = %+v\nwant %+v", c.Phases, want)
	}
}

func TestABadScenarioFileIsOneSentence(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "no phases"},
		{"no phases", "spawn: 2", "no phases"},
		{"no YAML", "phases: [", "day.yaml: yaml: "},
		{"unknown flag", "phases: [{ramp: 1}]\nspwan: 2", `"spwan" is neither phases nor a flag`},
		{"unknown word", "phases:\n  - ramp: 1\n    rte: 5", `line 3: a phase has no "rte"`},
		{"wrong kind", "phases:\n  - ramp: many", `line 2: "many" is not a whole number`},
		{"no duration", "phases: [{ramp: 1}, {hold: 1}]", `line 1: "1" is not a duration, as in 10s`},
		{"no list", "phases: 3", `"3" is not a list of phases`},
		{"a word for a phase", "phases: [ramp]", `"ramp" is not a phase`},
		{"two in one", "phases: [{ramp: 1, hold: 1s}]", "phase 1: it is both ramp and hold"},
		{"nothing", "phases: [{ramp: 1}, {rate: 5}]", "phase 2: it is none of ramp, hold"},
		{"of another", "phases: [{ramp: 1}, {hold: 1s, rate: 5}]", "rate, profile and steps are for a ramp, not for hold"},
		{"of a storm", "phases: [{ramp: 1}, {silence: 5%, for: 3s}]", "fraction and for are for a storm"},
		{"share", "phases: [{ramp: 1}, {silence: half}]", `"half" is no share`},
		{"flag", "phases: [{ramp: 1}]\nconns: many", "--conns"},
		{"zero", "phases: [{ramp: 1}]\nspawn: 0", "--spawn: 0 is no choice"},
	} {
		_, err := parsed(t, tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(oneLine(err), "\n") {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
	var cmd command
	app, err := kong.New(&cmd, benchFlags...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Parse([]string{"bench", "absent.yaml"}); err == nil || err.Error() != "absent.yaml: no such file or directory" {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAScenarioFileComesBeforeTheEnvironment(t *testing.T) {
	t.Setenv("STORMWHEEL_KIND", "drain")
	t.Setenv("STORMWHEEL_FREEZE", "9s")
	start := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	c, err := parsed(t, "start-at: "+start.Format(time.RFC3339)+"\nseed: 1e6\nphases:\n  - ramp: 60\n  - storm: freeze\n    for: 15s\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind != "freeze" || c.Freeze != 15*time.Second {
		t.Errorf("kind %q for %v, want what the file says", c.Kind, c.Freeze)
	}
	if !c.StartAt.Equal(start) || c.Seed != 1_000_000 {
		t.Errorf("start at %v, seed %d; want what the file says without quotes", c.StartAt, c.Seed)
	}
	if c, err := parsed(t, "phases:\n  - ramp: 60\n  - storm: blackout\n    for: 7s\n"); err != nil || c.Outage != 7*time.Second {
		t.Errorf("outage %v (%v), want the 7 s of the file", c.Outage, err)
	}
	if c, err = parsed(t, "phases:\n  - ramp: 60\n  - storm: freeze\n    for: 15s\n", "--kind", "kill"); err != nil || c.Kind != "kill" {
		t.Errorf("kind %q (%v), want the one of the command line", c.Kind, err)
	}
}
