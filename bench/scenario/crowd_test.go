package scenario

import (
	"runtime"
	"testing"
	"time"
)

// Each worker of a crowd has its clients on few nodes, and each node on few workers, unless that takes many
// more workers, or a node is to be struck.
func TestAWorkerOfACrowdHasItsClientsOnFewNodes(t *testing.T) {
	crowd := 8*runtime.NumCPU() + 1 // nodes alone
	for _, c := range []struct {
		name           string
		spawn, workers int
		change         func(*Config)
		want           int
	}{
		{"as many as nodes", crowd, crowd - 2, nil, crowd},
		{"twice as many", crowd, crowd + 1, nil, 2 * crowd},
		{"more than can be", crowd, crowd + 1, func(c *Config) { c.Conns = 2*crowd - 1 }, crowd + 1},
		{"far too many", 8 * crowd, 2, nil, 2},
		{"no crowd", 2, 3, nil, 3},
		{"all on the first", crowd, crowd - 2, func(c *Config) { c.Place = "first" }, crowd - 2},
		{"a storm", crowd, crowd - 2, func(c *Config) { c.Scenario, c.Kind = "storm", "kill" }, crowd - 2},
	} {
		p := &Plan{Config: Config{Scenario: "hold", Conns: 1_000_000, Spawn: c.spawn, Place: "even"}, Plays: hold{}}
		if c.change != nil {
			c.change(&p.Config)
		}
		if got := p.paired(c.workers); got != c.want {
			t.Errorf("%s: %d workers for %d nodes, want %d", c.name, got, c.spawn, c.want)
		}
	}
}

func TestACrowdsGridIsASmallPartOfTheHeartbeat(t *testing.T) {
	crowd := 8*runtime.NumCPU() + 1
	for _, c := range []struct {
		spawn     int
		heartbeat time.Duration
		want      time.Duration
	}{{crowd, time.Minute, 58 * time.Millisecond}, {crowd, time.Hour, widestGrid}, {crowd, time.Second, 0}, {1, time.Minute, 0}} {
		p := &Plan{Config: Config{Spawn: c.spawn, Heartbeat: c.heartbeat}}
		if got := p.PingGrid(); got != c.want {
			t.Errorf("%d nodes, a heartbeat of %v: a grid of %v, want %v", c.spawn, c.heartbeat, got, c.want)
		}
	}
	if few, many := (&Plan{Config: Config{Spawn: 1}}), (&Plan{Config: Config{Spawn: crowd}}); few.nodeProgram(nil).Slack != 0 || many.nodeProgram(nil).Slack != nodeSlack {
		t.Error("the nodes of a crowd oversleep, and no others")
	}
}
