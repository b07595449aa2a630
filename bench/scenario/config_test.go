package scenario

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// impossible is a config that Prepare refuses, and how.
type impossible struct {
	name string
	cfg  Config
	code int
	want string
}

func wantOneSentence(t *testing.T, cases []impossible) {
	t.Helper()
	for _, tt := range cases {
		_, err := Prepare(t.Context(), tt.cfg)
		if result.ExitCode(err) != tt.code || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: prepare = exit %d, %v; want exit %d, one line with %q", tt.name, result.ExitCode(err), err, tt.code, tt.want)
		}
	}
}

// spawnedHold is a config that is possible, but for what changes it.
func spawnedHold(change func(*Config)) Config {
	c := Config{Scenario: "hold", Spawn: 1, Conns: 10}
	change(&c)
	return c
}

func TestImpossibleConfigsAreOneSentence(t *testing.T) {
	wantOneSentence(t, []impossible{
		{"unknown scenario", Config{Scenario: "dance", Spawn: 1}, result.ExitUsage, "there are hold, ramp, "},
		{"no target", Config{Scenario: "hold"}, result.ExitUsage, "--target"},
		{"two kinds of target", spawnedHold(func(c *Config) { c.Targets = []string{"127.0.0.1:1"} }), result.ExitUsage, "exclude"},
		{"target without port", Config{Scenario: "hold", Targets: []string{"127.0.0.1"}}, result.ExitUsage, "HOST:PORT"},
		{"foreign target", Config{Scenario: "hold", Targets: []string{"192.0.2.1:7000"}}, result.ExitUsage, "--i-own-this-target"},
		{"timeout of a target", Config{Scenario: "hold", Targets: []string{"127.0.0.1:1"}, Timeout: time.Second}, result.ExitUsage, "WELCOME"},
		{"timeout below heartbeat", spawnedHold(func(c *Config) { c.Heartbeat, c.Timeout = 2*time.Second, time.Second }), result.ExitUsage, "--timeout"},
		{"place", spawnedHold(func(c *Config) { c.Place = "last" }), result.ExitUsage, "--place"},
		{"policy", spawnedHold(func(c *Config) { c.Policy = "hope" }), result.ExitUsage, "--policy"},
		{"rate", spawnedHold(func(c *Config) { c.Rate = -1 }), result.ExitUsage, "--rate"},
		{"rate that is no number", spawnedHold(func(c *Config) { c.Rate = math.NaN() }), result.ExitUsage, "--rate"},
		{"rate without end", spawnedHold(func(c *Config) { c.Rate = math.Inf(1) }), result.ExitUsage, "--rate"},
		{"capacity", spawnedHold(func(c *Config) { c.Capacity = -1 }), result.ExitUsage, "--capacity"},
		{"capacity that is no number", spawnedHold(func(c *Config) { c.Capacity = math.NaN() }), result.ExitUsage, "--capacity"},
		{"conns beyond memory", spawnedHold(func(c *Config) { c.Conns = 4_000_000_000_000_000_000 }), result.ExitUsage, "--conns: 4000000000000000000 is not within 1 to 2147483647"},
		{"conns of the largest int", spawnedHold(func(c *Config) { c.Conns = math.MaxInt }), result.ExitUsage, "--conns"},
		{"rate that never ends", spawnedHold(func(c *Config) { c.Rate = 1e-10 }), result.ExitUsage, "--rate: 1e-10 brings 10 clients in more than 10000h"},
		{"rate beyond the clock", spawnedHold(func(c *Config) { c.Rate = 1e300 }), result.ExitUsage, "--rate"},
		{"capacity that never ends", spawnedHold(func(c *Config) { c.Capacity = 1e-300 }), result.ExitUsage, "--capacity"},
		{"capacity beyond all", spawnedHold(func(c *Config) { c.Capacity = 1e300 }), result.ExitUsage, "--capacity"},
		{"heartbeat beyond all", spawnedHold(func(c *Config) { c.Heartbeat = math.MaxInt64 }), result.ExitUsage, "--heartbeat is more than"},
		{"duration beyond all", spawnedHold(func(c *Config) { c.Duration = math.MaxInt64 }), result.ExitUsage, "--duration is more than"},
		{"search beyond memory", Config{Scenario: "find-max", Spawn: 1, Conns: math.MaxInt, Goal: "heartbeat.rtt_ms.p99<50"}, result.ExitUsage, "--conns"},
		{"phase beyond memory", Config{Scenario: "phases", Spawn: 1, Phases: []Phase{{Do: "ramp", Clients: math.MaxInt}}}, result.ExitUsage, "--conns"},
		{"phases beyond memory", Config{Scenario: "phases", Spawn: 1, Phases: []Phase{{Do: "ramp", Clients: math.MaxInt}, {Do: "ramp", Clients: math.MaxInt}, {Do: "ramp", Clients: 12}}}, result.ExitUsage, "clients are more than"},
		{"phase that never ends", Config{Scenario: "phases", Spawn: 1, Phases: []Phase{{Do: "ramp", Clients: 10, Rate: 1e-10}}}, result.ExitUsage, "the rate 1e-10 brings"},
		{"fraction that is no number", Config{Scenario: "silent", Spawn: 1, Fraction: math.NaN()}, result.ExitUsage, "--fraction"},
		{"fraction without end", Config{Scenario: "silent", Spawn: 1, Fraction: math.Inf(1)}, result.ExitUsage, "--fraction"},
		{"duration", spawnedHold(func(c *Config) { c.Duration = -1 }), result.ExitUsage, "--duration"},
		{"heartbeat", spawnedHold(func(c *Config) { c.Heartbeat, c.Timeout = -1, time.Second }), result.ExitUsage, "--heartbeat"},
		{"conns", spawnedHold(func(c *Config) { c.Conns = -1 }), result.ExitUsage, "--conns"},
		{"nobody silent", Config{Scenario: "silent", Spawn: 1, Conns: 3}, result.ExitUsage, "--fraction: 0.1 of 3 clients is nobody"},
		{"fraction", Config{Scenario: "silent", Spawn: 1, Fraction: 1.5}, result.ExitUsage, "--fraction"},
		{"fraction of hold", spawnedHold(func(c *Config) { c.Fraction = 0.5 }), result.ExitUsage, "not for hold"},
		{"kind of hold", spawnedHold(func(c *Config) { c.Kind = "kill" }), result.ExitUsage, "not for hold"},
		{"outage of hold", spawnedHold(func(c *Config) { c.Outage = time.Second }), result.ExitUsage, "--outage is not for hold"},
		{"command of hold", spawnedHold(func(c *Config) { c.StormCmd = "true" }), result.ExitUsage, "--storm-cmd is not for hold"},
		{"node arg", spawnedHold(func(c *Config) { c.NodeArgs = []string{"--loops"} }), result.ExitUsage, "NAME=VALUE"},
		{"source", spawnedHold(func(c *Config) { c.Sources = "127.0.0.9-127.0.0.2" }), result.ExitUsage, "--source"},
		{"source of another machine", spawnedHold(func(c *Config) { c.Sources = "192.0.2.1" }), result.ExitUsage, "--source: 192.0.2.1 is not an address of this machine"},
		{"threshold", spawnedHold(func(c *Config) { c.Thresholds = []string{"conns.ned==1"} }), result.ExitUsage, `no "ned"`},
		{"descriptors", spawnedHold(func(c *Config) { c.Conns = 2_000_000_000 }), result.ExitImpossible, "ulimit -n"},
	})
}

