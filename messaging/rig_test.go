package messaging_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// rig is a node in memory with a hub.
type rig struct {
	t    *testing.T
	hub  *messaging.Hub
	node *servertest.Node
}

// inRig runs a test within a bubble.
func inRig(t *testing.T, cfg messaging.Config, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newRig(t, cfg, server.Config{})) })
}

func newRig(t *testing.T, cfg messaging.Config, sc server.Config) *rig {
	t.Helper()
	return newRigAt(t, cfg, sc, time.Now)
}

// newRigAt is newRig with a clock for the time of day.
func newRigAt(t *testing.T, cfg messaging.Config, sc server.Config, wall func() time.Time) *rig {
	t.Helper()
	hub, err := messaging.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	hub.SetWall(wall)
	sc.Handler = hub.Handler()
	r := &rig{t: t, hub: hub}
	t.Cleanup(func() { // behind the node's
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = hub.Close(ctx)
	})
	r.node = servertest.New(t, sc)
	if err := hub.Start(r.node.Server); err != nil {
		t.Fatal(err)
	}
	return r
}

// peer is a client that speaks envelopes.
type peer struct {
	*servertest.Client
	r      *rig
	frames []codec.Frame
	late   []uint64 // that came, and were not acknowledged
}

// message is a DELIVER that carries one.
type message struct {
	number uint64
	e      envelope.Envelope
}

// messages takes all messages that came, and forgets what else did.
func (p *peer) messages() (all []message) {
	for _, f := range append(p.frames, p.Received()...) {
		if f.Type != codec.Deliver {
			continue
		}
		number, body, _ := codec.ParseMessage(f.Payload)
		if e, err := envelope.Parse(body); err == nil && e.Kind == envelope.Message {
			all = append(all, message{number, e})
		} else if number != 0 {
			p.Client.Ack(number)
		}
	}
	p.frames = nil
	return all
}

func (r *rig) join(id string) *peer { return &peer{Client: r.node.Join(id), r: r} }

func (p *peer) back() *peer {
	c := p.Client.Return()
	c.ExpectWelcome()
	return &peer{Client: c, r: p.r}
}

func encode(t testing.TB, e envelope.Envelope) []byte {
	t.Helper()
	body, err := envelope.Append(nil, &e)
	if err != nil {
		t.Fatalf("envelope of %v: %v", e.Kind, err)
	}
	return body
}

func (p *peer) say(e envelope.Envelope) (number uint64) { return p.Send(encode(p.r.t, e)) }

func (p *peer) to(user, text string) (number uint64) {
	return p.say(envelope.Envelope{Kind: envelope.ToUser, User: []byte(user), Content: []byte(text)})
}

func (p *peer) toRoom(room, text string) (number uint64) {
	return p.say(envelope.Envelope{Kind: envelope.ToRoom, Room: []byte(room), Content: []byte(text)})
}

func (p *peer) joins(room string, since envelope.Position) envelope.Envelope {
	p.r.t.Helper()
	n := p.say(envelope.Envelope{Kind: envelope.Join, Room: []byte(room), Position: since})
	_, e := p.delivered(envelope.Joined)
	p.acked(n, envelope.AckTaken)
	return e
}

// take removes the first frame that want accepts.
func (p *peer) take(want func(codec.Frame) bool) bool {
	p.frames = append(p.frames, p.Received()...)
	for i, f := range p.frames {
		if want(f) {
			p.frames = append(p.frames[:i:i], p.frames[i+1:]...)
			return true
		}
	}
	return false
}

// delivered takes the next DELIVER, which must be of the kind.
func (p *peer) delivered(kind envelope.Kind) (number uint64, e envelope.Envelope) {
	p.r.t.Helper()
	ok := p.take(func(f codec.Frame) bool {
		if f.Type != codec.Deliver {
			return false
		}
		var body []byte
		number, body, _ = codec.ParseMessage(f.Payload)
		var err error
		if e, err = envelope.Parse(body); err != nil {
			p.r.t.Fatalf("DELIVER %q: %v", body, err)
		}
		return true
	})
	if !ok || e.Kind != kind {
		p.r.t.Fatalf("got %v (there: %v), want %v; there is %v", e.Kind, ok, kind, p.frames)
	}
	return number, e
}

// gets takes a message of that text and acknowledges it.
func (p *peer) gets(text string) envelope.Envelope {
	p.r.t.Helper()
	n, e := p.delivered(envelope.Message)
	if string(e.Content) != text {
		p.r.t.Fatalf("got %q, want %q", e.Content, text)
	}
	p.Client.Ack(n)
	return e
}

func (p *peer) acked(number uint64, word uint8) {
	p.r.t.Helper()
	got := "nothing"
	if !p.take(func(f codec.Frame) bool {
		switch f.Type {
		case codec.Ack:
			m, _ := codec.ParseAck(f.Payload)
			if number >= m.First && number <= m.Last {
				got = fmt.Sprint(m.What)
				return true
			}
		case codec.Nack:
			m, _ := codec.ParseNack(f.Payload)
			if m.Number == number {
				got = fmt.Sprintf("refusal %d %s", uint16(m.Code), m.Reason)
			}
			return m.Number == number
		}
		return false
	}) || got != fmt.Sprint(word) {
		p.r.t.Fatalf("about message %d: %s, want ACK %d; there is %v", number, got, word, p.frames)
	}
}

func (p *peer) refused(number uint64, code codec.NackCode) {
	p.r.t.Helper()
	var got codec.NackMessage
	if !p.take(func(f codec.Frame) bool {
		if f.Type != codec.Nack {
			return false
		}
		got, _ = codec.ParseNack(f.Payload)
		return got.Number == number
	}) || got.Code != code {
		p.r.t.Fatalf("message %d: refused with %d %q, want %d; there is %v", number, uint16(got.Code), got.Reason, uint16(code), p.frames)
	}
}

// nothing holds that nothing but heartbeats came.
func (p *peer) nothing() {
	p.r.t.Helper()
	if p.take(func(codec.Frame) bool { return false }); len(p.frames) > 0 {
		p.r.t.Fatalf("unexpected: %v", p.frames)
	}
}

// drain forgets all that came.
func (p *peer) drain() { p.Received(); p.frames = nil }

// faulty is a store in memory that can be durable, stall and fail.
type faulty struct {
	*messaging.Memory
	durable bool

	mu   sync.Mutex
	hold chan struct{} // Put waits until it is closed
	fail error
}

func newFaulty(b messaging.Bounds) *faulty {
	return &faulty{Memory: messaging.NewMemory(b), durable: true}
}

func (f *faulty) Durable() bool { return f.durable }

func (f *faulty) stall() (goOn func()) {
	hold := make(chan struct{})
	f.mu.Lock()
	f.hold = hold
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		f.hold = nil
		f.mu.Unlock()
		close(hold)
	}
}

func (f *faulty) failWith(err error) {
	f.mu.Lock()
	f.fail = err
	f.mu.Unlock()
}

func (f *faulty) Put(ctx context.Context, batch []messaging.Record) error {
	f.mu.Lock()
	hold, fail := f.hold, f.fail
	f.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fail != nil {
		return fail
	}
	return f.Memory.Put(ctx, batch)
}

// stop ends a node as an orderly one does.
func stop(t *testing.T, r *rig) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = r.node.Server.Stop(ctx)
		if err := r.hub.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	}()
	r.node.Advance(2 * time.Second)
	<-ended
}

func isDeliver(f codec.Frame) bool { return f.Type == codec.Deliver }
