package reactor_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// The real client's half against the real server's half, in virtual time: two clients of one id, two
// nodes of two loops, and a network that is slow, cuts connections with or without what is on its way,
// and tells the other side late or never. Nodes drain, and die and come again; handlers settle at once,
// later, from elsewhere, twice, or panic, and pause.

// world is all of it.
type world struct {
	t       *testing.T
	random  *rand.Rand
	now     time.Duration
	calm    bool // no faults any more
	tuning  bool // limits change, and are low
	clients []*user
	nodes   []*modelNode
	lines   []*line

	repeats, again, verdicts, panics, elsewhere, forgets, pauses, tunes int
}

// user is a client and what its caller knows.
type user struct {
	w           *world
	l           link.Link
	out         link.Out
	incarnation uint64
	lines       map[uint32]*line // by attempt

	sent    map[uint64]bool
	settled map[uint64]string
	words   map[uint64]map[string]bool // what some handler has said
}

// modelNode is a node in one of its runs.
type modelNode struct {
	addr  string
	gate  *gate.Node
	cfg   reactor.Config
	loops []*modelLoop
	taken map[string]bool   // what handlers were given in this run, and have not failed at
	later []verdict         // what they will settle
	asked []reactor.Closing // by one loop of another, which is busy
}

// verdict is what a handler will say, or has said.
type verdict struct {
	of     *user
	number uint64
	mark   gate.Mark
}

// modelLoop is a loop's transport and application.
type modelLoop struct {
	w      *world
	n      *modelNode
	r      *reactor.Reactor
	lines  map[reactor.Slot]*line
	paused []uint64 // handles of sessions whose handler takes no more for now
}

const tick = 250 * time.Millisecond

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, random: rand.New(rand.NewPCG(seed, 2)), now: time.Hour, tuning: seed%4 == 3}
	addrs := []string{"10.0.0.1:7000", "10.0.0.2:7000"}
	for i := range addrs {
		n := &modelNode{addr: addrs[i]}
		w.nodes = append(w.nodes, n)
		w.begin(n)
	}
	for i := range uint64(2) {
		cfg := &link.Config{Endpoints: addrs, Incarnation: seed + i<<32, ID: func(uint64) string { return "alice" }}
		cfg.Fill()
		c := &user{w: w, lines: map[uint32]*line{}, sent: map[uint64]bool{}, settled: map[uint64]string{}, words: map[uint64]map[string]bool{}}
		c.l.Init(cfg, i, seed+i)
		c.incarnation = c.l.Info().Incarnation
		w.clients = append(w.clients, c)
		c.l.Start(w.now, &c.out)
		c.act()
	}
	return w
}

