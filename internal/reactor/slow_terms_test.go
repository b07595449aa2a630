package reactor_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Terms and limits tighten while large frames are under way on a slow line: what tells it, or what says that
// it is known, stands behind them. Nobody may be judged by what he could not know, and everybody by it later.

const (
	lineRate  = 3000 // bytes a second
	lineStep  = 50 * time.Millisecond
	largeBody = 60_000 // 20 s on the line
)

// slowLine is one client's half and one node's half at the two ends of such a line, in virtual time.
type slowLine struct {
	reactor.Transport // what no method below is for is not asked for
	reactor.App

	t      *testing.T
	now    time.Duration
	gate   *gate.Node
	cfg    reactor.Config
	r      *reactor.Reactor
	slot   reactor.Slot
	origin reactor.Origin
	l      link.Link
	out    link.Out

	kernel     int    // what the node's kernel takes of what is to be sent, bytes
	up, down   []byte // on the line
	took       int64  // what has come up
	held, came []byte // of frames whose ends are missing, at the node and at the client
	cut        bool   // nothing goes up any more

	opened  func(l *slowLine)
	message func(l *slowLine)
	taken   int // messages that have come up
	brought int // and down
	applied uint16
	closed  reactor.Reason

	resumeAt time.Duration // when the node's application reads on; 0: it does
}

// newSlowLine has a client in that was told terms which are eight times as long as usual.
func newSlowLine(t *testing.T, kernel int, opened, message func(*slowLine)) *slowLine {
	l := &slowLine{t: t, now: time.Hour, kernel: kernel, opened: opened, message: message}
	l.gate = gate.NewNode(gate.Config{Heartbeat: 2 * time.Second, Tick: tick, AdmitRate: 1000, FailoverRate: 1000, IDRate: -1},
		rand.NewChaCha8([32]byte{1}))
	l.gate.Conns = gate.NewConns(1000, 10, 2, 3, 500)
	l.cfg = reactor.Config{Tick: tick, Heartbeat: 2 * time.Second, Timeout: 5 * time.Second, HelloTimeout: 5 * time.Second,
		PartialTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, AuthTimeout: 4 * time.Second, MaxWindow: time.Minute,
		MaxFrame: codec.MaxPayload, MaxQueued: 256 << 10, SoftQueued: 64 << 10,
		MaxFrameRate: 2000, MaxByteRate: 4 << 20, UnsettledBytes: 256 << 10}
	for ; l.gate.Load.Stretch() < 8; l.now += tick {
		l.gate.Load.Observe(l.now, gate.Sample{Late: 10 * time.Second}, nil, nil)
	}
	var err error
	cfg := l.cfg
	l.r, err = reactor.New(&cfg, reactor.Env{Node: l.gate, Transport: l, App: l, Forward: func(reactor.Closing) {},
		Tell: func(reactor.Verdict) {}, Wall: func() time.Time { return time.Unix(1_700_000_000, 0) }}, l.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.r.Release() })
	c := &link.Config{Endpoints: []string{"10.0.0.1:7000"}}
	c.Fill()
	l.l.Init(c, 1, 1)
	l.turn()
	var ok bool
	if l.slot, ok = l.r.Open(l.now); !ok {
		t.Fatal("no slot")
	}
	l.r.Enter(l.slot, 100)
	l.l.Start(l.now, &l.out)
	l.act()
	l.l.Connected(l.now, l.l.Attempt(), nil, &l.out)
	l.act()
	l.until("it is in", func() bool { return l.l.State() == link.StateReady })
	if got := l.l.Info().Terms.Timeout; got != 40*time.Second {
		t.Fatalf("the timeout is %v, want eight times 5s", got)
	}
	return l
}

// tighten makes the terms the usual ones, and the limits the least.
func (l *slowLine) tighten() {
	l.t.Helper()
	for at := l.now; l.gate.Load.Stretch() > 1; at += tick {
		if at > l.now+time.Hour {
			l.t.Fatal("the load does not let terms shorten")
		}
		l.gate.Load.Observe(at, gate.Sample{}, nil, nil)
	}
	cfg := l.cfg
	cfg.MaxByteRate, cfg.MaxFrameRate, cfg.UnsettledBytes = 1, 10, codec.MaxPayload
	l.r.Tune(&cfg)
	l.turn()
}

