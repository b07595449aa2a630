package server

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// peer is the far end of one simulated connection.
type peer struct {
	in       []byte // what the reactor wrote
	held     int
	unread   int
	waited   time.Duration // since its last bytes came
	left     bool          // FIN came
	blocked  bool          // takes nothing
	reset    bool          // RST came, as the next write finds
	queued   int
	unsent   int  // in our kernel
	finished bool // FIN seen
	closed   bool
	aborted  bool
	writes   int
	addr     netip.Addr
}

// network is a transport in memory.
type network struct {
	r     *reactor
	peers map[Slot]*peer

	aborts int
}

func (n *network) Write(slot Slot, b []byte) int {
	p := n.peers[slot]
	if p.reset {
		n.r.Closed(slot, ReasonPeerReset)
		return 0
	}
	p.in = append(p.in, b...)
	p.writes++
	if p.blocked {
		p.queued += len(b)
	}
	return p.queued
}
func (n *network) Queued(slot Slot) int            { return n.peers[slot].queued }
func (n *network) Unsent(slot Slot) int            { return n.peers[slot].unsent }
func (n *network) Held(slot Slot) int              { return n.peers[slot].held }
func (n *network) RemoteAddr(slot Slot) netip.Addr { return n.peers[slot].addr }
func (n *network) Unread(slot Slot) int            { return n.peers[slot].unread }
func (n *network) Waited(slot Slot) (time.Duration, bool) {
	p := n.peers[slot]
	if p == nil {
		return 0, true
	}
	return p.waited, !p.left
}
func (n *network) FinishWrite(slot Slot) { n.peers[slot].finished = true }
func (n *network) Close(slot Slot) {
	n.peers[slot].closed = true
	n.r.Closed(slot, ReasonShutdown)
}
func (n *network) Abort(slot Slot) {
	n.aborts++
	n.peers[slot].aborted = true
	n.r.Closed(slot, ReasonShutdown)
}

// node is a reactor with its simulated network and a clock that a test moves.
type node struct {
	t   testing.TB
	r   *reactor
	net *network
	now time.Duration

	closings []closing     // asked of this loop, done at the next turn
	looked   time.Duration // when stretch last looked
	late     time.Duration // of every turn
}

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
		l.Observe(n.looked, gate.Sample{Late: late}, nil)
	}
}

// rigConfig is what a test asks for; zero is what a node would have.
type rigConfig struct {
	Heartbeat, Timeout, Tick                                   time.Duration
	PartialTimeout, WriteTimeout, AuthTimeout                  time.Duration
	MaxFrame, MaxQueued, SoftQueued, MaxFrameRate, MaxByteRate int

	MaxConns, AddrConns                       int
	AdmitRate, FailoverRate, AddrRate, IDRate float64
	MaxQueuedTotal                            int64
	Alternates                                []string
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
	c.MaxConns = cmp.Or(c.MaxConns, math.MaxInt32)
	c.AdmitRate = cmp.Or(c.AdmitRate, 2000)
	c.FailoverRate = cmp.Or(c.FailoverRate, c.AdmitRate)
	c.IDRate = cmp.Or(c.IDRate, -1) // tests call everybody alice
	return c
}

func (c rigConfig) settings() *settings {
	return &settings{Tick: c.Tick, Heartbeat: c.Heartbeat, Timeout: c.Timeout, HelloTimeout: 5 * time.Second,
		PartialTimeout: c.PartialTimeout, WriteTimeout: c.WriteTimeout, AuthTimeout: c.AuthTimeout, MaxWindow: time.Minute,
		MaxFrame: c.MaxFrame, MaxQueued: c.MaxQueued, SoftQueued: c.SoftQueued,
		MaxFrameRate: c.MaxFrameRate, MaxByteRate: c.MaxByteRate}
}

func (c rigConfig) gate() gate.Config {
	return gate.Config{Heartbeat: c.Heartbeat, Tick: c.Tick, AdmitRate: c.AdmitRate, FailoverRate: c.FailoverRate,
		AddrConns: c.AddrConns, AddrRate: c.AddrRate, IDRate: c.IDRate, Alternates: c.Alternates}
}

