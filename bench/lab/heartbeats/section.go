// Package heartbeats measures what docs/HEARTBEATS.md tells: who notices a peer that is gone, and
// when. Each lesson is a process of its own in a network namespace of its own.
package heartbeats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Section is all figures of docs/HEARTBEATS.md.
var Section = kit.Section{Name: "heartbeats", Title: "The figures",
	Code:  []string{"bench/lab/heartbeats", "client", "server", "internal"},
	Steps: steps, Measure: measure, Alone: alone, Write: write}

// What the lessons go by.
const (
	patience    = 20 * time.Second // how long a lesson waits for somebody to notice
	keepAlive   = 5 * time.Second  // then five probes, a second apart
	userTimeout = 5 * time.Second
	heartbeat   = time.Second
	timeout     = 2500 * time.Millisecond
	pongTimeout = 2 * time.Second
	natMemory   = 3 * time.Second // of the box in between, without a packet
	idleTime    = 8 * time.Second // until the server has something to say
	messages    = 100             // that are written
)

var lessons = []string{"frozen", "cut", "forgets", "written", "inside", "storm"}

func steps(k *kit.Kept) (all []kit.Step) {
	for _, lesson := range lessons {
		if k.Effort.Name == "tiny" && lesson != "written" {
			continue // the others wait until nobody has noticed anything
		}
		all = append(all, kit.Step{Workload: lesson, Subject: "all"})
	}
	return all
}

// measure starts a lesson's process, in its network.
func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	if r.Workload == "storm" {
		return storms(ctx, k, r)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	bin, err := filepath.Abs(k.Binary())
	if err != nil {
		return err
	}
	task, err := json.Marshal(kit.Task{Step: r.Step, Effort: k.Effort, Target: bin})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "part", "heartbeats", string(task))
	cmd.Stderr = os.Stderr
	inOwnNetwork(cmd)
	in, err := cmd.StdinPipe() // which ends with this process
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", r.Workload, err)
	}
	return json.Unmarshal(out, &r.Figures)
}

const stormClients = "3000"

// stormPolicies are compared in the storm.
var stormPolicies = []string{"window", "fixed", "exponential"}

// storms kills one of two nodes under clients that come back in three ways.
func storms(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	for _, policy := range stormPolicies {
		cmd := exec.CommandContext(ctx, k.Binary(), "bench", "storm", "--kind", "kill", "--spawn", "2", "--place", "first", "--conns", stormClients, "--rate", "3000",
			"--heartbeat", "2s", "--timeout", "6s", "--node-arg", "admit-rate=500", "--node-arg", "failover-rate=500", "--policy", policy, "--seed", "1", "--no-tui", "--json", "-")
		out, err := cmd.Output()
		var res struct {
			Storm *struct {
				T99      *float64 `json:"t99_s"`
				Ideal    *float64 `json:"ideal_s"`
				Attempts *float64 `json:"attempts_per_success"`
				Peak     float64  `json:"peak_attempts_per_s"`
			}
		}
		if json.Unmarshal(out, &res) != nil || res.Storm == nil {
			return errors.Join(fmt.Errorf("storm under %s gave no result", policy), err)
		}
		for name, v := range map[string]*float64{"t99": res.Storm.T99, "ideal": res.Storm.Ideal, "attempts": res.Storm.Attempts, "peak": &res.Storm.Peak} {
			r.Set(policy+"_"+name, v)
		}
	}
	return nil
}