func TestImpossibleStormsAreOneSentence(t *testing.T) {
	wantOneSentence(t, []impossible{
		{"recovery beyond all", Config{Scenario: "storm", Spawn: 2, Kind: "kill", RecoveryTimeout: math.MaxInt64}, result.ExitUsage, "--recovery-timeout is more than"},
		{"nobody cut", Config{Scenario: "storm", Spawn: 1, Kind: "cut", Conns: 10, Fraction: 0.01}, result.ExitUsage, "is nobody"},
		{"storm without a kind", Config{Scenario: "storm", Spawn: 2}, result.ExitUsage, "storm needs --kind kill, drain, cut, freeze"},
		{"storm of a kind to come", Config{Scenario: "storm", Spawn: 2, Kind: "blip"}, result.ExitUsage, "there are kill, drain, cut, freeze"},
		{"storm with one node", Config{Scenario: "storm", Spawn: 1, Kind: "kill"}, result.ExitUsage, "--spawn 2"},
		{"freeze of a target", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, Kind: "freeze"}, result.ExitUsage, "--spawn 2"},
		{"fraction of a kill", Config{Scenario: "storm", Spawn: 2, Kind: "kill", Fraction: 0.5}, result.ExitUsage, "--fraction is not for --kind kill"},
		{"length of a cut", Config{Scenario: "storm", Spawn: 2, Kind: "cut", Freeze: time.Second}, result.ExitUsage, "--freeze is for"},
		{"outage of a kill", Config{Scenario: "storm", Spawn: 2, Kind: "kill", Outage: time.Second}, result.ExitUsage, "--outage is for"},
		{"negative outage", Config{Scenario: "storm", Spawn: 2, Kind: "blackout", Outage: -1}, result.ExitUsage, "--outage: -1ns is below 0"},
		{"blackout of a target", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, Kind: "blackout"}, result.ExitUsage, "needs --spawn"},
		{"restart of a target", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, Kind: "restart"}, result.ExitUsage, "needs --spawn"},
		{"probes of a blackout", Config{Scenario: "storm", Spawn: 1, Kind: "blackout", Probes: 0.1}, result.ExitUsage, "it leaves nobody alone"},
		{"probes of a flood", Config{Scenario: "storm", Spawn: 1, Kind: "flood", Probes: 0.1}, result.ExitUsage, "those that are in before"},
		{"a flood of all", Config{Scenario: "storm", Spawn: 1, Kind: "flood", Fraction: 1}, result.ExitUsage, "nobody in it"},
		{"a flood on nobody", Config{Scenario: "storm", Spawn: 1, Kind: "flood", Conns: 3}, result.ExitUsage, "nobody before the flood"},
		{"a flood in a file", Config{Scenario: "phases", Spawn: 2, Phases: []Phase{arriving(10), {Do: "storm", Kind: "flood"}}}, result.ExitUsage, "it is not for phases"},
		{"slow drain", Config{Scenario: "storm", Spawn: 2, Kind: "drain", Slow: "1ms/1ms"}, result.ExitUsage, "--slow is for"},
		{"slow target", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, Kind: "flood", Slow: "1ms/1ms"}, result.ExitUsage, "--slow is for"},
		{"half a duty", Config{Scenario: "storm", Spawn: 1, Kind: "flood", Slow: "1ms"}, result.ExitUsage, `--slow: "1ms" is not RUN/STOP`},
		{"a duty of nothing", Config{Scenario: "storm", Spawn: 1, Kind: "flood", Slow: "0s/1s"}, result.ExitUsage, "is not RUN/STOP"},
		{"external storm on spawned nodes", Config{Scenario: "storm", Spawn: 2, Kind: "external"}, result.ExitUsage, "it needs --target"},
		{"command of a cut", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, Kind: "cut", StormCmd: "true"}, result.ExitUsage, "are for --kind external"},
		{"two commands", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, StormCmd: "true", DrainCmd: "true"}, result.ExitUsage, "exclude each other"},
		{"drain of a broker", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, Protocol: "mqtt", DrainCmd: "true"}, result.ExitUsage, "say --storm-cmd"},
		{"storm before all are in", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, StormCmd: "true", StormAt: time.Second}, result.ExitUsage, "--storm-at: after 1s not all of 1000"},
		{"a time alone, before all are in", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, StormAt: time.Second}, result.ExitUsage, "--storm-at: after 1s not all of 1000"},
		{"a time before the start", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, StormAt: -1}, result.ExitUsage, "--storm-at: -1ns is below 0"},
		{"two calms", Config{Scenario: "storm", Targets: []string{"127.0.0.1:1"}, StormCmd: "true", StormAt: time.Minute, Duration: 1}, result.ExitUsage, "--storm-at and --duration"},
	})
}