// handler is a test's application: a nil function is not called.
type handler struct {
	Opened  func(s *caller)
	Message func(s *caller, id uint64, body []byte)
	Acked   func(s *caller, id uint64)
	Closed  func(s *caller, why Reason)
}

// caller is the session of a callback, good for as long as that runs.
type caller struct {
	r    *reactor
	slot Slot
}

func (c *caller) ID() codec.SessionID                 { return c.r.SessionID(c.slot) }
func (c *caller) Attempt() uint32                     { return c.r.app.Origin(c.slot).Attempt }
func (c *caller) ClientID() string                    { return string(c.r.ClientID(c.slot)) }
func (c *caller) Ack(id uint64) error                 { return c.r.Ack(c.slot, id) }
func (c *caller) Deliver(body []byte) (uint64, error) { return c.r.Deliver(c.slot, body) }
func (c *caller) Close(code codec.Code)               { c.r.Kick(cmp.Or(code, codec.CodeKicked)) }

// stage is a node's application over its handler.
type stage struct {
	handler
	n       *node
	origins map[Slot]origin
	refused int
}

func (a *stage) Greeted(slot Slot, from origin) {
	if from != (origin{}) {
		a.origins[slot] = from
	}
}
func (a *stage) Origin(slot Slot) origin  { return a.origins[slot] }
func (a *stage) Gone(slot Slot)           { delete(a.origins, slot) }
func (a *stage) Refused(Reason)           { a.refused++ }
func (a *stage) caller(slot Slot) *caller { return &caller{a.n.r, slot} }

func (a *stage) Opened(slot Slot) {
	if a.handler.Opened != nil {
		a.handler.Opened(a.caller(slot))
	}
}

func (a *stage) Message(slot Slot, id uint64, body []byte) {
	if a.handler.Message != nil {
		a.handler.Message(a.caller(slot), id, body)
	}
}

func (a *stage) Acked(slot Slot, id uint64) {
	if a.handler.Acked != nil {
		a.handler.Acked(a.caller(slot), id)
	}
}

func (a *stage) Closed(slot Slot, why Reason) {
	if a.handler.Closed != nil {
		a.handler.Closed(a.caller(slot), why)
	}
}

func newNode(t testing.TB, cfg rigConfig) *node { return newNodeAt(t, time.Hour, cfg) }

