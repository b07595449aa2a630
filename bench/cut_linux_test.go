package bench

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestClientsThatAreCutComeBackAndTheirGhostsAreEvicted(t *testing.T) {
	for workers, fraction := range map[int]float64{1: 0, 2: 0.25} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "storm", 2, 200)
		cfg.Kind, cfg.Fraction = "cut", fraction
		cfg.Timeout = 2 * time.Second // a busy machine must not look like a silent client
		r, err := Run(t.Context(), untimed(t, cfg), View{})
		if err != nil {
			t.Fatalf("fraction %v: %v", fraction, err)
		}
		want, s := 100, r.Storm
		if fraction > 0 {
			want = 50
		}
		if s.Clients != want || s.Back != want || r.Conns.Losses.Cut != want || r.Conns.Lost != want || r.Conns.End != 200 || r.Eviction.False != 0 {
			t.Errorf("fraction %v: storm %+v, conns %+v; want %d cut and back", fraction, s, r.Conns, want)
		}
		// Nobody told the node: it has to notice by its timeout of 2 s, which began up to a heartbeat before.
		silently := mayCutSilently(t)
		if s.CutBy == nil || (*s.CutBy == result.CutSilently) != silently || s.GhostsGoneS == nil || silently && *s.GhostsGoneS < 1.5 {
			t.Errorf("fraction %v: cut by %v, ghosts gone after %s s", fraction, *s.CutBy, result.Number(s.GhostsGoneS))
		}
	}
}

func TestACutOfATargetNeedsNoProcess(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	cfg := Config{Scenario: "storm", Kind: "cut", Targets: []string{f.Addr()}, Conns: 40, Rate: 1000, Seed: 1,
		Duration: 100 * time.Millisecond, Heartbeat: 150 * time.Millisecond, LateLimit: time.Minute}
	r, err := Run(t.Context(), untimed(t, cfg), View{})
	const want = 39 // and one probe
	if err != nil || r.Storm.Clients != want || r.Storm.Back != want || r.Storm.GhostsGoneS != nil || r.Conns.Ghosts != nil ||
		r.Probes == nil || r.Probes.Clients != 1 || r.Probes.Lost != 0 {
		t.Errorf("%v, storm %+v, conns %+v, probes %+v; want %d cut and back", err, r.Storm, r.Conns, r.Probes, want)
	}
}

// A node that never drops those who vanished would run full.
func TestACutFailsANodeThatKeepsGhosts(t *testing.T) {
	benchtest.LeavesNothing(t)
	cfg := spawned(t, "hoarder", "storm", 2, 40)
	cfg.Kind, cfg.RecoveryTimeout = "cut", time.Second
	r, err := Run(t.Context(), cfg, View{})
	if result.ExitCode(err) != result.ExitThreshold || r.Conns.Ghosts == nil || *r.Conns.Ghosts < 20 || r.Storm.GhostsGoneS != nil {
		t.Errorf("exit %d, %v, conns %+v, storm %+v; want 20 ghosts that stay", result.ExitCode(err), err, r.Conns, r.Storm)
	}
}

// mayCutSilently reports whether this process may close without FIN.
func mayCutSilently(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return epoll.Vanish(fd)
}