func TestPreflightNamesTheLimit(t *testing.T) {
	p := &Plan{Config: Config{Conns: 1000, Spawn: 2, Place: "even", Workers: 1}, Plays: hold{}}
	if err := p.preflight(1064, 28000); err != nil {
		t.Errorf("1,000 connections, half of them a node, with 1064 descriptors: %v", err)
	}
	if err := p.preflight(1063, 28000); result.ExitCode(err) != result.ExitImpossible || !strings.Contains(err.Error(), "ulimit -n 1064") {
		t.Errorf("with 1063 descriptors: %v, want the command that raises it to 1064", err)
	}
	p.Scenario, p.Kind = "storm", "kill" // after a kill one node holds all, with its reserve
	if err := p.preflight(1064, 28000); result.ExitCode(err) != result.ExitImpossible || !strings.Contains(err.Error(), "spawned node") {
		t.Errorf("storm: %v, want that a node can not hold all", err)
	}
	p = &Plan{Config: Config{Conns: 1000, Spawn: 3, Place: "even"}, Plays: hold{}}
	if err := p.preflight(564, 28000); err != nil || p.Workers != 2 {
		t.Errorf("1,000 connections with 564 descriptors: %d workers, %v; want 2", p.Workers, err)
	}
	p.Workers = 0
	if err := p.preflight(563, 28000); err != nil || p.Workers != 3 {
		t.Errorf("1,000 connections with 563 descriptors: %d workers, %v; want 3", p.Workers, err)
	}
	p = &Plan{Config: Config{Conns: 1000, Place: "even"}, Plays: hold{},
		sources: loopbackSources(1, 1), endpoints: make([]netip.AddrPort, 1)}
	if err := p.preflight(5000, 999); result.ExitCode(err) != result.ExitImpossible || !strings.Contains(err.Error(), "--source") {
		t.Errorf("999 ports: %v, want exit %d and --source", err, result.ExitImpossible)
	}
	if err := p.preflight(5000, 1000); err != nil {
		t.Errorf("1000 ports: %v", err)
	}
}