// newNodeAt is newNode with the uptime given.
func newNodeAt(t testing.TB, start time.Duration, cfg rigConfig) *node {
	t.Helper()
	cfg = cfg.fill()
	shared := gate.NewNode(cfg.gate(), rand.Reader)
	shared.Epoch, shared.Name, shared.Conns = 7, []byte("n1"), gate.NewConns(1000, 10, 1, 3, cfg.MaxConns)
	n := &node{t: t, now: start, net: &network{peers: make(map[Slot]*peer)}}
	r, err := newReactor(cfg.settings(), surroundings{Node: shared, Loop: 3, Transport: n.net,
		App:     &stage{handler: cfg.Handler, n: n, origins: make(map[Slot]origin)},
		Forward: func(c closing) { n.closings = append(n.closings, c) },
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

func TestWelcomeStatesTheTerms(t *testing.T) {
	n := newNode(t, rigConfig{Alternates: []string{"b:1", "c:2"}})
	n.r.node.Alternates = []byte("b:1,c:2")
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	m, err := codec.ParseWelcome(frames(t, p.in)[0].Payload)
	if err != nil {
		t.Fatal(err)
	}
	if m.Terms.Interval != 30*time.Second || m.Terms.Timeout != 75*time.Second {
		t.Errorf("terms %+v, want 30s and 75s", m.Terms)
	}
	if m.Session != n.r.SessionID(slot) || m.Session.Handle>>56 != 3 || m.Session.Epoch != 7 {
		t.Errorf("session %v, want epoch 7 and a handle of loop 3", m.Session)
	}
	if string(m.Node) != "n1" || string(m.Alternates) != "b:1,c:2" || m.ServerTime.UnixMilli() != 1_700_000_000_000 {
		t.Errorf("node %q alternates %q time %v", m.Node, m.Alternates, m.ServerTime)
	}
}

func TestPingsOfOneReadAreAnsweredByTheLatestToken(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	b := codec.AppendPing(nil, 1, 0)
	b = codec.AppendPing(b, 2, 0)
	b = codec.AppendPing(b, 3, 0)
	n.send(slot, b)
	all := frames(t, p.in)
	if len(all) != 1 || p.writes != 1 {
		t.Fatalf("%d frames in %d writes, want one of each", len(all), p.writes)
	}
	m, err := codec.ParsePong(all[0].Payload)
	if err != nil || m.Token != 3 || m.Terms.Timeout != 75*time.Second {
		t.Fatalf("PONG %+v, %v; want token 3 with the terms", m, err)
	}
}

// The promise of eviction: never early, at most two ticks late, whatever the phase.
func TestSilentClientIsEvictedWithinTwoTicksAndNeverEarly(t *testing.T) {
	for phase := time.Duration(0); phase < 300*time.Millisecond; phase += 7 * time.Millisecond {
		n := newNode(t, rigConfig{Heartbeat: time.Second, Timeout: 3 * time.Second, Tick: 100 * time.Millisecond})
		n.now += phase
		slot, p := n.join()
		n.run(1370 * time.Millisecond)
		n.send(slot, codec.AppendPing(nil, 1, 0))
		last := n.now
		for !p.aborted && n.now < last+10*time.Second {
			n.now += time.Millisecond
			if n.now%(100*time.Millisecond) == 0 {
				n.turn(never)
			}
		}
		late := n.now - last - 3*time.Second
		if late < 0 || late > 200*time.Millisecond {
			t.Fatalf("phase %v: evicted %v after the deadline, want 0 to 200ms", phase, late)
		}
		if code := goAwayCode(t, &peer{in: p.in[40:]}); code != codec.CodeHeartbeatTimeout {
			t.Fatalf("GOAWAY %v, want heartbeat_timeout", code)
		}
		n.wantClosed(ReasonHeartbeatTimeout, 1)
	}
}

func TestHeartbeatsKeepAClientForHours(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	for range 500 {
		n.run(29 * time.Second)
		n.send(slot, codec.AppendPing(nil, 9, 0))
	}
	if p.aborted || n.r.counters.Sessions != 1 {
		t.Fatal("a client that speaks every 29s of 75s was dropped")
	}
}

// What we send is no sign of life, and neither are bytes that complete no frame.
func TestOnlyCompleteFramesCountAsLife(t *testing.T) {
	n := newNode(t, rigConfig{PartialTimeout: time.Hour})
	slot, p := n.join()
	ping := codec.AppendPing(nil, 1, 0)
	for i := range 74 {
		n.run(time.Second)
		n.r.receive(n.now, slot, ping[:1+i%8])
		n.r.Deliver(slot, []byte("are you there?"))
		n.r.flush(slot)
	}
	n.run(2 * time.Second)
	if !p.aborted {
		t.Fatal("half frames or our own writes kept a silent client alive")
	}
	n.wantClosed(ReasonHeartbeatTimeout, 1)
}

func TestStallOfTheServerEvictsNobody(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: 2 * time.Second, Timeout: 5 * time.Second, Tick: 100 * time.Millisecond})
	slot, p := n.join()
	n.run(4 * time.Second)
	n.now += 20 * time.Second // SIGSTOP
	n.turn(never)
	n.turn(never)
	if p.aborted {
		t.Fatal("evicted by the first turn after a stall of 4 timeouts")
	}
	n.send(slot, codec.AppendPing(nil, 1, 0)) // it had been waiting in the kernel
	n.run(4 * time.Second)
	if p.aborted {
		t.Fatal("evicted although a frame came right after the stall")
	}
	if held := n.r.clock.held; held < 19*time.Second || held > 20*time.Second {
		t.Errorf("held %v, want the stall less one bound", held)
	}
	n.run(1300 * time.Millisecond)
	if !p.aborted {
		t.Fatal("silence after the stall was not noticed")
	}
}

func TestUnreadBytesPostponeEvictionTwice(t *testing.T) {
	n := newNode(t, rigConfig{})
	_, p := n.join()
	p.unread = 20
	n.run(75*time.Second + 500*time.Millisecond)
	if p.aborted || n.r.counters.Averted == 0 {
		t.Fatalf("aborted %v after %d postponements, want it to wait", p.aborted, n.r.counters.Averted)
	}
	n.run(time.Second)
	if !p.aborted || n.r.counters.Averted != 2 {
		t.Fatalf("aborted %v after %d postponements, want eviction after 2", p.aborted, n.r.counters.Averted)
	}
}

func TestSilenceBeforeHelloEndsAtTheDeadline(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.dial()
	hello := hello("alice")
	for i := range 4 { // bytes before the deadline extend nothing
		n.run(time.Second)
		n.r.receive(n.now, slot, hello[:i+1])
	}
	n.run(1600 * time.Millisecond)
	if code := goAwayCode(t, p); code != codec.CodeHelloTimeout || !p.finished {
		t.Fatalf("code %v finished %v, want a farewell with hello_timeout", code, p.finished)
	}
	n.wantClosed(ReasonHelloTimeout, 1)
	n.run(3 * time.Second)
	if !p.aborted {
		t.Fatal("a peer that never closes lingers for ever")
	}
}

func TestMalformedInputCostsOneConnectionAndSaysWhy(t *testing.T) {
	ping := codec.AppendPing(nil, 1, 0)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(ping)
		b[at] = to
		return b
	}
	tests := []struct {
		name  string
		input []byte
		why   Reason
		code  codec.Code
	}{
		{"garbage", []byte("GET / HTTP/1.1\r\n\r\n"), ReasonBadMagic, codec.CodeProtocolError},
		{"one wrong byte", []byte{0x54}, ReasonBadMagic, codec.CodeProtocolError},
		{"framing version", change(1, 0x20), ReasonBadFraming, codec.CodeProtocolError},
		{"flags", change(3, 0x80), ReasonBadFlags, codec.CodeProtocolError},
		{"length", change(4, 0xff), ReasonFrameTooLarge, codec.CodeFrameTooLarge},
		{"checksum", change(9, 0x77), ReasonBadChecksum, codec.CodeBadChecksum},
		{"short PING", codec.AppendFrame(nil, codec.Ping, 0, []byte{1}), ReasonBadPayload, codec.CodeProtocolError},
		{"short SEND", codec.AppendFrame(nil, codec.Send, 0, []byte{1}), ReasonBadPayload, codec.CodeProtocolError},
		{"short ACK", codec.AppendFrame(nil, codec.Ack, 0, nil), ReasonBadPayload, codec.CodeProtocolError},
		{"second HELLO", hello("bob"), ReasonUnexpected, codec.CodeProtocolError},
		{"server's frame", codec.AppendDeliver(nil, 1, nil), ReasonUnexpected, codec.CodeProtocolError},
		{"unknown type", codec.AppendFrame(nil, 99, 0, nil), ReasonUnexpected, codec.CodeProtocolError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(t, rigConfig{})
			_, other := n.join()
			slot, p := n.join()
			n.send(slot, tt.input)
			if code := goAwayCode(t, p); code != tt.code {
				t.Errorf("GOAWAY %v, want %v", code, tt.code)
			}
			last := frames(t, p.in)
			if m, _ := codec.ParseGoAway(last[len(last)-1].Payload); string(m.Reason) != tt.why.String() {
				t.Errorf("GOAWAY gives the reason %q, want %q", m.Reason, tt.why)
			}
			if !p.finished || p.closed || p.aborted {
				t.Errorf("finished %v closed %v aborted %v, want the write side finished only", p.finished, p.closed, p.aborted)
			}
			n.wantClosed(tt.why, 1)
			if n.r.counters.Sessions != 1 || other.closed || other.aborted || len(other.in) != 0 {
				t.Error("another client was affected")
			}
		})
	}
}

