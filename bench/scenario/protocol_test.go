package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestWhatMakesNoSenseWithAProtocolIsRefusedInASentence(t *testing.T) {
	target := []string{"127.0.0.1:1"}
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"unknown", Config{Scenario: "hold", Targets: target, Protocol: "amqp"}, "there are stormwheel, tcp-echo, mqtt"},
		{"spawned nodes", Config{Scenario: "hold", Spawn: 1, Protocol: "mqtt"}, "spawned nodes speak stormwheel"},
		{"demo", Config{Scenario: "demo", Protocol: "tcp-echo"}, "spawned nodes speak stormwheel"},
		{"a node to kill", Config{Scenario: "storm", Kind: "kill", Targets: target, Protocol: "mqtt"}, "strikes a node of its own"},
		{"a node to drain", Config{Scenario: "storm", Kind: "drain", Targets: target, Protocol: "tcp-echo"}, "strikes a node of its own"},
		{"timeout of a broker", Config{Scenario: "hold", Targets: target, Protocol: "mqtt", Timeout: time.Minute}, "1.5 times the keepalive"},
		{"timeout below the heartbeat", Config{Scenario: "hold", Targets: target, Protocol: "tcp-echo", Timeout: time.Second}, "not above --heartbeat 30s"},
		{"timeout below zero", Config{Scenario: "hold", Targets: target, Protocol: "tcp-echo", Timeout: -time.Second}, "below 0"},
		{"tick of a broker", Config{Scenario: "hold", Targets: target, Protocol: "mqtt", Tick: time.Second}, "for spawned nodes"},
		{"silence that an echo never minds", Config{Scenario: "silent", Targets: target, Protocol: "tcp-echo"}, "with --timeout"},
		{"a keepalive of two days", Config{Scenario: "hold", Targets: target, Protocol: "mqtt", Heartbeat: 48 * time.Hour}, "longest keepalive"},
		{"user name without a use", Config{Scenario: "hold", Targets: target, Username: "u"}, "are for --protocol mqtt"},
		{"password without a user name", Config{Scenario: "hold", Targets: target, Protocol: "mqtt", Password: "p"}, "needs a user name"},
		{"a long user name", Config{Scenario: "hold", Targets: target, Protocol: "mqtt", Username: strings.Repeat("u", 1<<16)}, "does not fit"},
	} {
		_, err := Prepare(t.Context(), tt.cfg)
		if result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want a usage error with %q", tt.name, err, tt.want)
		}
	}
}

func TestNodesOfACommandOfTheirOwnMaySpeakAnotherProtocol(t *testing.T) {
	for _, kind := range []string{"flood", "grey", "kill"} {
		cfg := Config{Scenario: "storm", Kind: kind, Spawn: 2, NodeCommand: []string{"broker"}, Protocol: foreign.MQTT}
		if p, err := Prepare(t.Context(), cfg); err != nil {
			t.Errorf("%s: %v", kind, err)
		} else if p.Timeout != 0 || p.clientInterval() != p.Heartbeat {
			t.Errorf("%s: a timeout of %v beside the keepalive, %v between heartbeats of %v", kind, p.Timeout, p.clientInterval(), p.Heartbeat)
		}
	}
}

func TestScenariosThatForeignServersCanStand(t *testing.T) {
	for _, cfg := range []Config{
		{Scenario: "hold", Protocol: "mqtt"}, {Scenario: "ramp", Protocol: "mqtt"}, {Scenario: "silent", Protocol: "mqtt"},
		{Scenario: "hold", Protocol: "tcp-echo"}, {Scenario: "silent", Protocol: "tcp-echo", Timeout: time.Minute},
		{Scenario: "churn", Protocol: "mqtt"}, {Scenario: "storm", Kind: "cut", Protocol: "mqtt"}, {Scenario: "storm", Kind: "cut", Protocol: "tcp-echo"},
	} {
		cfg.Targets = []string{"127.0.0.1:1"}
		p, err := Prepare(t.Context(), cfg)
		if err != nil || p.Heartbeat != 30*time.Second {
			t.Errorf("%s with %s: heartbeat %v, %v; want 30s", cfg.Scenario, cfg.Protocol, p.Heartbeat, err)
		}
	}
}

func TestTheKeepaliveIsToldWithItsRounding(t *testing.T) {
	for heartbeat, want := range map[time.Duration]string{
		2 * time.Second:         "keepalive 2s; the broker is to drop who says nothing for 3s",
		2500 * time.Millisecond: "keepalive 3s (--heartbeat 2.5s, rounded up to whole seconds); the broker is to drop who says nothing for 4.5s",
	} {
		if got := (&Config{Protocol: foreign.MQTT, Heartbeat: heartbeat}).KeepaliveNote(); got != want {
			t.Errorf("%v: %q, want %q", heartbeat, got, want)
		}
	}
	if got := (&Config{Protocol: foreign.Echo, Heartbeat: time.Second}).KeepaliveNote(); got != "" {
		t.Errorf("tcp-echo: %q", got)
	}
}