// exampleOf is a run of a scenario that is possible.
func exampleOf(scenario string) Config {
	cfg := Config{Scenario: scenario, Spawn: 2, Conns: 100}
	switch scenario {
	case "storm", "demo":
		cfg.Kind = "kill"
	case "find-max":
		cfg.Goal = "heartbeat.missed==0"
	case "phases":
		cfg.Phases = []Phase{arriving(100)}
	}
	return cfg
}

// A misspelt path in a scenario's own promises would fail every run of it.
func TestEveryScenarioPromisesSomething(t *testing.T) {
	for _, s := range All {
		cfg := exampleOf(s.Name())
		p, err := Prepare(t.Context(), cfg)
		if err != nil {
			t.Errorf("%s: %v", s.Name(), err)
			continue
		}
		if len(p.Judged) == 0 {
			t.Errorf("%s promises nothing: it could not fail", s.Name())
		}
	}
}

func TestOwnThresholdsAddToThePromises(t *testing.T) {
	exprs := func(waived bool, own ...string) (all, promises []string) {
		p, err := Prepare(t.Context(), Config{Scenario: "hold", Spawn: 1, Thresholds: own, NoPromises: waived})
		if err != nil {
			t.Fatal(err)
		}
		for _, th := range p.Judged {
			all = append(all, th.Expr)
			if th.Promise {
				promises = append(promises, th.Expr)
			}
		}
		return all, promises
	}
	none, promises := exprs(false)
	if len(promises) < 4 || !slices.Equal(none, promises) {
		t.Fatalf("without thresholds: %q, of which %q are promises", none, promises)
	}
	if all, _ := exprs(false, "conns.end>5", "conns.lost==0"); !slices.Equal(all, append(none, "conns.end>5")) {
		t.Errorf("with one: %q, want it after %q", all, none)
	}
	if all, promises := exprs(true, "conns.end>5"); len(all) != 1 || len(promises) != 0 {
		t.Errorf("waived: %q; want the one that was named", all)
	}
	if all, _ := exprs(true); len(all) != 0 {
		t.Errorf("waived, and none named: %q", all)
	}
}

// Whoever reads that a run failed must not have to know the paths of the result.
func TestEveryPromiseHasWords(t *testing.T) {
	for _, s := range All {
		kinds := []string{""}
		if s.Name() == "storm" {
			kinds = Kinds()
		}
		for _, kind := range kinds {
			cfg := exampleOf(s.Name())
			cfg.Kind = cmp.Or(kind, cfg.Kind)
			if kind == "external" {
				cfg.Spawn, cfg.Targets = 0, []string{"127.0.0.1:7000"}
			}
			p, err := Prepare(t.Context(), cfg)
			if err != nil {
				t.Errorf("%s %s: %v", s.Name(), kind, err)
				continue
			}
			for _, th := range p.Judged {
				if path, _ := th.Parts(); result.Meaning(path) == "" {
					t.Errorf("%s %s promises %s, which has no words", s.Name(), kind, th.Expr)
				}
			}
		}
	}
}