func TestUnknownIgnorableFrameIsSkipped(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	n.send(slot, codec.AppendFrame(nil, 99, codec.FlagIgnorable, []byte("from the future")))
	if len(p.in) != 0 || n.r.counters.Sessions != 1 {
		t.Fatalf("answered by %v", frameTypes(t, p.in))
	}
}

func TestBeforeHelloOnlyHelloWithinItsLimitIsAccepted(t *testing.T) {
	for _, tt := range []struct {
		name  string
		input []byte
		why   Reason
	}{
		{"PING first", codec.AppendPing(nil, 1, 0), ReasonUnexpected},
		{"9 KiB", codec.AppendFrame(nil, codec.Hello, 0, make([]byte, 9<<10)), ReasonFrameTooLarge},
		{"no id", codec.AppendFrame(nil, codec.Hello, 0, []byte{1, 1, 0, 0, 0, 0, 0, 0}), ReasonBadPayload},
		{"nothing", codec.AppendFrame(nil, codec.Hello, 0, nil), ReasonBadPayload},
		{"crossed versions", codec.AppendFrame(nil, codec.Hello, 0, []byte{2, 1, 0, 0, 0, 0, 0, 0}), ReasonBadPayload},
		{"version 2 and a tail of its own", codec.AppendFrame(nil, codec.Hello, 0, []byte{2, 2, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 7}), ReasonVersion},
		{"version 2 and nothing else", codec.AppendFrame(nil, codec.Hello, 0, []byte{2, 2}), ReasonVersion},
		{"version 0", codec.AppendFrame(nil, codec.Hello, 0, make([]byte, 8)), ReasonVersion},
		{"version 1 of two and a garbled tail", codec.AppendFrame(nil, codec.Hello, 0, []byte{1, 2, 0, 0, 0, 0, 0, 0, 1, 0xff}), ReasonBadPayload},
		{"version 2 only", func() []byte {
			b, _ := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 2, MaxVersion: 9, ClientID: []byte("x")})
			return b
		}(), ReasonVersion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(t, rigConfig{})
			slot, p := n.dial()
			n.send(slot, tt.input)
			if code := goAwayCode(t, p); code != tt.why.Code() {
				t.Errorf("GOAWAY %v, want %v", code, tt.why.Code())
			}
			n.wantClosed(tt.why, 1)
		})
	}
}

