package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
)

func TestTalksThatMakeNoSense(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want string // a part of the sentence; empty: it is possible
	}{
		{"defaults", Config{Spawn: 1}, ""},
		{"target", Config{Targets: []string{"127.0.0.1:7000"}}, ""},
		{"rooms and pairs", Config{Spawn: 1, Conns: 100, Rooms: 3, RoomSize: 30}, ""},
		{"devices", Config{Spawn: 1, Conns: 12, Devices: 3}, ""},
		{"kill", Config{Spawn: 2, KillAfter: time.Second}, ""},
		{"drain", Config{Spawn: 1, DrainAfter: time.Second, RestartAfter: time.Second}, ""},
		{"deaf", Config{Spawn: 1, Fraction: .1}, ""},
		{"a broker", Config{Targets: []string{"127.0.0.1:1883"}, Protocol: "mqtt"}, "not for --protocol mqtt"},
		{"two targets", Config{Targets: []string{"127.0.0.1:1", "127.0.0.1:2"}}, "nodes do not know each other"},
		{"three nodes", Config{Spawn: 3}, "--spawn 1 or 2"},
		{"a cluster", Config{Spawn: 3, Cluster: true, KillAfter: time.Second}, ""},
		{"a cluster of one", Config{Spawn: 1, Cluster: true}, "--cluster is for two"},
		{"a cluster that is there", Config{Targets: []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}, Cluster: true, Rooms: 3}, ""},
		{"a target as a cluster", Config{Targets: []string{"127.0.0.1:1"}, Cluster: true}, "--cluster is for two"},
		{"a split of what is there", Config{Targets: []string{"127.0.0.1:1", "127.0.0.1:2"}, Cluster: true, SplitAfter: time.Second}, "--split-after is for spawned nodes"},
		{"a rolling restart", Config{Spawn: 3, Cluster: true, DrainAfter: time.Second, Rolling: true}, ""},
		{"a rolling kill", Config{Spawn: 3, Cluster: true, KillAfter: time.Second, Rolling: true}, "--rolling is for --drain-after"},
		{"a rolling restart of one", Config{Spawn: 1, DrainAfter: time.Second, Rolling: true}, "--rolling is for --drain-after"},
		{"a split", Config{Spawn: 3, Cluster: true, SplitAfter: time.Second}, ""},
		{"a split of strangers", Config{Spawn: 2, SplitAfter: time.Second}, "--split-after is for spawned nodes with --cluster"},
		{"a kill, a split and a rolling restart", Config{Spawn: 3, Cluster: true, KillAfter: time.Second, SplitAfter: 2 * time.Second, DrainAfter: 8 * time.Second, Rolling: true}, ""},
		{"a rolling restart and a kill", Config{Spawn: 3, Cluster: true, KillAfter: 2 * time.Second, DrainAfter: time.Second, Rolling: true}, "--drain-after: 1s is not after --kill-after 2s"},
		{"a split without an end", Config{Spawn: 3, Cluster: true, SplitAfter: 6 * time.Second}, "11s is not before the end"},
		{"the length of no split", Config{Spawn: 3, Cluster: true, SplitFor: time.Second}, "--split-for is for --split-after"},
		{"over two nodes", Config{Spawn: 2, Place: "even"}, "--place even"},
		{"store of a target", Config{Targets: []string{"127.0.0.1:1"}, Messages: "bolt"}, "--messages is for spawned nodes"},
		{"another store", Config{Spawn: 1, Messages: "redis"}, `--messages: "redis"`},
		{"too large", Config{Spawn: 1, Send: "61441B"}, "--send: 61441B is above 61440B"},
		{"too small", Config{Spawn: 1, Send: "19B"}, "--send: 19B is below 20B"},
		{"one too many", Config{Spawn: 1, Conns: 101}, "101 users who are in no room are no pairs"},
		{"a device too many", Config{Spawn: 1, Conns: 100, Devices: 3}, "does not divide 100 clients"},
		{"rooms of nobody", Config{Spawn: 1, RoomSize: 5}, "--rooms and --room-size"},
		{"a fan-out", Config{Spawn: 1, Conns: 100, Rooms: 1, RoomSize: 100, Speakers: 2}, ""},
		{"speakers who are not there", Config{Spawn: 1, Conns: 100, Rooms: 1, RoomSize: 5, Speakers: 6}, "6 are not among the 5 users"},
		{"speakers of no room", Config{Spawn: 1, Speakers: 1}, "1 are not among the 0 users"},
		{"a room of one", Config{Spawn: 1, Rooms: 5, RoomSize: 1}, "2 or more"},
		{"too many rooms", Config{Spawn: 1, Conns: 100, Rooms: 11}, "more than 100 users"},
		{"all deaf", Config{Spawn: 1, Fraction: 1}, "somebody must answer"},
		{"both blows", Config{Spawn: 2, KillAfter: time.Second, DrainAfter: time.Second}, "exclude each other"},
		{"a blow to a target", Config{Targets: []string{"127.0.0.1:1"}, KillAfter: time.Second}, "need --spawn"},
		{"a blow after the end", Config{Spawn: 2, KillAfter: time.Minute}, "not before the end"},
		{"a restart of nothing", Config{Spawn: 2, RestartAfter: time.Second}, "--restart-after is for"},
		{"a kind", Config{Spawn: 2, Kind: "kill"}, "--kind is not for talk"},
		{"below 0", Config{Spawn: 2, KillAfter: -1}, "--kill-after: -1ns is below 0"},
		{"publications", Config{Spawn: 1, Deliver: 100}, "--deliver is not for talk"},
		{"elsewhere", Config{Scenario: "hold", Spawn: 1, KillAfter: time.Second}, "--kill-after is not for hold"},
	} {
		fill(&tt.cfg.Scenario, "talk")
		_, err := Prepare(t.Context(), tt.cfg)
		switch {
		case tt.want == "" && result.ExitCode(err) == result.ExitUsage:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestATalkPromisesThatNothingSafeIsLost(t *testing.T) {
	for _, tt := range []struct {
		cfg        Config
		kind       string
		has, lacks []string
	}{
		{Config{Spawn: 1}, "", []string{"messages.undelivered==0", "conns.lost==0"}, nil},
		{Config{Spawn: 2, KillAfter: time.Second}, "kill", []string{"storm.clients>0", "storm.t100_s<=62", "messages.held_lost==0"}, []string{"messages.undelivered==0", "conns.lost==0"}},
		{Config{Spawn: 2, KillAfter: time.Second, Messages: "memory"}, "kill", nil, []string{"messages.held_lost==0"}},
		{Config{Spawn: 2, KillAfter: time.Second, NodeArgs: []string{"messages=memory"}}, "kill", nil, []string{"messages.held_lost==0"}},
		{Config{Spawn: 1, KillAfter: time.Second}, "blackout", []string{"storm.t100_s<=62"}, []string{"conns.lost==0"}},
		{Config{Spawn: 2, DrainAfter: time.Second}, "drain", []string{"storm.offline==0"}, []string{"conns.lost==0"}},
		{Config{Spawn: 3, Cluster: true, DrainAfter: time.Second, Rolling: true}, "drain", []string{"storm.offline==0", "conns.lost==0"}, []string{"messages.undelivered==0"}},
		{Config{Spawn: 3, Cluster: true, SplitAfter: time.Second}, "", []string{"messages.lost==0", "conns.lost==0"}, []string{"messages.undelivered==0", "storm.offline==0"}},
		{Config{Spawn: 3, Cluster: true, KillAfter: time.Second, SplitAfter: 2 * time.Second, DrainAfter: 8 * time.Second, Rolling: true}, "kill",
			[]string{"storm.t100_s<=62", "conns.lost[split]==0", "conns.lost[rolling]==0", "messages.held_lost==0"}, []string{"conns.lost==0", "storm.offline==0", "messages.undelivered==0"}},
		{Config{Spawn: 1, DrainAfter: time.Second}, "restart", []string{"storm.t100_s<=62"}, []string{"storm.offline==0"}},
	} {
		tt.cfg.Scenario = "talk"
		p, err := Prepare(t.Context(), tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, th := range p.Judged {
			got = append(got, th.Expr)
		}
		for _, want := range append(tt.has, "messages.lost==0", "messages.doubled==0", "messages.refused==0", "messages.acknowledged>0", "messages.delivered>0", "conns.end==200") {
			if !slices.Contains(got, want) {
				t.Errorf("%q does not promise %s: %q", tt.kind, want, got)
			}
		}
		for _, no := range tt.lacks {
			if slices.Contains(got, no) {
				t.Errorf("%q promises %s", tt.kind, no)
			}
		}
		place := "first"
		if tt.cfg.Cluster {
			place = "even"
		}
		if p.Kind != tt.kind || p.Place != place || p.ProbeCount() != 0 {
			t.Errorf("kind %q, want %q; place %s, %d probes", p.Kind, tt.kind, p.Place, p.ProbeCount())
		}
	}
}

func TestNodesOfATalkAreToldTheirStores(t *testing.T) {
	for want, cfg := range map[string]Config{
		"--messages bolt:/f/{node}.db": {Spawn: 2},
		"--messages memory":            {Spawn: 1, Messages: "memory"},
	} {
		cfg.Scenario = "talk"
		p, err := Prepare(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(append(p.nodeMessages(), p.nodeStore("/f")...), " "); got != want || p.ownStore() != (p.Messages == "bolt") {
			t.Errorf("%q, want %q; a folder: %v", got, want, p.ownStore())
		}
	}
	p, err := Prepare(t.Context(), Config{Scenario: "talk", Spawn: 1, NodeArgs: []string{"messages=memory"}})
	if err != nil || p.ownStore() {
		t.Errorf("%v: a folder for a store that is said", err)
	}
}

func TestWhoIsDeaf(t *testing.T) {
	p, err := Prepare(t.Context(), Config{Scenario: "talk", Spawn: 1, Conns: 100, Rooms: 4, RoomSize: 5, Speakers: 2, Devices: 2, Fraction: .1})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *p.Swarm().Talk, (swarm.Talk{Rooms: 4, RoomSize: 5, Speakers: 2, Devices: 2, Deaf: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