func (l *slowLine) turn() { l.r.Turn(l.now, 0, func(reactor.Part) bool { return false }) }

// act carries out what the link wants.
func (l *slowLine) act() {
	for _, a := range l.out.Actions {
		switch {
		case a.Op == link.Write:
			l.up = append(l.up, a.Data...)
		case a.Op == link.Notify && a.Event.Kind == link.Delivered:
			l.brought++
		}
	}
	l.out.Reset()
}

// step is a moment: the line carries what it can, then both sides look at their clocks.
func (l *slowLine) step() {
	l.now += lineStep
	const most = int(lineRate * lineStep / time.Second)
	if n := min(most, len(l.up)); n > 0 && !l.cut && l.closed == 0 {
		l.held = append(l.held, l.up[:n]...)
		l.up, l.took = l.up[n:], l.took+int64(n)
		l.note()
		l.held = l.held[l.r.Receive(l.now, l.slot, l.held):]
	}
	if n := min(most, len(l.down)); n > 0 {
		l.came = append(l.came, l.down[:n]...)
		l.down = l.down[n:]
		used, _ := l.l.Received(l.now, l.l.Attempt(), l.came, &l.out)
		l.came = l.came[used:]
		l.act()
	}
	if l.resumeAt > 0 && l.now >= l.resumeAt {
		l.resumeAt = 0
		_ = l.r.ResumeRead(l.slot)
	}
	if l.now%tick == 0 {
		l.turn()
	}
	if l.now >= l.l.Deadline() && !l.cut {
		if l.l.Asks(l.now, l.l.Attempt()) {
			l.l.Flow(l.now, l.l.Attempt(), link.Flow{Untaken: len(l.up), Taken: l.took, Partial: len(l.came)})
		}
		l.l.Tick(l.now, &l.out)
		l.act()
	}
}

// note takes note of the terms that the PINGs say are applied.
func (l *slowLine) note() {
	for b := l.held; ; {
		f, size, err := codec.Decode(b, codec.MaxPayload)
		if err != nil {
			return
		}
		if b = b[size:]; f.Type == codec.Ping {
			_, l.applied, _ = codec.ParsePing(f.Payload)
		}
	}
}

// until lets the time pass until ok; nobody may be lost meanwhile.
func (l *slowLine) until(what string, ok func() bool) {
	l.t.Helper()
	for end := l.now + 10*time.Minute; !ok(); l.step() {
		if info := l.l.Info(); l.closed != 0 || info.Losses > 0 || l.now > end {
			l.t.Fatalf("%s: after %v the node says %v, the client %v after %d PINGs; %d came up, %d down", what, l.now-end+10*time.Minute, l.closed, info.LastError, info.Pings, l.taken, l.brought)
		}
	}
}

func (l *slowLine) Write(_ reactor.Slot, b []byte) (sent, queued int) {
	l.down = append(l.down, b...)
	return len(b), l.Queued(0)
}

func (l *slowLine) Queued(reactor.Slot) int                   { return max(0, len(l.down)-l.kernel) }
func (l *slowLine) Unsent(reactor.Slot) int                   { return min(len(l.down), l.kernel) }
func (l *slowLine) Held(reactor.Slot) int                     { return len(l.held) }
func (l *slowLine) Unread(reactor.Slot) int                   { return 0 }
func (l *slowLine) Waited(reactor.Slot) (time.Duration, bool) { return 0, true }
func (l *slowLine) RemoteAddr(reactor.Slot) (none netip.Addr) { return none }
func (l *slowLine) Farewell(reactor.Slot, codec.Code)         {}
func (l *slowLine) FinishWrite(reactor.Slot)                  {}
func (l *slowLine) Abort(slot reactor.Slot)                   { l.r.Closed(slot, reactor.ReasonShutdown) }