func TestHalfFrameThenSilenceEndsInTime(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	if consumed, need := n.r.receive(n.now, slot, codec.AppendPing(nil, 1, 0)[:12]); consumed != 0 || need != 24 {
		t.Fatalf("consumed %d need %d, want 0 and 24", consumed, need)
	}
	p.held = 12
	n.run(9900 * time.Millisecond)
	if len(p.in) != 0 {
		t.Fatal("ended before its deadline")
	}
	n.run(600 * time.Millisecond)
	if code := goAwayCode(t, p); code != codec.CodePartialTimeout {
		t.Fatalf("GOAWAY %v, want partial_timeout", code)
	}
	n.wantClosed(ReasonPartialTimeout, 1)
}

// A large frame over a slow path outlives both the partial deadline and the heartbeat
// timeout while it progresses, and dies soon after it stops.
func TestSlowLargeFrameSurvivesWhileItProgresses(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: 5 * time.Second, Timeout: 15 * time.Second})
	slot, p := n.join()
	big := codec.AppendSend(nil, 1, make([]byte, 60<<10))
	n.r.receive(n.now, slot, big[:100])
	for p.held = 100; p.held < 40<<10; p.held += 1 << 10 {
		n.run(2 * time.Second)
		if p.aborted || p.finished {
			t.Fatalf("ended with %d bytes arrived, though 5 KiB came every 10s", p.held)
		}
	}
	n.run(25 * time.Second)
	if !p.finished && !p.aborted {
		t.Fatal("a frame that no longer progresses is kept")
	}
}

func TestSlowReaderIsCutAtTheBound(t *testing.T) {
	n := newNode(t, rigConfig{MaxQueued: 80 << 10})
	slot, p := n.join()
	p.blocked = true
	for range 100 {
		n.r.Deliver(slot, make([]byte, 4<<10))
		n.r.flush(slot)
	}
	if p.queued > 81<<10 {
		t.Fatalf("%d bytes queued, want it cut at 81920", p.queued)
	}
	n.wantClosed(ReasonSlowConsumer, 1)
	if code := goAwayCode(t, p); code != codec.CodeSlowConsumer {
		t.Fatalf("GOAWAY %v, want slow consumer behind what is queued", code)
	}
	n.run(9 * time.Second)
	if p.aborted {
		t.Fatal("cut before it had the time to read")
	}
	n.run(2 * time.Second)
	if !p.aborted || n.r.counters.Queued != 0 {
		t.Fatalf("aborted %v, %d bytes queued, though it read nothing for 10s", p.aborted, n.r.counters.Queued)
	}
}

