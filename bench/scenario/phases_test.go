package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

func arriving(n int) Phase { return Phase{Do: "ramp", Clients: n} }

func TestImpossiblePhasesAreOneSentence(t *testing.T) {
	hold := Phase{Do: "hold", For: time.Second}
	for _, tt := range []struct {
		name   string
		phases []Phase
		change func(*Config)
		want   string
	}{
		{"none", nil, nil, "FILE.yaml"},
		{"unknown", []Phase{{Do: "dance"}}, nil, `phase 1: "dance" is unknown; there are ramp, hold`},
		{"nobody there", []Phase{hold, arriving(10)}, nil, "phase 1 (hold): nobody is there yet"},
		{"empty ramp", []Phase{arriving(10), arriving(0)}, nil, "phase 2 (ramp): 0 clients"},
		{"rate", []Phase{{Do: "ramp", Clients: 1, Rate: -1}}, nil, "the rate -1"},
		{"profile", []Phase{{Do: "ramp", Clients: 1, Profile: "cliff"}}, nil, `profile: "cliff" is unknown`},
		{"steps", []Phase{{Do: "ramp", Clients: 1, Steps: 3}}, nil, "steps are for"},
		{"hold without length", []Phase{arriving(1), {Do: "hold"}}, nil, "phase 2 (hold): 0s"},
		{"silence of all and more", []Phase{arriving(1), {Do: "silence", Fraction: 1.5}}, nil, "the fraction 1.5"},
		{"two storms", []Phase{arriving(1), {Do: "storm", Kind: "kill"}, {Do: "storm", Kind: "drain"}}, nil, "phase 3 (storm): there is one already"},
		{"unknown storm", []Phase{arriving(1), {Do: "storm", Kind: "blip"}}, nil, "there are kill, drain"},
		{"storm of one node", []Phase{arriving(1), {Do: "storm", Kind: "kill"}}, func(c *Config) { c.Spawn = 1 }, "--spawn 2"},
		{"other count", []Phase{arriving(10), arriving(20)}, func(c *Config) { c.Conns = 40 }, "the ramps bring 30"},
		{"kind without a storm", []Phase{arriving(10)}, func(c *Config) { c.Kind = "kill" }, "for a phase storm"},
		{"in another scenario", []Phase{arriving(10)}, func(c *Config) { c.Scenario = "hold" }, "not for hold"},
	} {
		cfg := Config{Scenario: "phases", Spawn: 2, Phases: tt.phases}
		if tt.change != nil {
			tt.change(&cfg)
		}
		_, err := Prepare(t.Context(), cfg)
		if result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: exit %d, %v; want one line with %q", tt.name, result.ExitCode(err), err, tt.want)
		}
	}
}

func TestPhasesPromiseWhatTheyBring(t *testing.T) {
	p, err := Prepare(t.Context(), Config{Scenario: "phases", Spawn: 2, Probes: -1, Phases: []Phase{
		arriving(100), {Do: "silence", Fraction: 0.1}, arriving(50), {Do: "silence", Fraction: 0.5}}})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, th := range p.Judged {
		all = append(all, th.Expr)
	}
	// 10 of 100, then 70 of the 140 that speak.
	for _, want := range []string{"conns.end==70", "eviction.expected==80", "eviction.observed==80", "conns.lost==80", "eviction.lateness_ms.p99<=550"} {
		if !slices.Contains(all, want) {
			t.Errorf("promises %q, want %s among them", all, want)
		}
	}
	if p.Conns != 150 {
		t.Errorf("%d clients, want those of both ramps", p.Conns)
	}
}
