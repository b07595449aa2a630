package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// parsed is what bench makes of a run file and more words.
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

func TestARunFileSaysFlagsAndPhases(t *testing.T) {
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

func TestABadRunFileIsOneSentenceThatSaysWhere(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "day.yaml: it is empty"},
		{"no scenario", "spawn: 2", "day.yaml: it says no scenario, and has no phases"},
		{"no YAML", "phases: [", "day.yaml:1: this is no YAML: "},
		{"no map", "- hold", "day.yaml:1: this is not KEY: VALUE"},
		{"unknown flag", "phases: [{ramp: 1}]\nspwan: 2", `day.yaml:2: "spwan" is neither scenario nor a flag of bench; did you mean "spawn"?`},
		{"nothing like it", "scenario: hold\nvus: 2", `day.yaml:2: "vus" is neither scenario nor a flag of bench; those are in stormwheel bench --help`},
		{"unknown scenario", "scenario: strom", `day.yaml:1: no scenario "strom"; did you mean "storm"?`},
		{"twice", "scenario: hold\nspawn: 1\nspawn: 2", "day.yaml:3: spawn is said in line 2 already"},
		{"twice, once in the plural", "scenario: hold\ntarget: a:1\ntargets: [b:2]", "day.yaml:3: targets is said in line 2 already"},
		{"unknown word", "phases:\n  - ramp: 1\n    rte: 5", `day.yaml:3: phase 1: a phase has no "rte"; did you mean "rate"?`},
		{"wrong kind", "phases:\n  - ramp: many", `day.yaml:2: phase 1: ramp: "many" is not a whole number`},
		{"no duration", "phases: [{ramp: 1}, {hold: 1}]", `phase 2: hold: "1" is not a duration, as in 10s`},
		{"no list", "phases: 3", "day.yaml:1: phases are a list, as in - hold: 10s"},
		{"a map for the list", "phases: {ramp: 3}", "day.yaml:1: phases are a list"},
		{"a word for a phase", "phases: [ramp]", `"ramp" is not DO=VALUE`},
		{"two in one", "phases: [{ramp: 1, hold: 1s}]", "phase 1: it is both ramp and hold"},
		{"nothing", "phases: [{ramp: 1}, {rate: 5}]", "phase 2: it is none of ramp, hold"},
		{"of another", "phases: [{ramp: 1}, {hold: 1s, rate: 5}]", "rate, profile and steps are for a ramp, not for hold"},
		{"of a storm", "phases: [{ramp: 1}, {silence: 5%, for: 3s}]", "fraction and for are for a storm"},
		{"share", "phases: [{ramp: 1}, {silence: half}]", `"half" is no share`},
		{"flag", "scenario: hold\nconns: many", `day.yaml:2: conns: expected a valid 64 bit int but got "many"`},
		{"flag with words", "scenario: hold\nworkers: some", `day.yaml:2: workers: "some" is neither auto nor a number`},
		{"flag without a value", "scenario: hold\nconns:", "day.yaml:2: conns has no value"},
		{"no bool", "scenario: hold\nquiet: very", `day.yaml:2: quiet: "very" is neither true nor false`},
		{"a list in a list", "scenario: hold\ntarget: [[a]]", "day.yaml:2: target: this is not one word"},
		{"zero", "phases: [{ramp: 1}]\nspawn: 0", "day.yaml:2: --spawn: 0 is no choice"},
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

// What is wrong with a run as a whole is found after the flags are read: it says where, too.
func TestAnImpossibleRunSaysWhereInItsFile(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"scenario: hold\nspawn: 1\nrate: -1", "day.yaml:3: --rate: -1 is not"},
		{"scenario: hold\nconns: 5", "day.yaml: nothing to aim at"},
		{"scenario: hold\nspawn: 1\nthreshold:\n  - conns.ned==1", `day.yaml:3: threshold "conns.ned==1": no "ned"`},
		{"spawn: 1\nphases:\n  - ramp: 3\n  - hold: 0s", "day.yaml:4: phase 2 (hold): 0s is not above 0"},
		{"scenario: hold\nspawn: 1\nkind: kill", "day.yaml:3: --kind is not for hold"},
	} {
		file := textFile(t, "day.yaml", tt.text)
		p := stormwheel(t, "bench", "run", file)
		code, _ := p.exit()
		if said := p.stderr.String(); code != exitUsage || !strings.Contains(said, tt.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%q: exit %d, %q; want %q", tt.text, code, said, tt.want)
		}
	}
	p := stormwheel(t, "bench", "run", textFile(t, "day.yaml", "scenario: hold\nspawn: 1"), "--rate=-1")
	if _, _ = p.exit(); !strings.HasPrefix(p.stderr.String(), "stormwheel: --rate: -1") {
		t.Errorf("a fault of the command line: %q; want no place in the file", p.stderr.String())
	}
}

// What --print says makes the same run, whatever the file says.
func TestThePrintedCommandLineIsTheSameRun(t *testing.T) {
	examples, err := filepath.Glob("../../examples/runs/*.yaml")
	if err != nil || len(examples) < 4 {
		t.Fatalf("%v, %d examples", err, len(examples))
	}
	texts := map[string]string{"all kinds of flags": `
scenario: storm
kind: cut
targets: ["127.0.0.1:7000", "[::1]:7000"]
pid: [1, 2]
conns: 1_000
rate: 2e3
fraction: 0.5
probes: none
cohorts: {window: 50%, fixed: 50%}
send: 1KiB
every: 500ms
seed: 7
start-at: 2099-01-01T00:00:00Z
ignore-alternates: true
thresholds:
  - storm.t99_s<30
  - conns.end >= 999
json: "out/a result's.json"
`, "node flags as a map": "scenario: hold\nspawn: 2\nnode-arg: {admit-rate: 1000, loops: 1}\n"}
	for _, path := range examples {
		texts[path] = readDoc(t, path)
	}
	for name, text := range texts {
		text = strings.ReplaceAll(text, "2099-", time.Now().Add(time.Hour).UTC().Format("2006-"))
		text = strings.ReplaceAll(text, "01-01T00:00:00Z", time.Now().Add(time.Hour).UTC().Format("01-02T15:04:05Z"))
		file := textFile(t, "day.yaml", text)
		p := stormwheel(t, "bench", "run", file, "--print")
		code, out := p.exit()
		if code != 0 || len(out) != 1 {
			t.Fatalf("%s: exit %d, %q, %s", name, code, out, p.stderr.String())
		}
		words := shellWords(t, out[0])
		c := parsedBench(t, "bench", "run", file)
		again := parsedBench(t, words[1:]...)
		if a, b := c.config(), again.config(); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %s\nis %+v\nwant %+v", name, out[0], b, a)
		}
		if c.JSON != again.JSON || c.HTML != again.HTML || c.CSV != again.CSV || c.SVG != again.SVG || c.Quiet != again.Quiet {
			t.Errorf("%s: %s\nwrites other files", name, out[0])
		}
	}
}

// parsedBench is what bench makes of words.
func parsedBench(t *testing.T, words ...string) *BenchCmd {
	t.Helper()
	var cmd command
	app, err := kong.New(&cmd, benchFlags...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Parse(words); err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	return &cmd.Bench.Run
}

// shellWords are the words that a shell makes of a line.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-c", "for word in "+line+`; do printf '%s\n' "$word"; done`).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestARunFileComesBeforeTheEnvironment(t *testing.T) {
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
