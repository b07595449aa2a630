package swarm

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// Each of these servers misbehaves on the first connections and is good after; the swarm
// must file it right and come back.
func TestMisbehavingServersAreFiledAndOutlived(t *testing.T) {
	const n = 12
	for _, tt := range []struct {
		name string
		meet func(f *benchtest.Node, c *net.TCPConn)
		got  func(result.Failures) int
	}{
		{"garbage", func(_ *benchtest.Node, c *net.TCPConn) {
			c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			readSome(c)
		},
			func(f result.Failures) int { return f.Protocol }},
		{"checksum", func(f *benchtest.Node, c *net.TCPConn) { b := f.Welcome(); b[len(b)-1]++; c.Write(b); readSome(c) },
			func(f result.Failures) int { return f.Protocol }},
		{"a length beyond the limit", func(_ *benchtest.Node, c *net.TCPConn) { c.Write([]byte{0x53, 0x10, 2, 0, 255, 0, 0, 0}); readSome(c) },
			func(f result.Failures) int { return f.Protocol }},
		{"half a WELCOME", func(f *benchtest.Node, c *net.TCPConn) { b := f.Welcome(); c.Write(b[:len(b)/2]); readAll(c) },
			func(f result.Failures) int { return f.Closed }},
		{"closes at once", func(_ *benchtest.Node, c *net.TCPConn) { readAll(c) },
			func(f result.Failures) int { return f.Closed }},
		{"resets at once", func(_ *benchtest.Node, c *net.TCPConn) { readSome(c); c.SetLinger(0) },
			func(f result.Failures) int { return f.Reset }},
		{"busy", func(_ *benchtest.Node, c *net.TCPConn) { readSome(c); c.Write(benchtest.GoAway(codec.CodeBusy)) },
			func(f result.Failures) int { return f.Busy }},
		{"GOAWAY before HELLO is read, then RST", func(_ *benchtest.Node, c *net.TCPConn) { c.Write(benchtest.GoAway(codec.CodeInternal)); c.SetLinger(0) },
			func(f result.Failures) int { return f.GoAway }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &benchtest.Node{}
			f.Meet = func(c *net.TCPConn, i int) bool {
				if i > n {
					return false
				}
				tt.meet(f, c)
				return true
			}
			benchtest.Start(t, f)
			s, finish := startSwarm(t, n, nil, f)
			benchtest.WaitFor(t, "all are ready in the end", func() bool { return s.Ready() == n })
			sum := finish()
			total := sum.Counters.Attempts - sum.Counters.Established
			if got := tt.got(sum.Counters.Failures); got != n || total != n {
				t.Errorf("failures = %+v, %d attempts; want %d of its class", sum.Counters.Failures, sum.Counters.Attempts, n)
			}
		})
	}
}

func readSome(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(benchtest.Patience))
	_, _ = c.Read(make([]byte, 512))
}

// readAll reads HELLO and says FIN; it closes when the client has, so that no RST is sent.
func readAll(c *net.TCPConn) {
	readSome(c)
	_ = c.CloseWrite()
	readSome(c)
}

func TestRefusedConnectsAreFiled(t *testing.T) {
	nobody := netip.MustParseAddrPort(benchtest.FreeAddr(t))
	s, finish := startSwarm(t, 10, func(c *Config) { c.Endpoints = []netip.AddrPort{nobody} })
	benchtest.WaitFor(t, "ten refusals", func() bool { return s.Counts().Failures.Refused >= 10 })
	sum := finish() // the attempts of that moment have no answer yet
	if sum.Counters.Failures != (result.Failures{Refused: sum.Counters.Failures.Refused}) || sum.Counters.Established != 0 || sum.Counters.Attempts-sum.Counters.Failures.Refused > 10 {
		t.Errorf("%d attempts, %+v; want refusals only", sum.Counters.Attempts, sum.Counters.Failures)
	}
}

func TestFramesInAnySplitAreUnderstoodAndNothingIsKept(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	s, _ := startSwarm(t, 1, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "it is ready", func() bool { return s.Ready() == 1 })
	// Announcements of terms, so that it can be seen that each was read.
	announce := func(n int) []byte {
		return codec.AppendPong(nil, codec.PongMessage{Terms: codec.Terms{Interval: time.Minute, Timeout: time.Hour, Window: time.Duration(n) * time.Second}})
	}
	size := len(announce(1))
	problem := make(chan string, 1)
	s.eachLoop(func(l *loop) {
		defer close(problem)
		c := &l.clients[0]
		for step := 1; step <= 2*size; step++ {
			stream := append(announce(step), announce(1000+step)...)
			for len(stream) > 0 {
				n := min(step, len(stream))
				l.receive(0, c, c.attempt, stream[:n])
				stream = stream[n:]
				if p, kept := l.partial[connKey{0, c.attempt}]; kept && (len(p.b) >= size || p.need <= len(p.b)) {
					problem <- fmt.Sprintf("pieces of %d: %d bytes kept that wait for %d", step, len(p.b), p.need)
					return
				}
			}
			if got := c.link.Info().Terms.Window; got != time.Duration(1000+step)*time.Second {
				problem <- fmt.Sprintf("pieces of %d: the second frame was not read, window %v", step, got)
				return
			}
			if len(l.partial) != 0 {
				problem <- fmt.Sprintf("pieces of %d: input is kept when no frame is incomplete", step)
				return
			}
		}
	})
	if p := <-problem; p != "" {
		t.Error(p)
	}
}

