package bench

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func arriving(n int) PhaseSpec { return PhaseSpec{Do: "ramp", Clients: n} }

func TestImpossiblePhasesAreOneSentence(t *testing.T) {
	hold := PhaseSpec{Do: "hold", For: time.Second}
	for _, tt := range []struct {
		name   string
		phases []PhaseSpec
		change func(*Config)
		want   string
	}{
		{"none", nil, nil, "FILE.yaml"},
		{"unknown", []PhaseSpec{{Do: "dance"}}, nil, `phase 1: "dance" is unknown; there are ramp, hold`},
		{"nobody there", []PhaseSpec{hold, arriving(10)}, nil, "phase 1 (hold): nobody is there yet"},
		{"empty ramp", []PhaseSpec{arriving(10), arriving(0)}, nil, "phase 2 (ramp): 0 clients"},
		{"rate", []PhaseSpec{{Do: "ramp", Clients: 1, Rate: -1}}, nil, "the rate -1"},
		{"profile", []PhaseSpec{{Do: "ramp", Clients: 1, Profile: "cliff"}}, nil, `profile: "cliff" is unknown`},
		{"steps", []PhaseSpec{{Do: "ramp", Clients: 1, Steps: 3}}, nil, "steps are for"},
		{"hold without length", []PhaseSpec{arriving(1), {Do: "hold"}}, nil, "phase 2 (hold): 0s"},
		{"silence of all and more", []PhaseSpec{arriving(1), {Do: "silence", Fraction: 1.5}}, nil, "the fraction 1.5"},
		{"two storms", []PhaseSpec{arriving(1), {Do: "storm", Kind: "kill"}, {Do: "storm", Kind: "drain"}}, nil, "phase 3 (storm): there is one already"},
		{"unknown storm", []PhaseSpec{arriving(1), {Do: "storm", Kind: "blip"}}, nil, "there are kill, drain"},
		{"storm of one node", []PhaseSpec{arriving(1), {Do: "storm", Kind: "kill"}}, func(c *Config) { c.Spawn = 1 }, "--spawn 2"},
		{"other count", []PhaseSpec{arriving(10), arriving(20)}, func(c *Config) { c.Conns = 40 }, "the ramps bring 30"},
		{"kind without a storm", []PhaseSpec{arriving(10)}, func(c *Config) { c.Kind = "kill" }, "for a phase storm"},
		{"in another scenario", []PhaseSpec{arriving(10)}, func(c *Config) { c.Scenario = "hold" }, "not for hold"},
	} {
		cfg := Config{Scenario: "phases", Spawn: 2, Phases: tt.phases}
		if tt.change != nil {
			tt.change(&cfg)
		}
		_, err := prepare(t.Context(), cfg)
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: exit %d, %v; want one line with %q", tt.name, ExitCode(err), err, tt.want)
		}
	}
}

func TestPhasesPromiseWhatTheyBring(t *testing.T) {
	p, err := prepare(t.Context(), Config{Scenario: "phases", Spawn: 2, Probes: -1, Phases: []PhaseSpec{
		arriving(100), {Do: "silence", Fraction: 0.1}, arriving(50), {Do: "silence", Fraction: 0.5}}})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, th := range p.thresholds {
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

func TestALaterRampHasArrivalsOfItsOwn(t *testing.T) {
	due := func(a arrivals) (numbers []int, at []time.Duration) {
		a.each(func(number int, d time.Duration) { numbers, at = append(numbers, number), append(at, d) })
		return numbers, at
	}
	first, early := due(arrivals{To: 50, Rate: 10, Seed: 3})
	then, late := due(arrivals{From: 50, To: 100, Rate: 10, Seed: 3})
	if first[0] != 0 || first[49] != 49 || then[0] != 50 || then[49] != 99 {
		t.Errorf("numbers %d to %d and %d to %d", first[0], first[49], then[0], then[49])
	}
	if slices.Equal(early, late) || late[0] >= 100*time.Millisecond || !slices.IsSorted(late) {
		t.Errorf("the second ramp begins at %v, the first at %v; want draws of its own from its own begin", late[0], early[0])
	}
	if a := (arrivals{To: 50, Rate: 10, Seed: 3}); a.length() != early[49] {
		t.Errorf("it is %v long, the last one is due at %v", a.length(), early[49])
	}
}
