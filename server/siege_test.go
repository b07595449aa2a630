package server

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2/pkg/pool/goroutine"

	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// A node under siege is in a process of its own; well-behaved clients are beside it, and enemies.

// report is what the node says of itself.
type report struct {
	Conns, Sessions, Pending, Lingering, Queued, Budget int64
	Admitted                                            int64 // by the gate
	Accepted, Gone, LingerCut, Panics, Pings, Pongs     uint64
	Closes                                              map[string]uint64
	Slots, Wheel, Extras, Names                         int    // looked at on the loops themselves; of Names, the bytes
	Fault                                               string // of a wheel
	Goroutines, Descriptors                             int
	RSS, Heap                                           int64         // Heap: what is alive, after "gc"
	Race                                                bool          // the race detector is in, and its memory too
	Silence                                             time.Duration // the least after which somebody was evicted
}

// shortest is the least silence after which this process has evicted somebody.
var shortest atomic.Int64

func noteSilence(d time.Duration) {
	for was := shortest.Load(); was == 0 || int64(d) < was; was = shortest.Load() {
		if shortest.CompareAndSwap(was, int64(d)) {
			return
		}
	}
}

// besieged is the application of such a node. A message that is a duration stalls its loop; all
// come back.
func besieged(app *siege.App[Ref]) Handler {
	return Handler{
		Opened: func(s *Session) {
			app.Opened(s.ID(), s.Ref(), func(body []byte) { s.Deliver(body) })
		},
		Message: func(s *Session, m Message) {
			sleepAsTold(s, m.Number, m.Body)
			s.Deliver(m.Body)
			s.Ack(m.Number)
		},
		Closed: func(s *Session, why Reason) {
			if why == ReasonHeartbeatTimeout {
				noteSilence(time.Since(s.LastRead()))
			}
			app.Closed(s.Ref())
		},
	}
}

type runnable func()

func (f runnable) Run(context.Context) error { f(); return nil }

func (s *Server) report() report {
	st := s.exact()
	r := report{
		Conns: st.Conns, Sessions: st.Sessions, Pending: st.Pending, Queued: st.Queued,
		Lingering: s.node.Conns.Lingering(), Admitted: s.node.Conns.Open(), Budget: s.node.Budget.Queued(),
		Accepted: st.Accepted, Gone: st.Gone, LingerCut: st.LingerCut, Panics: st.Panics, Pings: st.Pings, Pongs: st.Pongs,
		Closes: make(map[string]uint64), Goroutines: runtime.NumGoroutine() - goroutine.DefaultWorkerPool.Running(), // gnet's own go after a while
	}
	for why, n := range st.Closes {
		if n > 0 {
			r.Closes[Reason(why).String()] = n
		}
	}
	r.Descriptors = openDescriptors()
	r.RSS, _ = machine.Resident()
	r.Silence = time.Duration(shortest.Load())
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Heap = int64(m.HeapAlloc)
	if info, ok := debug.ReadBuildInfo(); ok {
		r.Race = slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
	}
	for _, l := range *s.loops.Load() {
		s.onLoop(l, func() {
			r.look(l)
			if err := l.reactor.CheckWheel(); err != nil {
				r.Fault = err.Error()
			}
		})
	}
	return r
}

// exact is Stats with the counters as they are. Stats itself knows them as they were at the end of
// each loop's last turn: who came and left since is in none of its numbers, so that a wait for
// nobody to be there would be over before anybody is seen.
func (s *Server) exact() Stats {
	st := s.Stats()
	st.Counters = Counters{}
	for _, l := range *s.loops.Load() {
		now := l.snapshot() // of a loop that has ended
		s.onLoop(l, func() { now = Counters(*l.reactor.Counters()) })
		st.add(&now)
	}
	return st
}

// onLoop has f called on a loop's goroutine, unless that has ended.
func (s *Server) onLoop(l *loop, f func()) {
	done := make(chan struct{})
	if l.el.Execute(context.Background(), runnable(func() { defer close(done); f() })) != nil {
		return
	}
	select {
	case <-done:
	case <-s.done:
	}
}

// patience bounds every wait of these tests; none takes a tenth of it on an idle machine.
const patience = time.Minute

// startSiege starts a node whose deadlines are a fifth to a tenth of the defaults, unless told
// otherwise, so that a test sees them pass.
func startSiege(t *testing.T, o orders, how ...func(*exec.Cmd)) *child {
	t.Helper()
	def(&o.Heartbeat, 500*time.Millisecond)
	def(&o.Timeout, 8*time.Second) // no test client of a busy machine is that late
	def(&o.Tick, 20*time.Millisecond)
	if transportOf(t).Client != nil {
		def(&o.HelloTimeout, 3*time.Second) // there are answers to wait for before HELLO, on a busy machine
	}
	def(&o.HelloTimeout, time.Second)
	def(&o.PartialTimeout, 700*time.Millisecond)
	def(&o.WriteTimeout, 700*time.Millisecond)
	def(&o.AdmitRate, 100_000)
	c := startChild(t, o, how...)
	c.HelloTimeout, c.PartialTimeout, c.FrameRate = o.HelloTimeout, o.PartialTimeout, o.MaxFrameRate
	if len(o.Secret) > 0 {
		c.Token = func(id string, until time.Time) string {
			token, err := MintToken(o.Secret, id, until)
			if err != nil {
				panic(err) // the secret is a test's own
			}
			return token
		}
	}
	return c
}

