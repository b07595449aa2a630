package server

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// The node finds each loop's listener and bounds what waits there by what the loop takes,
// also where the ceiling is so low that the pace never leaves it.
func TestAcceptQueueFollowsThePace(t *testing.T) {
	for _, rate := range []float64{20000, 1} {
		t.Run(fmt.Sprint("rate=", rate), func(t *testing.T) {
			s := startNode(t, Config{Loops: 2, Tick: 10 * time.Millisecond, AdmitRate: rate})
			eventually(t, "both loops have a client", func() bool {
				joinNode(t, s, "a")
				return len(*s.loops.Load()) == 2
			})
			loops := *s.loops.Load()
			if a, b := loops[0].listeners, loops[1].listeners; len(a) != 1 || len(b) != 1 || a[0] == b[0] {
				t.Fatalf("listeners %v and %v", a, b)
			}
			length := func(l *loop) int { return listenBacklog(t, l.listeners[0]) }
			eventually(t, "the queue takes a crowd, whatever rate is configured", func() bool {
				return length(loops[0]) >= gate.UsualBacklog && length(loops[1]) >= gate.UsualBacklog
			})
			stop := make(chan struct{})
			defer close(stop)
			go overload(loops[0], stop)
			eventually(t, "the queue is short", func() bool {
				return length(loops[0]) == gate.MinBacklog && length(loops[1]) == gate.MinBacklog
			})
			eventually(t, "pace and wait are told", func() bool {
				st := s.Stats()
				return st.Pace < 1000 && st.HelloWait == 2*time.Second
			})
		})
	}
}

// Ticks that come in time make the queue the longest, and late ones make it usual again.
func TestAcceptQueueOfAPromptNodeIsTheLongest(t *testing.T) {
	longest := min(gate.MaxBacklog, somaxconn(t)) // the kernel cuts what is beyond
	for name, c := range map[string]struct {
		limit time.Duration
		want  int
	}{"prompt": {time.Hour, longest}, "late": {-1, gate.UsualBacklog}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := New(Config{Listen: "127.0.0.1:0", Loops: 1, Tick: 10 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			s.prompt.Limit = c.limit
			start(t, s)
			joinNode(t, s, "a")
			eventually(t, fmt.Sprint("the queue is ", c.want), func() bool {
				return s.now() > 3*time.Second && listenBacklog(t, (*s.loops.Load())[0].listeners[0]) == c.want
			})
		})
	}
}

// What a loop takes out of its queue counts whether it says a HELLO or not: clients that only make TLS
// handshakes have room, too.
func TestAcceptQueueHasRoomForThoseWithoutAHello(t *testing.T) {
	s := startNode(t, Config{Loops: 1, Tick: 10 * time.Millisecond})
	joinNode(t, s, "a")
	l := (*s.loops.Load())[0]
	eventually(t, "the queue is longer than the least, under overload", func() bool {
		for range 20 { // they stay: who has gone is counted anyway
			if c, err := net.Dial("tcp", s.Addr()); err == nil {
				t.Cleanup(func() { c.Close() })
			}
		}
		raise(&l.waited, 2*time.Second)
		n := listenBacklog(t, l.listeners[0])
		return s.node.Load.Over() && n > gate.MinBacklog && n < gate.UsualBacklog
	})
}

// Where nobody said what the nodes can take that would take over, they are like this one.
func TestWindowFollowsTheOwnPaceUnlessTheOthersAreKnown(t *testing.T) {
	for configured, slow := range map[float64]bool{0: true, 100: false} {
		s, err := New(Config{AdmitRate: 100, FailoverRate: configured})
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Second; at < 10*time.Minute; at += time.Second {
			s.node.Load.Observe(at, gate.Sample{Taken: uint64(10 * at.Seconds()), Waited: 2 * time.Second}, nil, nil)
		}
		if got := s.failoverRate(); slow && (got < 9 || got > 12) || !slow && got != 100 {
			t.Errorf("FailoverRate %v: the window is reckoned with %v of a node that takes ten a second in", configured, got)
		}
	}
}

// A node without alternates moves nobody: it says shutdown with a window when the grace is
// over, and ends.
func TestDrainOfALoneNodeIsAStopWithAWindow(t *testing.T) {
	const grace = 300 * time.Millisecond
	s := startNode(t, Config{DrainGrace: grace, Tick: 10 * time.Millisecond, FailoverRate: 10})
	var in []*wire
	for range 20 {
		w, _ := joinNode(t, s, "a")
		in = append(in, w)
	}
	eventually(t, "the node knows its window", func() bool { return s.Stats().Window == 2100*time.Millisecond })
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- s.Drain(context.Background()) }()
	eventually(t, "the drain begins", s.node.Drain.On)
	stranger := dialNode(t, s)
	stranger.wantGoAway(codec.CodeShutdown)
	stranger.Close()
	for _, w := range in {
		m, err := codec.ParseGoAway(w.want(codec.GoAway).Payload)
		if err != nil || m.Code != codec.CodeShutdown || m.Window < 1900*time.Millisecond {
			t.Fatalf("GOAWAY %+v, %v; want shutdown with the window", m, err)
		}
		if early := time.Since(began); early < grace {
			t.Fatalf("told after %v, the grace is %v", early, grace)
		}
	}
	for _, w := range in { // when all are told: the window follows those that are there
		w.Close()
	}
	if err := <-ended; err != nil || time.Since(began) >= grace+stopTime {
		t.Errorf("Drain: %v after %v", err, time.Since(began))
	}
}

