package reactor

import (
	"cmp"
	"crypto/rand"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// node is a reactor with its simulated network and a clock that a test moves.
type node struct {
	t   testing.TB
	r   *Reactor
	net *network
	now time.Duration

	loops    *[]*node      // of one node, this one among them
	closings []Closing     // asked of this loop, done at the next turn
	looked   time.Duration // when stretch last looked
	late     time.Duration // of every turn
}

// firstLoop is the number of a node's first loop.
const firstLoop = 3

// What the gates go by.
const (
	handshakes   = 10
	leastPending = 256
)

// stretch has the load make terms longer, or shorter, until factor is reached.
func (n *node) stretch(factor int32) {
	for l := &n.r.node.Load; l.Stretch() != factor; n.looked += 250 * time.Millisecond {
		var late time.Duration
		if l.Stretch() < factor {
			late = 10 * time.Second
		}
		l.Observe(n.looked, gate.Sample{Late: late}, nil, nil)
	}
}

// rigConfig is what a test asks for; zero is what a node would have.
type rigConfig struct {
	Heartbeat, Timeout, Tick                                   time.Duration
	PartialTimeout, WriteTimeout, AuthTimeout                  time.Duration
	MaxFrame, MaxQueued, SoftQueued, MaxFrameRate, MaxByteRate int
	UnsettledBytes                                             int

	MaxConns, AddrConns                       int
	AdmitRate, FailoverRate, AddrRate, IDRate float64
	MaxQueuedTotal                            int64
	Alternates                                []string
	Duplicates                                gate.Duplicates
	MaxSameID                                 int
	Index                                     bool
	Handler                                   handler
}

func (c rigConfig) fill() rigConfig {
	c.Heartbeat = cmp.Or(c.Heartbeat, 30*time.Second)
	c.Timeout = cmp.Or(c.Timeout, c.Heartbeat*5/2)
	c.Tick = cmp.Or(c.Tick, 250*time.Millisecond)
	c.PartialTimeout = cmp.Or(c.PartialTimeout, 10*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	c.AuthTimeout = cmp.Or(c.AuthTimeout, 4*time.Second)
	c.MaxFrame = cmp.Or(c.MaxFrame, codec.MaxPayload)
	c.MaxQueued = cmp.Or(c.MaxQueued, max(256<<10, c.MaxFrame+codec.Overhead))
	c.SoftQueued = cmp.Or(c.SoftQueued, min(64<<10, c.MaxQueued))
	c.MaxFrameRate = cmp.Or(c.MaxFrameRate, 2000)
	c.MaxByteRate = cmp.Or(c.MaxByteRate, 4<<20)
	c.UnsettledBytes = cmp.Or(c.UnsettledBytes, max(256<<10, c.MaxFrame))
	c.MaxConns = cmp.Or(c.MaxConns, math.MaxInt32)
	c.AdmitRate = cmp.Or(c.AdmitRate, 2000)
	c.FailoverRate = cmp.Or(c.FailoverRate, c.AdmitRate)
	c.IDRate = cmp.Or(c.IDRate, -1) // tests call everybody alice
	return c
}

func (c rigConfig) settings() *Config {
	return &Config{Tick: c.Tick, Heartbeat: c.Heartbeat, Timeout: c.Timeout, HelloTimeout: 5 * time.Second,
		PartialTimeout: c.PartialTimeout, WriteTimeout: c.WriteTimeout, AuthTimeout: c.AuthTimeout, MaxWindow: time.Minute,
		MaxFrame: c.MaxFrame, MaxQueued: c.MaxQueued, SoftQueued: c.SoftQueued,
		MaxFrameRate: c.MaxFrameRate, MaxByteRate: c.MaxByteRate, UnsettledBytes: c.UnsettledBytes,
		Alternates: []byte(strings.Join(c.Alternates, ","))}
}

func (c rigConfig) gate() gate.Config {
	return gate.Config{Heartbeat: c.Heartbeat, Tick: c.Tick, AdmitRate: c.AdmitRate, FailoverRate: c.FailoverRate,
		AddrConns: c.AddrConns, AddrRate: c.AddrRate, IDRate: c.IDRate,
		Duplicates: c.Duplicates, MaxSameID: c.MaxSameID, Index: c.Index}
}

func newNode(t testing.TB, cfg rigConfig) *node { return newNodeAt(t, time.Hour, cfg) }

// newNodeAt is newNode with the uptime given.
func newNodeAt(t testing.TB, start time.Duration, cfg rigConfig) *node {
	t.Helper()
	cfg = cfg.fill()
	shared := gate.NewNode(cfg.gate(), rand.Reader)
	shared.Epoch, shared.Name, shared.Conns = 7, []byte("n1"), gate.NewConns(1000, 10, 1, 3, cfg.MaxConns)
	return newLoop(t, cfg, shared, new([]*node), start)
}

// beside returns another loop of the same node.
func (n *node) beside(cfg rigConfig) *node {
	return newLoop(n.t, cfg.fill(), n.r.node, n.loops, n.now)
}

// newLoop makes a loop of a node, beside those that there are.
func newLoop(t testing.TB, cfg rigConfig, shared *gate.Node, loops *[]*node, start time.Duration) *node {
	t.Helper()
	n := &node{t: t, now: start, net: &network{peers: make(map[Slot]*peer)}, loops: loops}
	*loops = append(*loops, n)
	r, err := New(cfg.settings(), Env{Node: shared, Loop: firstLoop + uint8(len(*loops)-1), Transport: n.net,
		App:     &stage{handler: cfg.Handler, n: n, origins: make(map[Slot]Origin), previous: make(map[uint64]uint64)},
		Forward: func(c Closing) { n.closings = append(n.closings, c) },
		Tell:    func(v Verdict) { (*loops)[v.Loop()-firstLoop].r.mailbox.Verdict(v) },
		Wall:    func() time.Time { return time.UnixMilli(1_700_000_000_000) }}, start)
	if err != nil {
		t.Fatal(err)
	}
	n.r, n.net.r = r, r
	t.Cleanup(func() { r.Release() })
	return n
}

// dial opens a connection that has said nothing yet.
func (n *node) dial() (Slot, *peer) {
	n.t.Helper()
	slot, ok := n.r.Open(n.now)
	if !ok {
		n.t.Fatal("open refused")
	}
	p := &peer{}
	n.net.peers[slot] = p
	return slot, p
}

// join opens a connection and brings it to WELCOME, whose bytes it swallows.
func (n *node) join() (Slot, *peer) {
	n.t.Helper()
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	if got := frameTypes(n.t, p.in); len(got) != 1 || got[0] != codec.Welcome {
		n.t.Fatalf("HELLO answered by %v, want [WELCOME]", got)
	}
	p.in, p.writes = nil, 0
	return slot, p
}

// send offers b whole and wants all of it consumed.
func (n *node) send(slot Slot, b []byte) {
	n.t.Helper()
	if consumed, _ := n.r.receive(n.now, slot, b); consumed != len(b) {
		n.t.Fatalf("receive consumed %d of %d bytes", consumed, len(b))
	}
}

func never() bool { return false }

func notOver(Part) bool { return false }

// turn is a turn whose time is over when stop says so.
func (n *node) turn(stop func() bool) (more bool) {
	return n.r.Turn(n.now, n.late, func(Part) bool { return stop() })
}

// asks is an asker that is told of nothing but that it was asked.
type asks func()

func (f asks) Ask(uint64, *codec.HelloMessage, netip.Addr) bool {
	f()
	return true
}

func (f asks) Renew(Renewal) bool { return false }

// run lets the time pass in ticks, as the ticker would.
func (n *node) run(d time.Duration) {
	for end := n.now + d; n.now < end; {
		n.now = min(n.now+n.r.cfg.Tick, end)
		n.runClosings()
		n.turn(never)
	}
}

func (n *node) runClosings() {
	all := n.closings
	n.closings = nil
	for _, c := range all {
		n.r.runClosing(c)
	}
}

func hello(id string) []byte {
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id)})
	if err != nil {
		panic(err)
	}
	return b
}

