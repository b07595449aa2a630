package server

import (
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
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
	p.r, err = reactor.New(s.settings, reactor.Env{Node: s.node, Transport: p, App: p.app, Wall: time.Now}, p.now)
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

func TestPanicInAHandlerCostsItsSessionOnly(t *testing.T) {
	for _, in := range []string{"opened", "message", "acked", "closed"} {
		t.Run(in, func(t *testing.T) {
			armed := false
			trip := func(where string) {
				if armed && where == in {
					panic("boom")
				}
			}
			n := newPaper(t, Config{
				Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
				Handler: Handler{
					Opened:  func(*Session) { trip("opened") },
					Message: func(*Session, uint64, []byte) { trip("message") },
					Acked:   func(*Session, uint64) { trip("acked") },
					Closed:  func(*Session, Reason) { trip("closed") },
				}})
			_, other := n.join("alice")
			slot, p := n.dial()
			armed = true
			n.send(slot, helloFrame("bob"))
			if in != "opened" {
				b := codec.AppendAck(codec.AppendSend(nil, 1, nil), 1)
				if in == "closed" {
					b = codec.AppendBye(nil)
				}
				n.r.Receive(n.now, slot, b)
			}
			armed = false
			if n.r.Counters().Panics != 1 {
				t.Fatalf("panics = %d, want 1", n.r.Counters().Panics)
			}
			if in == "closed" {
				n.wantClosed(ReasonBye, 1)
			} else {
				n.wantClosed(ReasonInternal, 1)
				if code := p.goAway(t).Code; code != codec.CodeInternal {
					t.Fatalf("GOAWAY %v, want internal", code)
				}
			}
			if other.ended || n.r.Counters().Sessions != 1 {
				t.Fatal("another session was affected")
			}
			slot, q := n.join("alice") // what a panic left behind must not hit the next one
			n.send(slot, codec.AppendPing(nil, 1, 0))
			if got := q.types(t); len(got) != 1 || got[0] != codec.Pong {
				t.Fatalf("the next session was answered by %v", got)
			}
		})
	}
}

// The first panic of a handler is logged whatever the uptime and whatever else has panicked,
// the following ones once a minute.
func TestHandlerPanicsAreLoggedOnceAMinute(t *testing.T) {
	var log lines
	n := newPaper(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Handler: Handler{Message: func(*Session, uint64, []byte) { panic("boom") }}})
	n.r.Counters().Panics = 1 // the authenticator's, which have a log line of their own
	at := func(after time.Duration, want int) {
		t.Helper()
		n.now = time.Second + after
		slot, _ := n.join("alice")
		n.r.Receive(n.now, slot, codec.AppendSend(nil, 1, nil))
		if got := strings.Count(log.String(), "handler panicked"); got != want {
			t.Errorf("%d lines after %v, want %d", got, after, want)
		}
	}
	at(0, 1)
	n.now += 59 * time.Second
	at(59*time.Second, 1)
	n.now += time.Second
	at(time.Minute, 2)
	at(time.Minute, 2)
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), "app_test.go") {
		t.Errorf("the log does not say what and where:\n%s", log.String())
	}
}

// A Session that a handler has kept speaks for its own client or for nobody, whichever slot and
// callback is at hand.
func TestAKeptSessionNeverSpeaksForAnotherClient(t *testing.T) {
	var kept *Session
	var errs []error
	n := newPaper(t, Config{Handler: Handler{Message: func(s *Session, id uint64, _ []byte) {
		if kept == nil {
			kept = s
			return
		}
		_, delivered := kept.Deliver([]byte("for the first only"))
		_, optional := kept.DeliverOptional([]byte("for the first only"))
		errs = append(errs, delivered, optional, kept.Ack(id), kept.Close(0))
		if kept.ClientID() != "" {
			t.Errorf("ClientID = %q outside its callback", kept.ClientID())
		}
	}}})
	send := codec.AppendSend(nil, 1, []byte("x"))
	first, p := n.join("alice")
	n.send(first, send)
	id := kept.ID()
	want := func(want error) {
		t.Helper()
		second, q := n.join("alice")
		n.send(second, send)
		if len(q.in) > 0 || len(p.in) > 0 || q.ended {
			t.Fatalf("a kept session wrote: %v to another, %v to its own", q.types(t), p.types(t))
		}
		for _, err := range errs {
			if !errors.Is(err, want) {
				t.Fatalf("%v, want %v", err, want)
			}
		}
		errs = nil
		if kept.ID() != id {
			t.Errorf("ID is %v now, and was %v", kept.ID(), id)
		}
		n.r.Closed(second, reactor.ReasonPeerClosed)
	}
	want(ErrOutside)
	n.r.Closed(first, reactor.ReasonPeerClosed)
	for range 3 { // the slot's next sessions included
		want(ErrClosed)
	}
}

func TestCallbacksAllocateNothing(t *testing.T) {
	n := newPaper(t, Config{MaxFrameRate: -1, MaxByteRate: -1, Handler: Handler{Message: func(s *Session, id uint64, _ []byte) { _ = s.Ack(id) }}})
	slot, p := n.join("alice")
	send := codec.AppendSend(nil, 1, []byte("x"))
	if allocs := testing.AllocsPerRun(1000, func() {
		p.in = p.in[:0]
		n.r.Receive(n.now, slot, send)
	}); allocs > 0 {
		t.Errorf("%v allocations for a SEND and its ACK", allocs)
	}
}

// A loop cannot outlive its goroutine: the node ends and says why, and its clients notice.
func TestHandlerThatEndsItsGoroutineEndsTheNodeWithAnError(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 2, IDRate: -1, Handler: Handler{Message: func(*Session, uint64, []byte) { runtime.Goexit() }}})
	if err != nil {
		t.Fatal(err)
	}
	before := openDescriptors()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	var all []*wire
	for range 8 {
		w, _ := joinNode(t, s, "a")
		all = append(all, w)
	}
	all[0].send(codec.AppendSend(nil, 1, nil))
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrGoexit) {
			t.Errorf("Wait: %v, want ErrGoexit", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the node goes on without one of its loops")
	}
	for _, w := range all {
		for {
			if _, err := w.next(); err != nil {
				if ne, ok := err.(interface{ Timeout() bool }); ok && ne.Timeout() {
					t.Fatal("a client of the node does not notice")
				}
				break
			}
		}
		w.Close()
	}
	wantDescriptors(t, before)
}
