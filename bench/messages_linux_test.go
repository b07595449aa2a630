package bench

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// reconciled is what a run carried, the counts of which must add up.
func reconciled(t *testing.T, r *result.Result) *result.Messages {
	t.Helper()
	m := r.Messages
	if m == nil {
		t.Fatal("the result has no messages")
	}
	if m.Sent == 0 || m.Sent != m.Acknowledged+m.Refused+m.Lost || m.Published == 0 || m.Published != m.Delivered+m.Undelivered ||
		m.LatencyMs == nil || m.WireLatencyMs == nil || m.DeliverLatencyMs == nil {
		t.Errorf("messages = %+v", m)
	}
	if err := validate(t, r); err != nil {
		t.Error(err)
	}
	return m
}

func TestARunCarriesMessages(t *testing.T) {
	benchtest.LeavesNothing(t)
	var rows bytes.Buffer
	cfg := spawned(t, "good", "hold", 2, 100)
	cfg.Send, cfg.Deliver, cfg.Every, cfg.Duration = "100B", 100, 100*time.Millisecond, 2500*time.Millisecond
	r, err := Run(t.Context(), cfg, View{CSV: &rows})
	if err != nil {
		t.Fatal(err)
	}
	m := reconciled(t, r)
	if m.Acknowledged < 100 || m.Delivered < 100 || m.Refused+m.Lost+m.Doubled+m.Undelivered != 0 {
		t.Errorf("messages = %+v, want some of each client, and nothing lost", m)
	}
	if l := r.Load; l.SendBytes != 100 || l.DeliverBytes != 100 || l.EveryS != .1 {
		t.Errorf("load = %+v", l)
	}
	table, err := csv.NewReader(&rows).ReadAll()
	if err != nil || len(table) < 3 {
		t.Fatalf("%d rows, %v", len(table), err)
	}
	sums := map[string]float64{}
	for _, row := range table[1:] {
		for i, name := range table[0] {
			v, _ := strconv.ParseFloat(row[i], 64)
			sums[name] += v
		}
	}
	for name, of := range map[string]int{"sent_per_s": m.Sent, "acknowledged_per_s": m.Acknowledged, "delivered_per_s": m.Delivered, "message_p99_ms": 0, "deliver_p50_ms": 0} {
		if got := sums[name]; got == 0 || of > 0 && got > float64(of) {
			t.Errorf("the rows have %v of %s, the result %d", got, name, of)
		}
	}
}

// At any time many wait for their answer, and the end of a run waits for them.
func TestTheEndWaitsForAnswers(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Late: 300 * time.Millisecond})
	r, err := Run(t.Context(), Config{Scenario: "hold", Targets: []string{f.Addr()}, Conns: 50, Seed: 1, Send: "100B", Every: 100 * time.Millisecond,
		Duration: time.Second, LateLimit: time.Minute}, View{})
	if r == nil {
		t.Fatal(err)
	}
	if m := r.Messages; m.Lost != 0 || m.Sent != m.Acknowledged || m.Sent < 100 {
		t.Errorf("messages = %+v, want all of them acknowledged", m)
	}
}

func TestAKilledNodeLosesNoMessage(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "good", "storm", 2, 100)
	cfg.Kind, cfg.Send, cfg.Deliver, cfg.Every = "kill", "100B", 100, 100*time.Millisecond
	r, err := Run(t.Context(), cfg, View{})
	if r == nil {
		t.Fatal(err)
	}
	if m := reconciled(t, r); m.Refused+m.Lost != 0 {
		t.Errorf("messages = %+v, want all of them acknowledged", m)
	}
}

// A node that does not answer messages fails without any threshold named.
func TestWhoAnswersHeartbeatsAloneFails(t *testing.T) {
	benchtest.LeavesNothing(t)
	f := benchtest.Start(t, &benchtest.Node{Answer: func(uint64, []byte) []byte { return nil }})
	r, err := Run(t.Context(), Config{Scenario: "hold", Targets: []string{f.Addr()}, Conns: 20, Seed: 1, Send: "100B", Deliver: 100, Every: 100 * time.Millisecond,
		Duration: time.Second, PongTimeout: 500 * time.Millisecond, LateLimit: time.Minute}, View{})
	if result.ExitCode(err) != result.ExitThreshold {
		t.Fatalf("%v, want a promise that failed", err)
	}
	m := r.Messages
	if m.Sent < 100 || m.Lost != m.Sent || m.Pending != m.Sent || m.Undelivered < 100 || m.Undelivered != m.Published {
		t.Errorf("messages = %+v, want all of them lost", m)
	}
	for _, th := range r.Thresholds {
		if bad := th.Expr == "messages.acknowledged>0" || th.Expr == "messages.lost==0" || th.Expr == "messages.delivered>0" || th.Expr == "messages.undelivered==0"; bad == th.OK {
			t.Errorf("%s: %v", th.Expr, th.OK)
		}
	}
}