func frames(t testing.TB, b []byte) (all []codec.Frame) {
	t.Helper()
	for len(b) > 0 {
		f, n, err := codec.Decode(b, 1<<20)
		if err != nil {
			t.Fatalf("server wrote bytes that do not decode: %v", err)
		}
		all = append(all, f)
		b = b[n:]
	}
	return all
}

func frameTypes(t testing.TB, b []byte) (types []codec.Type) {
	t.Helper()
	for _, f := range frames(t, b) {
		types = append(types, f.Type)
	}
	return types
}

// goAwayCode returns the code of the one GOAWAY that the peer must have been sent last.
func goAwayCode(t *testing.T, p *peer) codec.Code {
	t.Helper()
	all := frames(t, p.in)
	count := 0
	for _, f := range all {
		if f.Type == codec.GoAway {
			count++
		}
	}
	if count != 1 || all[len(all)-1].Type != codec.GoAway {
		t.Fatalf("peer was sent %v, want one GOAWAY at the end", frameTypes(t, p.in))
	}
	m, err := codec.ParseGoAway(all[len(all)-1].Payload)
	if err != nil {
		t.Fatal(err)
	}
	return m.Code
}

func (n *node) wantClosed(why Reason, count uint64) {
	n.t.Helper()
	if got := n.r.counters.Closes[why]; got != count {
		n.t.Errorf("closes[%s] = %d, want %d (all: %v)", why, got, count, n.r.counters.Closes)
	}
}