func TestPeerThatPingsButNeverReadsIsCut(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked = true
	for i := range 12 {
		n.run(time.Second)
		if p.aborted {
			break
		}
		n.send(slot, codec.AppendPing(nil, uint64(i+1), 0))
	}
	if !p.aborted {
		t.Fatal("a peer that takes no byte for 10s is kept because it pings")
	}
	n.wantClosed(ReasonWriteStall, 1)
}

func TestOnePongWaitsForABacklogAndIsTheLatest(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked = true
	for i := range 5 {
		n.send(slot, codec.AppendPing(nil, uint64(i+1), 0))
	}
	if got := len(frames(t, p.in)); got != 1 {
		t.Fatalf("%d PONGs for a peer that does not read, want 1", got)
	}
	p.blocked, p.queued = false, 0
	n.run(time.Second)
	all := frames(t, p.in)
	m, _ := codec.ParsePong(all[len(all)-1].Payload)
	if len(all) != 2 || m.Token != 5 {
		t.Fatalf("%d PONGs, the last with token %d; want 2 and 5", len(all), m.Token)
	}
}

func TestMessagesAreAckedOnlyByTheHandler(t *testing.T) {
	var got []string
	n := newNode(t, rigConfig{Handler: handler{
		Message: func(s *caller, id uint64, body []byte) {
			got = append(got, string(body))
			if id == 2 {
				s.Ack(id)
				s.Deliver(append([]byte("re: "), body...))
			}
		},
		Acked: func(s *caller, id uint64) { got = append(got, s.ClientID()) },
	}})
	slot, p := n.join()
	n.send(slot, codec.AppendSend(codec.AppendSend(nil, 1, []byte("a")), 2, []byte("b")))
	all := frames(t, p.in)
	if len(all) != 2 || all[0].Type != codec.Ack || all[1].Type != codec.Deliver || p.writes != 1 {
		t.Fatalf("%v in %d writes, want ACK and DELIVER in one", frameTypes(t, p.in), p.writes)
	}
	id, body, _ := codec.ParseMessage(all[1].Payload)
	n.send(slot, codec.AppendAck(nil, id))
	if want := []string{"a", "b", "alice"}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Fatalf("handler saw %q, want %q", got, want)
	}
	if string(body) != "re: b" {
		t.Fatalf("delivered %q", body)
	}
}

