package server

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// paper is a loop without sockets: a reactor and the application over clients that take
// everything at once.
type paper struct {
	t   testing.TB
	app *application
	r   *reactor.Reactor
	now time.Duration
	all map[reactor.Slot]*paperClient
}

type paperClient struct {
	in    []byte // what it was sent
	ended bool
}

func (p *paper) Write(slot reactor.Slot, b []byte) (sent, queued int) {
	p.all[slot].in = append(p.all[slot].in, b...)
	return len(b), 0
}

func (p *paper) Farewell(reactor.Slot, codec.Code) {}

func (p *paper) Queued(reactor.Slot) int { return 0 }

func (p *paper) Unsent(reactor.Slot) int { return 0 }

func (p *paper) Held(reactor.Slot) int { return 0 }

func (p *paper) Unread(reactor.Slot) int { return 0 }

func (p *paper) Waited(reactor.Slot) (time.Duration, bool) { return 0, true }

func (p *paper) RemoteAddr(reactor.Slot) netip.Addr { return netip.Addr{} }

func (p *paper) FinishWrite(slot reactor.Slot) { p.all[slot].ended = true }

func (p *paper) Close(slot reactor.Slot) { p.Abort(slot) }

func (p *paper) Abort(slot reactor.Slot) {
	p.all[slot].ended = true
	p.r.Closed(slot, reactor.ReasonShutdown)
}

func newPaper(t testing.TB, cfg Config) *paper {
	t.Helper()
	cfg.IDRate = -1
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.node.Conns = gate.NewConns(1000, 10, 1, loopDescriptors, s.cfg.MaxConns)
	p := &paper{t: t, now: time.Second, all: make(map[reactor.Slot]*paperClient)}
	p.app = &application{handler: &s.cfg.Handler, epoch: 7, log: s.cfg.Logger, wall: func() time.Time { return time.Unix(0, 0).Add(p.now) }}
	p.r, err = reactor.New(s.gated.reactor, reactor.Env{Node: s.node, Transport: p, App: p.app, Wall: time.Now}, p.now)
	if err != nil {
		t.Fatal(err)
	}
	p.app.r = p.r
	t.Cleanup(func() { p.r.Release() })
	return p
}

// dial opens a connection that has said nothing yet.
func (p *paper) dial() (reactor.Slot, *paperClient) {
	p.t.Helper()
	slot, ok := p.r.Open(p.now)
	if !ok {
		p.t.Fatal("no slot")
	}
	c := &paperClient{}
	p.all[slot] = c
	p.r.Enter(slot, 0)
	return slot, c
}

func (p *paper) send(slot reactor.Slot, b []byte) { p.r.Receive(p.now, slot, b) }

func (p *paper) wantClosed(why Reason, count uint64) {
	p.t.Helper()
	if got := p.r.Counters().Closes[why]; got != count {
		p.t.Errorf("closes[%s] = %d, want %d", why, got, count)
	}
}

// join brings a client to WELCOME, whose bytes it swallows.
func (p *paper) join(id string) (reactor.Slot, *paperClient) {
	p.t.Helper()
	slot, c := p.dial()
	p.send(slot, helloFrame(id))
	f, size, err := codec.Decode(c.in, codec.MaxPayload)
	if err != nil || f.Type != codec.Welcome {
		p.t.Fatalf("answered by %v, %v", f.Type, err)
	}
	c.in = c.in[size:]
	return slot, c
}

// goAway is the last frame that a client was sent.
func (c *paperClient) goAway(t testing.TB) (m codec.GoAwayMessage) {
	t.Helper()
	for b := c.in; len(b) > 0; {
		f, size, err := codec.Decode(b, codec.MaxPayload)
		if err != nil {
			t.Fatal(err)
		}
		if b = b[size:]; len(b) == 0 {
			if m, err = codec.ParseGoAway(f.Payload); f.Type != codec.GoAway || err != nil {
				t.Fatalf("the last frame is %v, %v", f.Type, err)
			}
		}
	}
	return m
}

// types are those of the frames that a client was sent.
func (c *paperClient) types(t testing.TB) (all []codec.Type) {
	t.Helper()
	for b := c.in; len(b) > 0; {
		f, size, err := codec.Decode(b, codec.MaxPayload)
		if err != nil {
			t.Fatal(err)
		}
		all, b = append(all, f.Type), b[size:]
	}
	return all
}