func TestAServerThatNeverAnswersIsGivenUpByTheClient(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{NoPong: true, EvictAfter: time.Hour})
	s, finish := startSwarm(t, 5, func(c *Config) { c.PongTimeout = 300 * time.Millisecond }, f)
	benchtest.WaitFor(t, "five are given up", func() bool { return s.Counts().Missed >= 5 })
	if sum := finish(); sum.Counters.Losses.PongTimeout != sum.Counters.Missed || sum.Counters.Falsely != 0 {
		t.Errorf("%+v: want losses by pong timeout only", sum.Counters)
	}
}

// A peer that takes nothing: what does not fit waits, with EPOLLOUT only that long.
func TestASocketThatTakesNothingIsWaitedFor(t *testing.T) {
	f := &benchtest.Node{Terms: benchtest.ShortTerms}
	readOn := make(chan struct{})
	f.Meet = func(c *net.TCPConn, _ int) bool {
		readSome(c)
		c.Write(f.Welcome())
		<-readOn
		io.Copy(io.Discard, c)
		return true
	}
	benchtest.Start(t, f)
	s, finish := startSwarm(t, 1, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "it is ready", func() bool { return s.Ready() == 1 })
	big := make([]byte, 32<<20) // more than both socket buffers take
	waited := make(chan bool, 1)
	s.eachLoop(func(l *loop) {
		c := &l.clients[0]
		before := c.last
		l.send(0, c, &c.socket, big, true)
		_, waiting := l.unsent[connKey{0, c.attempt}]
		waited <- waiting && c.last == before && asksToWrite(t, l, c.fd)
		l.perform(0, c)
	})
	if !<-waited {
		t.Fatal("32 MiB went into the socket at once, or an unfinished write counts as complete")
	}
	close(readOn)
	flushed := func() (done bool) {
		answer := make(chan bool, 1)
		s.eachLoop(func(l *loop) { answer <- len(l.unsent) == 0 })
		return <-answer
	}
	benchtest.WaitFor(t, "the rest is written", flushed)
	idle := make(chan bool, 1)
	s.eachLoop(func(l *loop) { idle <- !asksToWrite(t, l, l.clients[0].fd) })
	if !<-idle {
		t.Error("EPOLLOUT stays when nothing is left to write: the loop would spin")
	}
	if sum := finish(); sum.Ready != 1 {
		t.Errorf("the session was lost: %+v", sum.Counters.Losses)
	}
}

// A PING that stands in a queue which moves is not missed.
func TestAPingOnItsWayIsNotMissed(t *testing.T) {
	t.Parallel()
	const pongTimeout = 2 * time.Second
	f := &benchtest.Node{Terms: codec.Terms{Interval: 2 * time.Second, Timeout: time.Minute}} // no PING comes before the queue is there
	moves := make(chan struct{})
	f.Meet = func(c *net.TCPConn, _ int) bool {
		readSome(c)
		c.Write(f.Welcome())
		<-moves
		for _, err := io.CopyN(io.Discard, c, 64<<10); err == nil; _, err = io.CopyN(io.Discard, c, 64<<10) {
			time.Sleep(40 * time.Millisecond)
		}
		return true
	}
	benchtest.Start(t, f)
	s, _ := startSwarm(t, 1, func(c *Config) { c.Loops, c.PongTimeout = 1, pongTimeout }, f)
	benchtest.WaitFor(t, "it is ready", func() bool { return s.Ready() == 1 })
	s.eachLoop(func(l *loop) {
		l.send(0, &l.clients[0], &l.clients[0].socket, make([]byte, 32<<20), true)
		l.perform(0, &l.clients[0])
		close(moves)
	})
	benchtest.WaitFor(t, "a PING is written", func() bool { return s.Counts().Pings > 0 })
	time.Sleep(2 * pongTimeout) // the length of the wait is the test
	if n := s.Counts(); n.Missed != 0 || n.Losses.Total() != 0 {
		t.Errorf("%d PINGs, losses %+v while the way is slow", n.Pings, n.Losses)
	}
}

// asksToWrite reads from the kernel whether epoll watches fd for EPOLLOUT.
func asksToWrite(t *testing.T, l *loop, fd int32) bool {
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", l.poll.FD()))
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(info)) {
		var tfd, events int
		if n, _ := fmt.Sscanf(line, "tfd: %d events: %x", &tfd, &events); n == 2 && tfd == int(fd) {
			return events&unix.EPOLLOUT != 0
		}
	}
	t.Errorf("fd %d is not watched", fd)
	return false
}

// An idle client must not be watched for EPOLLOUT either, which is level-triggered.
func TestReadyClientsAreWatchedForInputOnly(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	s, _ := startSwarm(t, 5, func(c *Config) { c.Loops = 1 }, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 5 })
	spinning := make(chan int, 1)
	s.eachLoop(func(l *loop) {
		n := 0
		for i := range l.clients {
			if asksToWrite(t, l, l.clients[i].fd) {
				n++
			}
		}
		spinning <- n
	})
	if n := <-spinning; n != 0 {
		t.Errorf("%d of 5 idle clients wait for EPOLLOUT", n)
	}
}

// A server's alternates must not turn a test of this machine into an attack on another.
func TestAlternatesBeyondThisMachineAreNotDialled(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{})
	s, _ := startSwarm(t, 1, func(c *Config) { c.Loops = 1 }, f)
	refusal := make(chan error, 1)
	s.eachLoop(func(l *loop) {
		var c client
		l.dial(0, &c, &link.Action{Op: link.Dial, Attempt: 1, Addr: "192.0.2.1:7000"})
		if len(l.after) != 1 || c.attempt != 0 {
			refusal <- nil
			return
		}
		refusal <- l.after[0].err
		l.after = l.after[:0]
	})
	if err := <-refusal; err == nil || !strings.Contains(err.Error(), "not on this machine") {
		t.Errorf("dial of 192.0.2.1: %v, want a refusal", err)
	}
}
