package bench

import (
	"net/netip"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// startMQTT aims n clients at a broker.
func startMQTT(t *testing.T, m *mosquitto, n int, heartbeat time.Duration) (*swarm, func() tally) {
	return startSwarm(t, n, func(c *swarmConfig) {
		speakMQTT(heartbeat)(c)
		c.Endpoints = []netip.AddrPort{netip.MustParseAddrPort(m.addr)}
	})
}

func TestMosquittoHolds(t *testing.T) {
	m := startMosquitto(t, "allow_anonymous true\n")
	r, err := Run(t.Context(), Config{Scenario: "hold", Targets: []string{m.addr}, Protocol: "mqtt", Conns: 200, Rate: 1000,
		Heartbeat: 2 * time.Second, Duration: 5 * time.Second, LateLimit: time.Minute}, View{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Connect.Attempts != 200 || r.Heartbeat.Answered < 300 || r.Conns.Losses != (Losses{}) {
		t.Errorf("%d attempts, %d answers, losses %+v; want 200, 300 or more, none", r.Connect.Attempts, r.Heartbeat.Answered, r.Conns.Losses)
	}
}

// Mosquitto counts in whole seconds, and looks at its clients every few: late by seconds,
// not early.
func TestMosquittoDropsTheSilentAndNobodyElse(t *testing.T) {
	t.Parallel()
	m := startMosquitto(t, "allow_anonymous true\n")
	s, finish := startMQTT(t, m, 100, 2*time.Second)
	waitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	s.Mute(30)
	waitFor(t, "30 evictions", func() bool { return s.Counts().Observed == 30 })
	sum := finish()
	if n := sum.Counters; sum.Ready != 70 || n.Early+n.Falsely+n.Faults+n.OtherMutes != 0 {
		t.Errorf("%d ready, %+v; want 70, and nobody dropped early or falsely", sum.Ready, n)
	}
	t.Logf("lateness after 1.5 times the keepalive of 2 s: %+v", *sum.Lateness.lateness())
}

func TestClientsOfAKilledMosquittoComeBack(t *testing.T) {
	t.Parallel()
	m := startMosquitto(t, "allow_anonymous true\n")
	s, finish := startMQTT(t, m, 100, 2*time.Second)
	waitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	s.BeginStorm(s.Now(), m.addr)
	m.kill()
	waitFor(t, "all are lost", func() bool { return s.Counts().StormClients == 100 })
	m.start(t, m.cmd.Path)
	waitFor(t, "all are back", func() bool { n := s.Counts(); return n.StormBack == 100 && s.Ready() == 100 })
	sum := finish()
	if n := sum.Counters; n.Established != 200 || n.Losses.Closed+n.Losses.Reset != 100 || n.Falsely+n.Observed != 0 {
		t.Errorf("%+v; want 200 welcomed, 100 lost, and no eviction", n)
	}
}

func TestMosquittoStandsChurnAndACut(t *testing.T) {
	m := startMosquitto(t, "allow_anonymous true\n")
	for _, cfg := range []Config{
		{Scenario: "churn", Lifetime: time.Second, Duration: 2 * time.Second},
		{Scenario: "storm", Kind: "cut", Duration: 100 * time.Millisecond, RecoveryTimeout: 10 * time.Second},
	} {
		cfg.Targets, cfg.Protocol, cfg.Conns, cfg.Rate, cfg.Heartbeat = []string{m.addr}, "mqtt", 100, 1000, 2*time.Second
		cfg.LateLimit = time.Minute
		if _, err := Run(t.Context(), cfg, View{}); err != nil {
			t.Errorf("%s: %v", cfg.Scenario, err)
		}
	}
}

func TestMosquittoAsksForTheRightPassword(t *testing.T) {
	tool, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("no mosquitto_passwd here")
	}
	t.Parallel()
	passwords := filepath.Join(t.TempDir(), "passwords")
	if out, err := exec.Command(tool, "-b", "-c", passwords, "fleet", "right").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m := startMosquitto(t, "allow_anonymous false\npassword_file "+passwords+"\n")
	for password, ready := range map[string]int{"right": 10, "wrong": 0, "": 0} {
		s, finish := startSwarm(t, 10, func(c *swarmConfig) {
			speakMQTT(2 * time.Second)(c)
			c.Endpoints = []netip.AddrPort{netip.MustParseAddrPort(m.addr)}
			if c.Password = password; password != "" {
				c.Username = "fleet"
			}
		})
		waitFor(t, "all have their answer", func() bool { return s.Ready() == ready && s.Counts().Failures.GoAway >= 10-ready })
		if sum := finish(); sum.Counters.Attempts > 15 { // U(0, 1min) is short for one of ten now and then
			t.Errorf("password %q: %d attempts, want 10: a refused client comes seldom", password, sum.Counters.Attempts)
		}
	}
}
