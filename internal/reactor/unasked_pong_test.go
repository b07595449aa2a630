package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// unasked counts the PONGs without a token that a peer was sent, and forgets them.
func unasked(t *testing.T, p *peer) (count int) {
	t.Helper()
	for _, f := range frames(t, p.in) {
		if f.Type != codec.Pong {
			continue
		}
		if m, err := codec.ParsePong(f.Payload); err != nil || m.Token == 0 {
			count++
		}
	}
	p.in = nil
	return count
}

// Behind a proxy that buffers, a client on a slow link hears that its frame moves from nobody
// but us; and when it does not move, it hears nothing.
func TestAFrameOnItsWayIsAnsweredWhileItGrows(t *testing.T) {
	for _, interval := range []time.Duration{30 * time.Second, 2 * time.Second} {
		n := newNode(t, rigConfig{Heartbeat: interval, Timeout: interval * 5 / 2, Tick: 100 * time.Millisecond})
		slot, p := n.join()
		frame := codec.AppendSend(nil, 1, make([]byte, 60000))
		second := func(size int) {
			p.held = size
			n.r.receive(n.now, slot, frame[:size])
			n.run(time.Second)
		}
		for i := range 12 {
			second(3000 * (i + 1))
		}
		quiet := min(3*time.Second, interval/4)
		want := int(12 * time.Second / max(quiet, time.Second))
		if got := unasked(t, p); got < want-2 || got > want+2 {
			t.Errorf("interval %v: %d PONGs in 12 s of a growing frame, want about %d", interval, got, want)
		}
		for range 4 {
			second(36000)
		}
		if got := unasked(t, p); got > 2 {
			t.Errorf("interval %v: %d PONGs for a frame that does not grow", interval, got)
		}
		if p.aborted || p.finished {
			t.Errorf("interval %v: ended", interval)
		}
	}
}

// Who only sends, and is sent nothing, hears that it arrives; who sends now and then need not.
func TestASteadyFlowThatNobodyAnswersGetsPongs(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	send := codec.AppendSend(nil, 1, []byte("x"))
	longest, last := time.Duration(0), n.now
	for range 300 {
		n.send(slot, send)
		n.run(100 * time.Millisecond)
		if longest = max(longest, n.now-last); unasked(t, p) > 0 {
			last = n.now
		}
	}
	if longest > 5*time.Second {
		t.Errorf("a steady sender heard nothing for %v", longest)
	}
	n.run(10 * time.Second)
	unasked(t, p)
	count := 0
	for range 6 {
		n.send(slot, send)
		n.run(10 * time.Second)
		count += unasked(t, p)
	}
	if count > 2 {
		t.Errorf("%d PONGs for 6 messages in a minute", count)
	}
}

// Who is answered needs no PONG beside.
func TestAnAnsweredFlowGetsNoPongs(t *testing.T) {
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, id uint64, _ []byte) { _ = s.Ack(id) }}})
	slot, p := n.join()
	send := codec.AppendSend(nil, 1, []byte("x"))
	for range 300 {
		n.send(slot, send)
		n.run(100 * time.Millisecond)
	}
	if got := unasked(t, p); got > 1 {
		t.Errorf("%d PONGs in 30 s for a client whose messages are acknowledged", got)
	}
}

// Changed terms reach a client that always has something to say and so never pings, within two
// timeouts; one that pings learns them from its answers alone.
func TestTermsReachAClientThatNeverPings(t *testing.T) {
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, id uint64, _ []byte) { _ = s.Ack(id) }}})
	talker, p := n.join()
	pinger, q := n.join()
	n.stretch(2)
	for i := range 150 {
		n.send(talker, codec.AppendSend(nil, 1, []byte("x")))
		if i%25 == 0 {
			n.send(pinger, codec.AppendPing(nil, 1, 0))
		}
		n.run(time.Second)
	}
	told := false
	for _, f := range frames(t, p.in) {
		if m, err := codec.ParsePong(f.Payload); f.Type == codec.Pong && err == nil && m.Terms == n.r.terms {
			told = true
		}
	}
	if ttl := n.r.wheel.TTL(talker); !told || ttl != n.r.terms.Timeout {
		t.Errorf("told %v, judged by %v; want it told and judged by %v", told, ttl, n.r.terms.Timeout)
	}
	if got := unasked(t, q); got != 0 {
		t.Errorf("%d unasked PONGs for a client that pings", got)
	}
}