// begin has a node begin a run.
func (w *world) begin(n *modelNode) {
	other := w.nodes[0].addr
	if other == n.addr {
		other = "10.0.0.2:7000"
	}
	seed := [32]byte{byte(w.random.Uint32()), byte(w.random.Uint32())}
	n.gate = gate.NewNode(gate.Config{Heartbeat: 5 * time.Second, Tick: tick, AdmitRate: 1e6, FailoverRate: 1e6, IDRate: -1},
		rand.NewChaCha8(seed))
	n.gate.Name, n.gate.Conns = []byte(n.addr), gate.NewConns(10_000, 10, 2, 3, 5_000)
	n.taken, n.later, n.loops, n.asked = map[string]bool{}, nil, nil, nil
	n.cfg = reactor.Config{Tick: tick, Heartbeat: 5 * time.Second, Timeout: 12 * time.Second, HelloTimeout: 5 * time.Second,
		PartialTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, AuthTimeout: 4 * time.Second, MaxWindow: time.Minute,
		MaxFrame: codec.MaxPayload, MaxQueued: 256 << 10, SoftQueued: 64 << 10, MaxFrameRate: 2000, MaxByteRate: 4 << 20, UnsettledBytes: 256 << 10,
		Alternates: []byte(other)}
	cfg := n.cfg
	for i := range uint8(2) {
		l := &modelLoop{w: w, n: n, lines: map[reactor.Slot]*line{}}
		var err error
		l.r, err = reactor.New(&cfg, reactor.Env{Node: n.gate, Loop: i, Transport: l, App: l,
			Forward: func(c reactor.Closing) { n.asked = append(n.asked, c) },
			Tell: func(v reactor.Verdict) {
				w.elsewhere++
				n.loops[v.Loop()].r.Mailbox().Verdict(v)
			},
			Wall: func() time.Time { return time.UnixMilli(1_700_000_000_000).Add(w.now) }}, w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		n.loops = append(n.loops, l)
	}
}

// die ends a run: nothing of it is left, and its clients learn of it sometime.
func (w *world) die(n *modelNode) {
	for _, s := range w.lines {
		if s.loop != nil && s.loop.n == n && !s.over {
			s.over, s.up = true, nil
			s.down = append(s.down, packet{w.now + w.latency(), nil})
		}
	}
	for _, l := range n.loops {
		w.wantNobodyCutOff(l)
		_ = l.r.Release()
	}
	w.begin(n)
}

func (w *world) chance(n int) bool { return !w.calm && w.random.IntN(n) == 0 }

// tune changes what a node's clients may send.
func (w *world) tune(n *modelNode) {
	n.cfg.MaxFrameRate = 10 + w.random.IntN(100)
	n.cfg.MaxByteRate = 10<<10 + w.random.IntN(4<<20)
	n.cfg.UnsettledBytes = 64<<10 + w.random.IntN(256<<10)
	cfg := n.cfg
	for _, l := range n.loops {
		l.r.Tune(&cfg)
	}
	w.tunes++
}

// wantNobodyCutOff: who keeps to what it was told is not closed for it, however that changes.
func (w *world) wantNobodyCutOff(l *modelLoop) {
	if n := l.r.Counters().Closes[reactor.ReasonRateLimit]; n != 0 {
		w.t.Fatalf("%d sessions were cut off for what they sent", n)
	}
}

// step is one moment.
func (w *world) step() {
	before := w.now
	w.now += time.Duration(1 + w.random.Int64N(int64(20*time.Millisecond)))
	if w.chance(1000) {
		w.now += 6 * time.Minute // whoever is away is forgotten
	}
	w.shuffle()
	for _, s := range w.lines {
		switch {
		case s.loop == nil && !s.gone:
			w.connect(s)
		case s.loop != nil:
			w.carry(s)
			if !s.gone && w.chance(120) {
				s.of.hangUp(s, errCut)
			}
		}
	}
	for _, n := range w.nodes {
		for range 1 + len(n.later)/20 {
			if w.calm || w.random.IntN(3) == 0 {
				w.settleElsewhere(n)
			}
		}
		switch {
		case w.chance(400):
			w.die(n)
		case w.chance(400) && !w.nodes[0].gate.Drain.On() && !w.nodes[1].gate.Drain.On():
			n.gate.Drain.Begin()
			n.gate.Drain.SetPace(1000, 0, time.Second)
		case n.gate.Drain.On() && (w.calm || w.chance(100)):
			w.die(n)
		}
		if w.calm || w.chance(60) {
			for _, c := range n.asked {
				n.loops[c.Loop()].r.Mailbox().Forward(c)
			}
			n.asked = nil
		}
		if w.tuning && w.chance(60) {
			w.tune(n)
		}
		if before/tick != w.now/tick || w.chance(5) {
			n.gate.Tidy(w.now)
			w.forgotten(n)
			for _, l := range n.loops {
				l.resume()
				l.r.Turn(w.now, 0, func(reactor.Part) bool { return false })
			}
		}
	}
	for _, c := range w.clients {
		c.step()
	}
}

// forgotten takes note of whose messages a node has forgotten. Nobody can settle them any more, and
// they may be handled again.
func (w *world) forgotten(n *modelNode) {
	for _, c := range w.clients {
		if n.gate.Senders.Find("alice", c.incarnation) != nil {
			continue
		}
		for number := range c.sent {
			if key := w.key(c, number); n.taken[key] {
				w.forgets++
				delete(n.taken, key)
			}
		}
		n.later = slices.DeleteFunc(n.later, func(v verdict) bool { return v.of == c })
	}
}

// shuffle forgets connections of which nothing is left, and has the others served in any order.
func (w *world) shuffle() {
	live := w.lines[:0]
	for _, s := range w.lines {
		if !s.gone || s.loop != nil && !s.over {
			live = append(live, s)
		}
	}
	w.lines = live
	w.random.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
}

// finish lets all that is left be settled.
func (w *world) finish() {
	w.calm = true
	left := func() (n int) {
		for _, c := range w.clients {
			n += len(c.sent) - len(c.settled)
		}
		return n
	}
	for range 20_000 {
		if w.step(); left() == 0 {
			break
		}
	}
	if n := left(); n > 0 {
		w.t.Fatalf("%d messages are not settled", n)
	}
	for _, n := range w.nodes {
		for _, l := range n.loops {
			c := l.r.Counters()
			w.repeats += int(c.RepeatsDropped)
			w.again += int(c.RepeatsAnswered)
			w.wantNobodyCutOff(l)
			_ = l.r.Release()
		}
	}
}

// The promise: whatever the network and the nodes do, each message is settled once at its caller with a
// word that a handler has said, and no run of a node handles one twice.
func TestEveryMessageIsHandledOnceAndSettledOnce(t *testing.T) {
	seeds := 2000
	switch {
	case testing.Short():
		seeds = 100
	case underRace: // there it takes ten times as long
		seeds = 100
	}
	var total world
	outcomes := map[string]int{}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed)
			for range 300 {
				w.step()
			}
			w.finish()
			for _, c := range w.clients {
				for _, how := range c.settled {
					outcomes[how]++
				}
			}
			total.repeats, total.again, total.panics = total.repeats+w.repeats, total.again+w.again, total.panics+w.panics
			total.pauses, total.tunes = total.pauses+w.pauses, total.tunes+w.tunes
			total.verdicts, total.elsewhere, total.forgets = total.verdicts+w.verdicts, total.elsewhere+w.elsewhere, total.forgets+w.forgets
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("settled %v; %d verdicts, %d told by another loop, %d panics, %d pauses, %d tunes, %d forgotten; last runs: %d repeats dropped, %d answered again",
		outcomes, total.verdicts, total.elsewhere, total.panics, total.pauses, total.tunes, total.forgets, total.repeats, total.again)
	if total.repeats == 0 || total.again == 0 || total.panics == 0 || total.elsewhere == 0 || total.forgets == 0 || total.pauses == 0 || total.tunes == 0 || outcomes["acked"] == 0 || outcomes["replied"] == 0 || outcomes["nacked"] == 0 {
		t.Error("not all is tried")
	}
}
