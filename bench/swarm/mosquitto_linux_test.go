package swarm

import (
	"net/netip"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// startMQTT aims n clients at a broker.
func startMQTT(t *testing.T, m *benchtest.Mosquitto, n int, heartbeat time.Duration) (*Swarm, func() tally.Tally) {
	return startSwarm(t, n, func(c *Config) {
		speakMQTT(heartbeat)(c)
		c.Endpoints = []netip.AddrPort{netip.MustParseAddrPort(m.Addr)}
	})
}

// Mosquitto counts in whole seconds, and looks at its clients every few: late by seconds,
// not early.
func TestMosquittoDropsTheSilentAndNobodyElse(t *testing.T) {
	t.Parallel()
	m := benchtest.StartMosquitto(t, "allow_anonymous true\n")
	s, finish := startMQTT(t, m, 100, 2*time.Second)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	s.Mute(30)
	benchtest.WaitFor(t, "30 evictions", func() bool { return s.Counts().Observed == 30 })
	sum := finish()
	if n := sum.Counters; sum.Ready != 70 || n.Early+n.Falsely+n.Faults+n.OtherMutes != 0 {
		t.Errorf("%d ready, %+v; want 70, and nobody dropped early or falsely", sum.Ready, n)
	}
	t.Logf("lateness after 1.5 times the keepalive of 2 s: %+v", *sum.Lateness.Lateness())
}

func TestClientsOfAKilledMosquittoComeBack(t *testing.T) {
	t.Parallel()
	m := benchtest.StartMosquitto(t, "allow_anonymous true\n")
	s, finish := startMQTT(t, m, 100, 2*time.Second)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	s.BeginStorm(s.Now(), m.Addr)
	m.Kill()
	benchtest.WaitFor(t, "all are lost", func() bool { return s.Counts().StormClients == 100 })
	m.Start(t, m.Cmd.Path)
	benchtest.WaitFor(t, "all are back", func() bool { n := s.Counts(); return n.StormBack == 100 && s.Ready() == 100 })
	sum := finish()
	if n := sum.Counters; n.Established != 200 || n.Losses.Closed+n.Losses.Reset != 100 || n.Falsely+n.Observed != 0 {
		t.Errorf("%+v; want 200 welcomed, 100 lost, and no eviction", n)
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
	m := benchtest.StartMosquitto(t, "allow_anonymous false\npassword_file "+passwords+"\n")
	for password, ready := range map[string]int{"right": 10, "wrong": 0, "": 0} {
		s, finish := startSwarm(t, 10, func(c *Config) {
			speakMQTT(2 * time.Second)(c)
			c.Endpoints = []netip.AddrPort{netip.MustParseAddrPort(m.Addr)}
			if c.Password = password; password != "" {
				c.Username = "fleet"
			}
		})
		benchtest.WaitFor(t, "all have their answer", func() bool { return s.Ready() == ready && s.Counts().Failures.GoAway >= 10-ready })
		if sum := finish(); sum.Counters.Attempts > 15 { // U(0, 1min) is short for one of ten now and then
			t.Errorf("password %q: %d attempts, want 10: a refused client comes seldom", password, sum.Counters.Attempts)
		}
	}
}

func TestMosquittoAcknowledgesMessages(t *testing.T) {
	t.Parallel()
	m := benchtest.StartMosquitto(t, "allow_anonymous true\n")
	s, finish := startSwarm(t, 50, func(c *Config) {
		speakMQTT(2 * time.Second)(c)
		c.Endpoints = []netip.AddrPort{netip.MustParseAddrPort(m.Addr)}
		c.Send, c.Every = "300B", 50*time.Millisecond
	})
	benchtest.WaitFor(t, "500 are acknowledged", func() bool { return s.Counts().Messages.Acknowledged >= 500 })
	closed(t, s)
	sum := finish()
	if n := reconciled(t, &sum); n.Refused+n.Lost+n.Doubled != 0 || sum.Counters.Losses.Total() != 0 {
		t.Errorf("%+v, %+v", n, sum.Counters.Losses)
	}
}