func lastFrame(t *testing.T, b []byte) []byte {
	for {
		_, n, err := codec.Decode(b, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if n == len(b) {
			return b
		}
		b = b[n:]
	}
}

func TestClosedIsCalledOnceForEveryOpened(t *testing.T) {
	type end struct {
		id  string
		why Reason
	}
	var ends []end
	n := newNode(t, rigConfig{Handler: handler{Closed: func(s *caller, why Reason) {
		ends = append(ends, end{s.ClientID(), why})
		if _, err := s.Deliver(nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Deliver in Closed: %v, want ErrClosed", err)
		}
		s.Close(codec.CodeKicked)
	}}})
	slot, _ := n.join()
	n.send(slot, []byte("garbage"))
	n.r.Closed(slot, ReasonPeerClosed)
	slot, _ = n.join()
	n.r.Closed(slot, ReasonPeerReset)
	slot, _ = n.dial() // never opened
	n.r.Closed(slot, ReasonPeerClosed)
	slot, p := n.join()
	n.send(slot, codec.AppendBye(nil))
	if !p.closed {
		t.Error("BYE did not close the connection")
	}
	want := []end{{"alice", ReasonBadMagic}, {"alice", ReasonPeerReset}, {"alice", ReasonBye}}
	if len(ends) != len(want) {
		t.Fatalf("Closed was called with %v, want %v", ends, want)
	}
	for i := range want {
		if ends[i] != want[i] {
			t.Errorf("end %d: %v, want %v", i, ends[i], want[i])
		}
	}
	if n.r.counters.Conns != 0 || n.r.counters.Sessions != 0 || n.r.wheel.Len() != 0 || n.r.node.Conns.Lingering() != 0 {
		t.Errorf("conns %d sessions %d wheel %d lingering %d after all have left, want 0",
			n.r.counters.Conns, n.r.counters.Sessions, n.r.wheel.Len(), n.r.node.Conns.Lingering())
	}
}

func TestAStaleHandleNeverReachesTheSlotsNextSession(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, _ := n.join()
	old := n.r.handle(slot)
	n.r.Closed(slot, ReasonPeerClosed)
	for range 3 { // free slots are reused first in, first out
		again, p := n.join()
		if err := n.r.mailbox.Ack(old, 1); err != nil {
			t.Fatal(err)
		}
		n.r.mailbox.Close(old, codec.CodeKicked)
		n.r.runPosts(never)
		if len(p.in) != 0 || n.r.handle(again) == old {
			t.Fatalf("slot %d: a stale handle reached the next session", again)
		}
		n.r.Closed(again, ReasonPeerClosed)
	}
	if n.r.counters.Stale != 6 {
		t.Errorf("stale = %d, want 6", n.r.counters.Stale)
	}
}

func TestLingeringIsBoundedInNumberAndBytes(t *testing.T) {
	n := newNode(t, rigConfig{})
	limit := int(n.r.node.Conns.MaxLingering)
	for i := range limit + 5 {
		slot, p := n.dial()
		n.r.refuse(slot, ReasonFull, linger)
		if code := goAwayCode(t, p); code != codec.CodeFull {
			t.Fatalf("GOAWAY %v, want full", code)
		}
		if (i >= limit) != p.closed || p.aborted {
			t.Fatalf("farewell %d of %d: closed %v aborted %v", i+1, limit, p.closed, p.aborted)
		}
	}
	n.r.receive(n.now, 0, make([]byte, 60<<10))
	if n.net.peers[0].aborted {
		t.Fatal("cut before 64 KiB were discarded")
	}
	n.r.receive(n.now, 0, make([]byte, 5<<10))
	if !n.net.peers[0].aborted {
		t.Fatal("a lingering peer may talk without bound")
	}
}

func TestHeartbeatPathAllocatesNothing(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	ping := codec.AppendPing(nil, 1, 0)
	allocs := testing.AllocsPerRun(1000, func() {
		p.in = p.in[:0]
		n.now += 50 * time.Millisecond
		n.r.receive(n.now, slot, ping)
		n.r.Turn(n.now, 0, notOver)
	})
	if allocs != 0 {
		t.Fatalf("a heartbeat allocates %v times, want 0", allocs)
	}
}

// A flood of posts may use up every turn: deadlines, farewells and shedding get on all
// the same.
func TestATurnThatIsOverAtOnceStillGetsOn(t *testing.T) {
	n := newNode(t, rigConfig{})
	var peers []*peer
	for range 200 {
		_, p := n.join()
		peers = append(peers, p)
	}
	always := func() bool { return true }
	n.r.node.Stopping.Store(true)
	for range 20 {
		n.turn(always)
	}
	for i, p := range peers {
		if len(p.in) == 0 {
			t.Fatalf("client %d of 200 was not told in 20 turns", i)
		}
	}
}

func TestHelloThatWaitsInTheKernelIsReadBeforeTheDeadlineCounts(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.dial()
	p.unread = 30
	n.run(5*time.Second + n.r.cfg.Tick)
	if len(p.in) != 0 {
		t.Fatalf("sent away with %v although its bytes were waiting", frameTypes(t, p.in))
	}
	p.unread = 0
	n.send(slot, hello("alice"))
	if got := frameTypes(t, p.in); len(got) != 1 || got[0] != codec.Welcome {
		t.Fatalf("answered by %v", got)
	}
}

// A turn among very many evictions ends with the close that its time ran out in.
func TestATurnEndsWithinOneCloseOfItsTime(t *testing.T) {
	n := newNode(t, rigConfig{})
	for range 500 {
		n.join()
	}
	n.run(75 * time.Second)
	turns := 0
	for n.now += 3 * n.r.cfg.Tick; n.net.aborts < 500 && turns < 1000; turns++ {
		n.r.observe(n.now)
		before := n.net.aborts
		n.turn(func() bool { return n.net.aborts-before >= 10 }) // the time of ten closes
		if did := n.net.aborts - before; did > 11 {
			t.Fatalf("%d closes in a turn that has time for 10", did)
		}
	}
	if n.net.aborts != 500 || turns < 45 {
		t.Fatalf("%d of 500 evicted in %d turns", n.net.aborts, turns)
	}
}