// warm has every loop meet clients, and returns what the node looks like without any.
func (c *child) warm() report {
	c.t.Helper()
	r := siege.Rush(c.t.Context(), &c.Target, 32, 1)
	if len(r.In) != 32 {
		c.t.Fatalf("nobody is let in: %+v", r)
	}
	for _, p := range r.In {
		p.Close()
	}
	// What the node says is as of the last turn: perhaps before they came.
	c.until("the first clients have left", func(r report) bool { return r.Accepted >= 32 && r.Conns == 0 })
	return c.empty("gc")
}

// empty is what the node looks like before anybody has come.
func (c *child) empty(how string) (empty report) {
	c.t.Helper()
	empty = c.report(how)
	for range 5 { // the node's ticker opens a file now and then
		r := c.report(how)
		empty.Goroutines = min(empty.Goroutines, r.Goroutines)
		empty.Descriptors = min(empty.Descriptors, r.Descriptors)
	}
	return empty
}

func (c *child) until(what string, ok func(report) bool) (r report) {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if r = c.report("report"); ok(r) {
			return r
		}
		if time.Now().After(end) {
			c.t.Fatalf("not within %v: %s; the node says %+v", patience, what, r)
		}
	}
}

// wantNothingLeft waits until nothing of anybody is left in the node.
func (c *child) wantNothingLeft(empty report) {
	c.t.Helper()
	r := c.until("everything is given back: "+fmt.Sprintf("goroutines %d, descriptors %d", empty.Goroutines, empty.Descriptors),
		func(r report) bool { return r.clean(empty) })
	if fault := r.fault(); fault != "" || r.Panics != 0 {
		c.t.Errorf("%d panics; %s", r.Panics, fault)
	}
}

// wantClean is wantNothingLeft, and whoever comes then gets in.
func (c *child) wantClean(empty report) {
	c.t.Helper()
	c.wantNothingLeft(empty)
	p := c.Peer("after")
	defer p.Close()
	if err := p.Join(c.t.Context()); err != nil {
		c.t.Errorf("nobody gets in afterwards: %v", err)
	}
}

// gather has well-behaved clients come, who are judged when they leave.
func (c *child) gather() (leave func()) {
	c.t.Helper()
	crowd := siege.Gather(c.t.Context(), &c.Target)
	return func() {
		c.t.Helper()
		judge(c.t, crowd.Leave())
	}
}

func judge(t *testing.T, fared siege.Fared) {
	t.Helper()
	t.Logf("beside it: %v", fared)
	if err := fared.Fault(); err != nil {
		t.Error(err)
	}
}

// trial is a kind of enemy, and how it must end.
type trial struct {
	peers  int
	enemy  siege.Enemy
	reason Reason
}

// try has all peers of a trial play at once.
func (c *child) try(tr trial) {
	c.t.Helper()
	name, why := tr.enemy.Name, tr.reason.String()
	if transportOf(c.t).Name == "tls" {
		tr.peers = (tr.peers + 4) / 5 // under the race detector a handshake costs a hundred times more
	}
	before := c.report("report")
	var wg sync.WaitGroup
	var mu sync.Mutex
	wrong := make(map[string]int)
	for range tr.peers {
		wg.Go(func() {
			if err := tr.enemy.Play(c.t.Context(), &c.Target); err != nil {
				mu.Lock()
				wrong[err.Error()]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(wrong) > 0 {
		c.t.Errorf("%s: of %d: %v", name, tr.peers, wrong)
	}
	// A node that is overloaded, as on a busy machine, drops who is gone already, without a reason.
	closed := func(r report) (n, gone uint64) {
		if tr.reason == ReasonPeerClosed {
			gone = r.Gone - before.Gone
		}
		return r.Closes[why] - before.Closes[why], gone
	}
	r := c.until(fmt.Sprintf("%s: %d closed with %v", name, tr.peers, why), func(r report) bool {
		n, gone := closed(r)
		return n+gone >= uint64(tr.peers)
	})
	n, gone := closed(r)
	if n > uint64(tr.peers) {
		c.t.Errorf("%s: %d closed with %v, want %d", name, n, why, tr.peers)
	}
	for other, n := range r.Closes {
		if gone > 0 && other != why && other != ReasonBye.String() && n > before.Closes[other] {
			c.t.Errorf("%s: %d closed with %v", name, n-before.Closes[other], other)
		}
	}
}

// besiege tries each trial on one node, with a crowd beside it.
func besiege(t *testing.T, o orders, trials ...trial) {
	t.Helper()
	besiegeWith(t, o, func(c *child) {
		for _, tr := range trials {
			c.try(tr)
		}
	})
}

func besiegeWith(t *testing.T, o orders, attack func(c *child)) {
	t.Helper()
	c := startSiege(t, o)
	empty := c.warm()
	leave := c.gather()
	attack(c)
	leave()
	c.wantClean(empty)
}

var secret = []byte(strings.Repeat("s", MinSecret))
