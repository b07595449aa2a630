package bench

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/dnstest"
)

// nowhere is where no route leads from any machine.
const nowhere = "255.255.255.255"

// The promise: a name is all its addresses, each a target.
func TestATargetsNameStandsForAllItsAddresses(t *testing.T) {
	port := "0"
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		l, err := net.Listen("tcp4", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ = net.SplitHostPort(l.Addr().String())
	}
	dnstest.Zone{"edge.test": {"127.0.0.2", "127.0.0.1", "127.0.0.2"}, "half.test": {"127.0.0.1", "127.0.0.9"},
		"away.test": {"127.0.0.1", "fe80::1"}, "dead.test": {"127.0.0.8", "127.0.0.9"}}.Install(t)
	for _, tt := range []struct {
		name string
		want []string // hosts
		note string
	}{
		{"edge.test", []string{"127.0.0.1", "127.0.0.2"}, "edge.test:" + port + " is 127.0.0.1:" + port + ", 127.0.0.2:" + port},
		{"half.test", []string{"127.0.0.1"}, "127.0.0.9:" + port + " of half.test:" + port + " is left out: connection refused"},
		{"away.test", []string{"127.0.0.1"}, "[fe80::1]:" + port + " of away.test:" + port + " is left out: "},
		{"dead.test", []string{"127.0.0.8", "127.0.0.9"}, "dead.test:"},
		{"127.0.0.7", []string{"127.0.0.7"}, ""},
	} {
		p, err := prepare(t.Context(), Config{Scenario: "hold", Conns: 2, Targets: []string{tt.name + ":" + port, "127.0.0.3:1"}})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, e := range p.endpoints {
			got = append(got, e.Addr().String())
		}
		if !slices.Equal(got, append(tt.want, "127.0.0.3")) || len(p.Targets) != len(got) {
			t.Errorf("%s: targets %v, want %v", tt.name, got, tt.want)
		}
		if notes := strings.Join(p.notes, "\n"); !strings.Contains(notes, tt.note) {
			t.Errorf("%s: the run says %q, want %q", tt.name, notes, tt.note)
		}
	}
	if _, err := prepare(t.Context(), Config{Scenario: "hold", Conns: 2, Targets: []string{"gone.test:1"}}); ExitCode(err) != ExitOther || !strings.Contains(err.Error(), "gone.test") {
		t.Errorf("a name that does not exist: %v", err)
	}
}

// The node is killed and back. The alternate that it named was never to be reached.
func TestASwarmIsNotKeptAwayByAnAlternateWithoutARoute(t *testing.T) {
	f := startFake(t, &fakeNode{alternates: nowhere + ":7000"})
	const n = 20
	s, _ := startSwarm(t, n, func(c *swarmConfig) { c.AnyAddress, c.Sources = true, nil }, f)
	waitFor(t, "all are ready", func() bool { return s.Ready() == n })
	l := restarted(t, f)
	again := &fakeNode{alternates: f.alternates}
	again.serve(l)
	t.Cleanup(again.stop)
	waitFor(t, "all are back", func() bool { return s.Ready() == n && again.conns() == n })
}

// restarted stops a node and listens where it did.
func restarted(t *testing.T, f *fakeNode) net.Listener {
	t.Helper()
	addr := f.addr()
	f.stop()
	time.Sleep(100 * time.Millisecond)
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestASwarmIgnoresAlternatesOnRequest(t *testing.T) {
	second := startFake(t, &fakeNode{})
	first := startFake(t, &fakeNode{alternates: second.addr(), terms: codec.Terms{Interval: 200 * time.Millisecond, Timeout: time.Second}})
	s, _ := startSwarm(t, 5, func(c *swarmConfig) { c.IgnoreAlternates = true }, first)
	waitFor(t, "all are ready", func() bool { return s.Ready() == 5 })
	first.stop()
	waitFor(t, "some attempts", func() bool { return s.Counts().Failures.Refused > 10 })
	if n := second.accepted.Load(); n != 0 {
		t.Errorf("%d went to the alternate", n)
	}
}

// A node of another version costs the run its refusals, and nobody his place at the good one.
func TestASwarmLeavesANodeThatRefusesIt(t *testing.T) {
	good := startFake(t, &fakeNode{})
	refusing := startFake(t, &fakeNode{meet: func(c *net.TCPConn, _ int) bool {
		_, _ = c.Write(goAway(codec.CodeVersion))
		return true
	}})
	const n = 20
	s, finish := startSwarm(t, n, nil, refusing, good)
	waitFor(t, "all are ready", func() bool { return s.Ready() == n })
	if got := finish().Counters; got.Refusal != codec.CodeVersion || got.Failures.total() != n/2 || good.accepted.Load() != n {
		t.Errorf("refusal %v, failures %+v", got.Refusal, got.Failures)
	}
}
