package bench

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mayRepair reports whether this process may close without FIN.
func mayRepair(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return vanishSocket(fd)
}

func TestAVanishedSocketTellsThePeerNothing(t *testing.T) {
	if !mayRepair(t) {
		t.Skip("no CAP_NET_ADMIN here")
	}
	for _, silent := range []bool{true, false} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		peer, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		file, err := c.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		c.Close() // the duplicate keeps the connection
		fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		if silent {
			vanishSocket(fd)
		} else {
			closeSocket(fd, true)
		}
		peer.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		_, err = peer.Read(make([]byte, 1))
		if told := err == io.EOF || !os.IsTimeout(err); told == silent {
			t.Errorf("silent %v: the peer read %v", silent, err)
		}
	}
}

func TestClientsThatAreCutComeBackAndTheirGhostsAreEvicted(t *testing.T) {
	for workers, fraction := range map[int]float64{1: 0, 2: 0.25} {
		leavesNothing(t)
		cfg := inWorkers(t, workers, "good", "storm", 2, 200)
		cfg.Kind, cfg.Fraction = "cut", fraction
		cfg.Timeout = 2 * time.Second // a busy machine must not look like a silent client
		r, err := Run(t.Context(), cfg, View{})
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
		silently := mayRepair(t)
		if s.CutBy == nil || (*s.CutBy == cutSilently) != silently || s.GhostsGoneS == nil || silently && *s.GhostsGoneS < 1.5 {
			t.Errorf("fraction %v: cut by %v, ghosts gone after %s s", fraction, *s.CutBy, number(s.GhostsGoneS))
		}
	}
}

func TestACutOfATargetNeedsNoProcess(t *testing.T) {
	f := startFake(t, &fakeNode{})
	cfg := Config{Scenario: "storm", Kind: "cut", Targets: []string{f.addr()}, Conns: 40, Rate: 1000, Seed: 1,
		Duration: 100 * time.Millisecond, Heartbeat: 150 * time.Millisecond, LateLimit: time.Minute}
	r, err := Run(t.Context(), cfg, View{})
	const want = 39 // and one probe
	if err != nil || r.Storm.Clients != want || r.Storm.Back != want || r.Storm.GhostsGoneS != nil || r.Conns.Ghosts != nil ||
		r.Probes == nil || r.Probes.Clients != 1 || r.Probes.Lost != 0 {
		t.Errorf("%v, storm %+v, conns %+v, probes %+v; want %d cut and back", err, r.Storm, r.Conns, r.Probes, want)
	}
}

// A node that never drops those who vanished would run full.
func TestACutFailsANodeThatKeepsGhosts(t *testing.T) {
	leavesNothing(t)
	cfg := spawned(t, "hoarder", "storm", 2, 40)
	cfg.Kind, cfg.RecoveryTimeout = "cut", time.Second
	r, err := Run(t.Context(), cfg, View{})
	if ExitCode(err) != ExitThreshold || r.Conns.Ghosts == nil || *r.Conns.Ghosts < 20 || r.Storm.GhostsGoneS != nil {
		t.Errorf("exit %d, %v, conns %+v, storm %+v; want 20 ghosts that stay", ExitCode(err), err, r.Conns, r.Storm)
	}
}
