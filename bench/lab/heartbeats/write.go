package heartbeats

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// of is a lesson's step.
func of(lesson string) kit.Step { return kit.Step{Workload: lesson, Subject: "all"} }

// view reads the figures of a run.
type view struct{ *kit.Kept }

func (v view) figure(lesson, name, format string) string {
	s := v.Sample(of(lesson), name)
	switch {
	case v.Rounds(of(lesson)) == 0:
		return "not measured"
	case s.N == 0:
		return fmt.Sprintf("not within %v", patience)
	}
	return fmt.Sprintf(format, s.Median)
}

func (v view) seconds(lesson, name string) string { return v.figure(lesson, name, "%.1f s") }

// write makes the tables of the lessons that were run.
func write(p *kit.Page, k *kit.Kept) error {
	v := view{k}
	for _, lesson := range lessons {
		if k.Tried(of(lesson)) && k.Rounds(of(lesson)) == 0 {
			p.Printf("Not measured: %s: %s.\n\n", lesson, k.Problem(of(lesson)))
		}
	}
	if k.Tried(of("frozen")) || k.Tried(of("cut")) {
		v.noticed(p)
	}
	for _, t := range []struct {
		lesson string
		table  func(*kit.Page)
	}{{"forgets", v.forgotten}, {"written", v.written}, {"inside", v.inside}, {"storm", v.storm}} {
		if k.Tried(of(t.lesson)) {
			t.table(p)
		}
	}
	return nil
}

func (v view) noticed(p *kit.Page) {
	p.Printf("### Who notices that the peer is gone, and when\n\n")
	var rows [][]string
	for _, g := range []struct{ label, name string }{
		{"plain TCP that waits", "nothing"}, {"plain TCP that writes a byte a second", "writes"},
		{fmt.Sprintf("TCP keepalive after %v, five probes a second apart", keepAlive), "keepalive"},
		{fmt.Sprintf("TCP_USER_TIMEOUT of %v, and a byte a second", userTimeout), "usertimeout"},
		{fmt.Sprintf("Stormwheel's node, heartbeat %v, timeout %v", heartbeat, timeout), "heartbeat"},
	} {
		rows = append(rows, []string{g.label, v.seconds("frozen", g.name), v.seconds("cut", g.name)})
	}
	frozen := "see below"
	if !v.Tried(of("inside")) { // the lesson that shows it
		frozen = "LESSON=inside shows it"
	}
	rows = append(rows, []string{fmt.Sprintf("Stormwheel's client, a PING after %v, its PONG within %v", heartbeat, pongTimeout), frozen, v.seconds("cut", "client")})
	p.Table([]string{"", "the peer's process is frozen", "the network is cut"}, rows)
}

func (v view) forgotten(p *kit.Page) {
	p.Printf("### A box that forgets who was silent for %v; after %v the server has something to say\n\n", natMemory, idleTime)
	p.Table([]string{"", "it arrives after", "the server notices after"}, [][]string{
		{"plain TCP that waits", v.seconds("forgets", "nothing_arrives"), v.seconds("forgets", "nothing")},
		{fmt.Sprintf("TCP keepalive after %v", keepAlive), v.seconds("forgets", "keepalive_arrives"), v.seconds("forgets", "keepalive")},
		{fmt.Sprintf("Stormwheel, a PING after %v of silence", heartbeat), v.figure("forgets", "heartbeat_arrives_ms", "%.1f ms"), v.figure("forgets", "heartbeat_losses", "nothing to notice: %.0f sessions lost")},
	})
}

func (v view) written(p *kit.Page) {
	p.Printf("### Written is not delivered: %d messages of 100 bytes to a process that is frozen, and then killed\n\n", messages)
	p.Table([]string{"", ""}, [][]string{
		{"plain TCP: writes that returned without an error", v.figure("written", "written", "%.0f")},
		{"bytes that the peer's kernel did not acknowledge", v.figure("written", "unacknowledged_bytes", "%.0f")},
		{"bytes that the peer's process has read, dead now", v.figure("written", "read_bytes", "%.0f")},
		{"Stormwheel: messages that Send took, the node being frozen", v.figure("written", "sent", "%.0f")},
		{"of these, acknowledged while it was frozen", v.figure("written", "acked_frozen", "%.0f")},
		{"acknowledged when it ran again", v.figure("written", "acked_awake", "%.0f")},
	})
}

func (v view) inside(p *kit.Page) {
	p.Printf("### The check and the connection: a frozen server, and a client that has much to send\n\n")
	p.Table([]string{"the check is", "noticed after"}, [][]string{
		{"in the loop that writes", v.seconds("inside", "inside")},
		{"Stormwheel's client: outside, on a timer", v.seconds("inside", "outside")},
	})
}

func (v view) storm(p *kit.Page) {
	p.Printf("### A storm: %s clients of a node that is killed, and another that lets in 500 a second\n\n", stormClients)
	var rows [][]string
	for _, policy := range stormPolicies {
		rows = append(rows, []string{policy, v.figure("storm", policy+"_peak", "%.0f"), v.figure("storm", policy+"_attempts", "%.2f"),
			v.seconds("storm", policy+"_t99"), v.seconds("storm", policy+"_ideal")})
	}
	p.Table([]string{"policy", "attempts a second at the peak", "attempts each", "99 % back after", "at best"}, rows)
}