// What gave up while it waited is not served, and its wait is seen.
func TestOverloadedNodeDropsTheGoneUnserved(t *testing.T) {
	block, blocked := make(chan struct{}), make(chan struct{})
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 1, Tick: 10 * time.Millisecond, IDRate: -1, Handler: Handler{Opened: func(s *Session) {
		if s.ID() == "long" {
			close(blocked)
			<-block
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s.node.Load.Observe(time.Hour, gate.Sample{Waited: 2 * time.Second}, nil, nil) // the ticker has not to look before that
	start(t, s)
	joinNode(t, s, "a")
	l := (*s.loops.Load())[0]
	dialNode(t, s).send(helloFrame("long"))
	<-blocked
	for range 5 {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		c.Write(helloFrame("gone"))
		c.Close()
	}
	time.Sleep(20 * time.Millisecond) // the least that the wait is seen to be
	close(block)
	eventually(t, "the gone are dropped", func() bool {
		l.ask()
		return s.Stats().Gone == 5
	})
	if st := s.Stats(); st.Accepted != 2 || time.Duration(l.waited.Load()) < 20*time.Millisecond {
		t.Errorf("%d accepted, longest wait %v", st.Accepted, time.Duration(l.waited.Load()))
	}
	if got, want := l.taken.Load(), uint64(2*gate.CostOfTaken+5*gate.CostOfGone); got != want {
		t.Errorf("%d were taken out of the queue, want %d: who has gone is less work", got, want)
	}
}

// Whoever has waited for a node that was away comes the moment that it listens, before its first tick.
func TestTheFirstAcceptQueueIsBoundWhenTheEngineBoots(t *testing.T) {
	var plain net.ListenConfig
	plain.SetMultipathTCP(false)
	ln, err := plain.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tcp := ln.Addr().(*net.TCPAddr)
	s := &Server{claims: []*addrClaim{nil, {tcp: tcp}}}
	(&events{srv: s}).OnBoot(gnet.Engine{})
	all := listenersAt(tcp.AddrPort())
	if len(all) != 1 {
		t.Fatalf("%d listeners", len(all))
	}
	if n := listenBacklog(t, all[0]); n != gate.UsualBacklog {
		t.Errorf("%d may wait, want %d", n, gate.UsualBacklog)
	}
}

// Before anybody has come, more than a crowd cannot wait: nobody knows yet how slow the node is.
func TestAcceptQueuesAreBoundFromTheStart(t *testing.T) {
	s := startNode(t, Config{Loops: 2, Listeners: []Listener{{Addr: "127.0.0.1:0"}, {Addr: "[::1]:0"}}})
	beside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	for _, c := range s.claims {
		all := listenersAt(c.tcp.AddrPort())
		if len(all) != 2 {
			t.Fatalf("%s: %d listeners, want one for each loop", c.addr, len(all))
		}
		for _, fd := range all {
			if n := listenBacklog(t, fd); n != gate.UsualBacklog {
				t.Errorf("%s: %d may wait, want %d", c.addr, n, gate.UsualBacklog)
			}
		}
	}
}

// numbered is a connection of which only the descriptor is asked.
type numbered struct {
	gnet.Conn
	fd int
}

func (n *numbered) Fd() int { return n.fd }

// What the kernel told of a connection when it was accepted is good for its HELLO, if that is read at once.
func TestTheKernelIsAskedOnceForAnAdmission(t *testing.T) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	own, err := ln.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	file, err := own.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	defer own.Close()
	c := &numbered{fd: int(file.Fd())}
	eventually(t, "its peer has gone", func() bool {
		peer.Close()
		_, there := waited(c.fd)
		return !there
	})
	for _, one := range []struct {
		name    string
		reading gnet.Conn
		looked  []gnet.Conn // in the order in which they came
		after   time.Duration
		there   bool
	}{
		{"its HELLO is read", c, []gnet.Conn{c}, 5 * time.Millisecond, true},
		{"another was accepted in between", c, []gnet.Conn{c, &numbered{}}, 5 * time.Millisecond, true},
		{"two others were", c, []gnet.Conn{c, &numbered{}, &numbered{}}, 5 * time.Millisecond, false},
		{"long after", c, []gnet.Conn{c}, time.Second, false},
		{"of others", c, []gnet.Conn{&numbered{}, &numbered{}}, 5 * time.Millisecond, false},
		{"its HELLO was read before", nil, []gnet.Conn{c}, 5 * time.Millisecond, false},
	} {
		l := &loop{conns: []*[connChunk]gnet.Conn{{c}}, reading: one.reading, readAt: time.Minute}
		for _, of := range one.looked {
			l.looked.add(look{conn: of, at: time.Minute - one.after, wait: time.Second})
		}
		wait, there := l.Waited(0)
		if there != one.there || there && wait != time.Second+one.after {
			t.Errorf("%s: waited %v, there %v; want there %v", one.name, wait, there, one.there)
		}
	}
}