func TestDrainPaceIsTheFailoverRateOrWhatTheWindowAsks(t *testing.T) {
	for _, c := range []struct {
		args  []string
		conns int
		want  float64
	}{
		{nil, 1000, 2000},
		{[]string{"admit-rate=500"}, 1000, 500},
		{[]string{"admit-rate=500", "failover-rate=100"}, 1000, 100},
		{[]string{"failover-rate=100", "drain-window=1s"}, 1000, 500},
		{nil, 8000, 2000},
	} {
		p := Plan{Config: Config{Scenario: "storm", Kind: "drain", Spawn: 2, Conns: c.conns, NodeArgs: c.args}}
		p.complete()
		if got := p.DrainPace(); got != c.want {
			t.Errorf("%v: pace %v, want %v", c.args, got, c.want)
		}
	}
}

func TestCapacityIsWhatTheSurvivorsAdmit(t *testing.T) {
	p, err := Prepare(t.Context(), Config{Scenario: "storm", Kind: "kill", Spawn: 3, NodeArgs: []string{"loops=1", "admit-rate=500"}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Capacity != 1000 {
		t.Errorf("capacity of two survivors at 500/s = %v", p.Capacity)
	}
}

func TestSources(t *testing.T) {
	got, err := parseSources("127.0.0.2-127.0.0.4, 10.0.0.5")
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, a := range got {
		text = append(text, a.String())
	}
	if s := strings.Join(text, " "); s != "127.0.0.2 127.0.0.3 127.0.0.4 10.0.0.5" {
		t.Errorf("parseSources = %s", s)
	}
	for _, bad := range []string{"", "x", "127.0.0.2-", "127.0.0.4-127.0.0.2", "::1", "0.0.0.0-255.255.255.255"} {
		if _, err := parseSources(bad); err == nil {
			t.Errorf("parseSources(%q) is not refused", bad)
		}
	}
	if n := len(loopbackSources(20_000, 28_000)); n != 2 {
		t.Errorf("20,000 connections at 28,000 ports a source: %d sources, want 2", n)
	}
	if a := loopbackSources(10, 28_000); len(a) != 1 || a[0] != netip.MustParseAddr("127.0.0.2") {
		t.Errorf("10 connections: %v, want 127.0.0.2", a)
	}
}

func TestTheTermsOfTheResultAreThoseOfTheNodes(t *testing.T) {
	p, err := Prepare(t.Context(), Config{Scenario: "hold", Spawn: 1, Heartbeat: 2 * time.Second, NodeArgs: []string{"tick=100ms", "timeout=7s"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *p.Terms(), (result.Terms{HeartbeatMs: 2000, TimeoutMs: 7000, TickMs: 100}); got != want {
		t.Errorf("terms = %+v, want %+v: a later --node-arg holds", got, want)
	}
	foreign := &Plan{Config: Config{Scenario: "hold", Targets: []string{"127.0.0.1:1"}}}
	if foreign.Terms() != nil {
		t.Errorf("terms of a foreign target = %+v, want none", foreign.Terms())
	}
}

// The demo is what somebody runs first, on a machine that does other things: its generator may be late by 250 ms, and
// what it times has that much room. Where ticks are measured nothing has.
func TestTheDemoHasRoomForABusyMachine(t *testing.T) {
	for name, want := range map[string]string{"demo": "eviction.lateness_ms.p99<=750", "silent": "eviction.lateness_ms.p99<=550"} {
		cfg := exampleOf(name)
		p, err := Prepare(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, j := range p.Judged {
			all = append(all, j.Expr)
		}
		if !slices.Contains(all, want) {
			t.Errorf("%s promises %q, not %s", name, all, want)
		}
		if name == "demo" && p.LateLimit != 250*time.Millisecond {
			t.Errorf("its generator may be late by %v", p.LateLimit)
		}
	}
}