func (l *slowLine) Greeted(_ reactor.Slot, o reactor.Origin)  { l.origin = o }
func (l *slowLine) Origin(reactor.Slot) reactor.Origin        { return l.origin }
func (l *slowLine) Stamp(reactor.Slot, uint64) uint64         { return 0 }
func (l *slowLine) Opened(reactor.Slot)                       { l.opened(l) }
func (l *slowLine) Closed(_ reactor.Slot, why reactor.Reason) { l.closed = why }
func (l *slowLine) Gone(reactor.Slot)                         {}
func (l *slowLine) Message(_ reactor.Slot, n uint64, _ []byte, _ bool) {
	l.taken++
	l.message(l)
	_ = l.r.Ack(l.slot, codec.AckMessage{Range: codec.Range{First: n, Last: n}})
}

func TestNobodyIsJudgedByTermsThatStandBehindALargeFrame(t *testing.T) {
	nothing := func(*slowLine) {}
	deliver := func(l *slowLine) {
		for range 3 {
			if err := l.r.Deliver(l.slot, make([]byte, largeBody)); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name            string
		kernel          int
		opened, message func(*slowLine)
		sends           bool
		up, down        int // messages that come
	}{
		{"up", 1 << 20, nothing, nothing, true, 83, 0},
		{"up, to an application that is slow", 1 << 20, nothing, pauseOnce, true, 83, 0},
		{"down, in the kernel", 1 << 20, deliver, nothing, false, 0, 3},
		{"down, before a small kernel", 16 << 10, deliver, nothing, false, 0, 3},
		{"both ways", 1 << 20, deliver, nothing, true, 83, 3},
	} {
		for _, then := range []string{"is silent", "floods"} {
			t.Run(tt.name+", then "+then, func(t *testing.T) {
				l := newSlowLine(t, tt.kernel, tt.opened, tt.message)
				if tt.sends {
					l.sendMuch()
				}
				for end := l.now + 3*time.Second; l.now < end; {
					l.step()
				}
				l.tighten()
				former := l.applied
				l.until("all arrives", func() bool { return l.taken == tt.up && l.brought == tt.down })
				l.until("the client says that it knows", func() bool { return l.applied > max(former, 1) && len(l.up) == 0 })
				if got := l.l.Info().Terms; got.Timeout != 5*time.Second || got.Number != l.applied {
					t.Fatalf("the client knows %+v and says that it has applied %d", got, l.applied)
				}
				l.until("nothing is on its way", func() bool { return len(l.down) == 0 })
				if then == "floods" {
					l.wantFloodCut()
				} else {
					l.wantEvicted(5 * time.Second)
				}
			})
		}
	}
}

// sendMuch sends three large messages and eighty small ones, which the limits allow now.
func (l *slowLine) sendMuch() {
	l.t.Helper()
	for i := range 83 {
		size := 8
		if i < 3 {
			size = largeBody
		}
		if _, err := l.l.Send(l.now, make([]byte, size), &l.out); err != nil {
			l.t.Fatal(err)
		}
		l.act()
	}
}

// pauseOnce has an application take a first message and no other for half a minute.
func pauseOnce(l *slowLine) {
	if l.taken > 1 {
		return
	}
	if err := l.r.PauseRead(l.slot); err != nil {
		l.t.Fatal(err)
	}
	l.resumeAt = l.now + 30*time.Second
}

// wantFloodCut: what was allowed before is not any more.
func (l *slowLine) wantFloodCut() {
	l.t.Helper()
	var b []byte
	for range 50 {
		b = codec.AppendSend(b, 0, nil)
	}
	if l.r.Receive(l.now, l.slot, b); l.closed != reactor.ReasonRateLimit {
		l.t.Errorf("closed for %v, want rate_limit", l.closed)
	}
}

// wantEvicted has the client fall silent.
func (l *slowLine) wantEvicted(timeout time.Duration) {
	l.t.Helper()
	l.cut = true
	began := l.now
	for l.closed == 0 && l.now < began+time.Hour {
		l.step()
	}
	if after := l.now - began; l.closed != reactor.ReasonHeartbeatTimeout || after > timeout+3*tick {
		l.t.Errorf("closed for %v after %v, want heartbeat_timeout after %v", l.closed, after, timeout)
	}
}
