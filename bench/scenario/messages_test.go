package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

func TestMessagesThatMakeNoSense(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want string // a part of the sentence; empty: it is possible
	}{
		{"both", Config{Scenario: "hold", Spawn: 1, Send: "100B", Deliver: 100}, ""},
		{"storm", Config{Scenario: "storm", Kind: "kill", Spawn: 2, Send: "100B", Every: time.Second}, ""},
		{"soak", Config{Scenario: "soak", Spawn: 1, Send: "20B", Deliver: 65528}, ""},
		{"mqtt", Config{Scenario: "hold", Targets: []string{"127.0.0.1:1883"}, Protocol: "mqtt", Send: "100B"}, ""},
		{"several sizes", Config{Scenario: "hold", Spawn: 1, Send: "20B:3,1KB..4KB:1"}, ""},
		{"one of them too small", Config{Scenario: "hold", Spawn: 1, Send: "10B..4KB"}, "--send: 10B is below 20B"},
		{"one of them too large", Config{Scenario: "hold", Spawn: 1, Send: "20B:3,70KB:1"}, "--send: 70000B is above 65528B"},
		{"no sizes", Config{Scenario: "hold", Spawn: 1, Send: "20B,70KB"}, "does not say how often"},
		{"a target here publishes by itself", Config{Scenario: "hold", Targets: []string{"127.0.0.1:7000"}, Deliver: 100}, ""},
		{"phases", Config{Scenario: "phases", Spawn: 1, Send: "100B", Phases: []Phase{{Do: "ramp", Clients: 10}}}, ""},
		{"too small", Config{Scenario: "hold", Spawn: 1, Send: "19B"}, "--send: 19B is below 20B"},
		{"too large", Config{Scenario: "hold", Spawn: 1, Deliver: 65529}, "--deliver: 65529B is above 65528B"},
		{"every of nothing", Config{Scenario: "hold", Spawn: 1, Every: time.Second}, "--every is for --send and --deliver"},
		{"too often", Config{Scenario: "hold", Spawn: 1, Send: "100B", Every: time.Millisecond}, "--every: 1ms is below 10ms"},
		{"below 0", Config{Scenario: "hold", Spawn: 1, Send: "100B", Every: -1}, "--every: -1ns is below 0"},
		{"another scenario", Config{Scenario: "silent", Spawn: 1, Send: "100B"}, "--send is not for silent"},
		{"silence", Config{Scenario: "phases", Spawn: 1, Send: "100B", Phases: []Phase{{Do: "ramp", Clients: 10}, {Do: "silence", Fraction: .1}}}, "fall silent"},
		{"publications of a broker", Config{Scenario: "hold", Targets: []string{"127.0.0.1:1883"}, Protocol: "mqtt", Deliver: 100}, "not for --protocol mqtt"},
		{"another clock", Config{Scenario: "hold", Targets: []string{"192.0.2.1:7000"}, IOwnTheTarget: true, Deliver: 100}, "--deliver: the clock of 192.0.2.1:7000"},
	} {
		_, err := Prepare(t.Context(), tt.cfg)
		switch {
		case tt.want == "" && result.ExitCode(err) == result.ExitUsage:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestMessagesHavePromises(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{Scenario: "hold", Spawn: 1}, ""},
		{Config{Scenario: "hold", Spawn: 1, Send: "100B"}, "messages.acknowledged>0 messages.refused==0 messages.lost==0 messages.doubled==0"},
		{Config{Scenario: "hold", Spawn: 1, Deliver: 100}, "messages.delivered>0 messages.doubled==0 messages.undelivered==0"},
		{Config{Scenario: "storm", Kind: "kill", Spawn: 2, Send: "100B", Deliver: 100}, "messages.acknowledged>0 messages.refused==0 messages.lost==0 messages.delivered>0"},
	} {
		p, err := Prepare(t.Context(), tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, th := range p.Judged {
			if strings.HasPrefix(th.Expr, "messages.") {
				got = append(got, th.Expr)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s with %v, %v promises %q, want %q", tt.cfg.Scenario, tt.cfg.Send, tt.cfg.Deliver, got, tt.want)
		}
	}
	p, err := Prepare(t.Context(), Config{Scenario: "find-max", Goal: "messages.latency_ms.p99<50", Spawn: 1, Send: "100B"})
	if err != nil {
		t.Fatal(err)
	}
	if trial := p.Trial(p.Config, 100, 0); !slices.Contains(trial.Thresholds, "messages.lost==0") || trial.Send != "100B" {
		t.Errorf("a trial has %q", trial.Thresholds)
	}
}

func TestSpawnedNodesAreToldOfMessages(t *testing.T) {
	for want, cfg := range map[string]Config{
		"":                                     {},
		"--no-echo":                            {Send: "100B", Every: time.Second},
		"--no-echo --publish 4096B --every 1s": {Send: "100B", Deliver: 4096, Every: time.Second},
	} {
		if got := strings.Join(cfg.nodeMessages(), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
