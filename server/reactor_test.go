package server

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/timingwheel"
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
	peers map[timingwheel.ID]*peer

	aborts int
}

func (n *network) Write(slot timingwheel.ID, b []byte) int {
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
func (n *network) Queued(slot timingwheel.ID) int            { return n.peers[slot].queued }
func (n *network) Unsent(slot timingwheel.ID) int            { return n.peers[slot].unsent }
func (n *network) Held(slot timingwheel.ID) int              { return n.peers[slot].held }
func (n *network) RemoteAddr(slot timingwheel.ID) netip.Addr { return n.peers[slot].addr }
func (n *network) Unread(slot timingwheel.ID) int            { return n.peers[slot].unread }
func (n *network) Waited(slot timingwheel.ID) (time.Duration, bool) {
	p := n.peers[slot]
	if p == nil {
		return 0, true
	}
	return p.waited, !p.left
}
func (n *network) FinishWrite(slot timingwheel.ID) { n.peers[slot].finished = true }
func (n *network) Close(slot timingwheel.ID) {
	n.peers[slot].closed = true
	n.r.Closed(slot, ReasonShutdown)
}
func (n *network) Abort(slot timingwheel.ID) {
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
	handshakeBurst = 10
	minPending     = 256
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

func newNode(t testing.TB, cfg Config) *node { return newNodeAt(t, time.Hour, cfg) }

// newNodeAt is newNode with the uptime given.
func newNodeAt(t testing.TB, start time.Duration, cfg Config) *node {
	t.Helper()
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat, cfg.Timeout, cfg.Tick = 30*time.Second, 75*time.Second, 250*time.Millisecond
	}
	if cfg.IDRate == 0 {
		cfg.IDRate = -1 // tests call everybody alice
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		t.Fatal(err)
	}
	shared := gate.NewNode(cfg.gate(), rand.Reader)
	shared.Epoch, shared.Name, shared.Conns = 7, []byte("n1"), gate.NewConns(1000, 10, 1, loopDescriptors, cfg.MaxConns)
	net := &network{peers: make(map[timingwheel.ID]*peer)}
	n := &node{t: t, net: net, now: start}
	app := &application{handler: &cfg.Handler, epoch: shared.Epoch, log: cfg.Logger, refused: func(Reason) {},
		wall: func() time.Time { return time.Unix(0, 0).Add(n.now) }}
	r, err := newReactor(cfg.reactor(), surroundings{Node: shared, Loop: 3, Transport: net, App: app,
		Forward: func(c closing) { n.closings = append(n.closings, c) },
		Wall:    func() time.Time { return time.UnixMilli(1_700_000_000_000) }}, start)
	if err != nil {
		t.Fatal(err)
	}
	n.r, net.r, app.r = r, r, r
	t.Cleanup(func() { r.wheel.Close() })
	return n
}

// dial opens a connection that has said nothing yet.
func (n *node) dial() (timingwheel.ID, *peer) {
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
func (n *node) join() (timingwheel.ID, *peer) {
	n.t.Helper()
	slot, p := n.dial()
	n.send(slot, helloFrame("alice"))
	if got := frameTypes(n.t, p.in); len(got) != 1 || got[0] != codec.Welcome {
		n.t.Fatalf("HELLO answered by %v, want [WELCOME]", got)
	}
	p.in, p.writes = nil, 0
	return slot, p
}

// send offers b whole and wants all of it consumed.
func (n *node) send(slot timingwheel.ID, b []byte) {
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

func helloFrame(id string) []byte {
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
	n := newNode(t, Config{Alternates: []string{"b:1", "c:2"}})
	n.r.node.Alternates = []byte("b:1,c:2")
	slot, p := n.dial()
	n.send(slot, helloFrame("alice"))
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
	n := newNode(t, Config{})
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
		n := newNode(t, Config{Heartbeat: time.Second, Timeout: 3 * time.Second, Tick: 100 * time.Millisecond})
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
	n := newNode(t, Config{})
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
	n := newNode(t, Config{PartialTimeout: time.Hour})
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
	n := newNode(t, Config{Heartbeat: 2 * time.Second, Timeout: 5 * time.Second, Tick: 100 * time.Millisecond})
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
	n := newNode(t, Config{})
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
	n := newNode(t, Config{})
	slot, p := n.dial()
	hello := helloFrame("alice")
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
		{"second HELLO", helloFrame("bob"), ReasonUnexpected, codec.CodeProtocolError},
		{"server's frame", codec.AppendDeliver(nil, 1, nil), ReasonUnexpected, codec.CodeProtocolError},
		{"unknown type", codec.AppendFrame(nil, 99, 0, nil), ReasonUnexpected, codec.CodeProtocolError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(t, Config{})
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
	n := newNode(t, Config{})
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
			n := newNode(t, Config{})
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
	n := newNode(t, Config{})
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
	n := newNode(t, Config{Heartbeat: 5 * time.Second, Timeout: 15 * time.Second})
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
	n := newNode(t, Config{MaxQueued: 80 << 10})
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
	n := newNode(t, Config{})
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
	n := newNode(t, Config{})
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
	n := newNode(t, Config{Handler: Handler{
		Message: func(s *Session, id uint64, body []byte) {
			got = append(got, string(body))
			if id == 2 {
				s.Ack(id)
				s.Deliver(append([]byte("re: "), body...))
			}
		},
		Acked: func(s *Session, id uint64) { got = append(got, s.ClientID()) },
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

func TestPanicInAHandlerCostsItsSessionOnly(t *testing.T) {
	for _, in := range []string{"opened", "message", "acked", "closed"} {
		t.Run(in, func(t *testing.T) {
			armed := false
			trip := func(where string) {
				if armed && where == in {
					panic("boom")
				}
			}
			n := newNode(t, Config{
				Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
				Handler: Handler{
					Opened:  func(*Session) { trip("opened") },
					Message: func(*Session, uint64, []byte) { trip("message") },
					Acked:   func(*Session, uint64) { trip("acked") },
					Closed:  func(*Session, Reason) { trip("closed") },
				}})
			_, other := n.join()
			slot, p := n.dial()
			armed = true
			n.send(slot, helloFrame("bob"))
			if in != "opened" {
				b := codec.AppendAck(codec.AppendSend(nil, 1, nil), 1)
				if in == "closed" {
					b = codec.AppendBye(nil)
				}
				n.r.receive(n.now, slot, b)
			}
			armed = false
			if n.r.counters.Panics != 1 {
				t.Fatalf("panics = %d, want 1", n.r.counters.Panics)
			}
			if in == "closed" {
				n.wantClosed(ReasonBye, 1)
			} else {
				n.wantClosed(ReasonInternal, 1)
				if code := goAwayCode(t, &peer{in: lastFrame(t, p.in)}); code != codec.CodeInternal {
					t.Fatalf("GOAWAY %v, want internal", code)
				}
			}
			if other.closed || other.aborted || n.r.counters.Sessions != 1 {
				t.Fatal("another session was affected")
			}
			slot, q := n.join() // what a panic left behind must not hit the next one
			n.send(slot, codec.AppendPing(nil, 1, 0))
			if got := frameTypes(t, q.in); len(got) != 1 || got[0] != codec.Pong {
				t.Fatalf("the next session was answered by %v", got)
			}
		})
	}
}

// The first panic of a handler is logged whatever the uptime and whatever else has panicked,
// the following ones once a minute.
func TestHandlerPanicsAreLoggedOnceAMinute(t *testing.T) {
	var log lines
	n := newNodeAt(t, time.Second, Config{Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Handler: Handler{Message: func(*Session, uint64, []byte) { panic("boom") }}})
	n.r.counters.Panics = 1 // the authenticator's, which have a log line of their own
	at := func(after time.Duration, want int) {
		t.Helper()
		n.now = time.Second + after
		slot, _ := n.join()
		n.r.receive(n.now, slot, codec.AppendSend(nil, 1, nil))
		if got := strings.Count(log.String(), "handler panicked"); got != want {
			t.Errorf("%d lines after %v, want %d", got, after, want)
		}
	}
	at(0, 1)
	n.run(59 * time.Second)
	at(59*time.Second, 1)
	n.run(time.Second)
	at(time.Minute, 2)
	at(time.Minute, 2)
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), "reactor_test.go") {
		t.Errorf("the log does not say what and where:\n%s", log.String())
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
	n := newNode(t, Config{Handler: Handler{Closed: func(s *Session, why Reason) {
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
	n := newNode(t, Config{})
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
	n := newNode(t, Config{})
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
	n := newNode(t, Config{})
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

func TestConfigErrorsNameTheField(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Timeout":    {Heartbeat: 5 * time.Second, Timeout: 5 * time.Second},
		"Tick":       {Tick: time.Microsecond},
		"Timeout (":  {Tick: time.Millisecond, Timeout: 5 * time.Hour}, // to the wheel it would never pass
		"Loops":      {Loops: 257},
		"MaxConns":   {MaxConns: -1},
		"MaxFrame":   {MaxFrame: 100},
		"Node":       {Node: string(make([]byte, 65))},
		"Node:":      {Node: "a\nb"},
		"alternate":  {Alternates: []string{"nowhere"}},
		"Heartbeat":  {Heartbeat: -1},
		"AdmitRate":  {AdmitRate: -2},
		"MaxQueued":  {MaxQueued: 1},
		"Alternates": {Alternates: []string{string(make([]byte, 1024)) + ":1"}},
	} {
		if _, err := New(cfg); err == nil || !bytes.Contains([]byte(err.Error()), []byte(field)) {
			t.Errorf("%s: error %v does not name it", field, err)
		}
	}
}

// A flood of posts may use up every turn: deadlines, farewells and shedding get on all
// the same.
func TestATurnThatIsOverAtOnceStillGetsOn(t *testing.T) {
	n := newNode(t, Config{})
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
	n := newNode(t, Config{})
	slot, p := n.dial()
	p.unread = 30
	n.run(5*time.Second + n.r.cfg.Tick)
	if len(p.in) != 0 {
		t.Fatalf("sent away with %v although its bytes were waiting", frameTypes(t, p.in))
	}
	p.unread = 0
	n.send(slot, helloFrame("alice"))
	if got := frameTypes(t, p.in); len(got) != 1 || got[0] != codec.Welcome {
		t.Fatalf("answered by %v", got)
	}
}

// A turn among very many evictions ends with the close that its time ran out in.
func TestATurnEndsWithinOneCloseOfItsTime(t *testing.T) {
	n := newNode(t, Config{})
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
