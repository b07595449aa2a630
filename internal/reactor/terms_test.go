package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// ping sends a PING that says which terms are applied and returns those of its PONG.
func (n *node) ping(slot timingwheel.ID, p *peer, applied uint16) codec.Terms {
	n.t.Helper()
	p.in = nil
	n.send(slot, codec.AppendPing(nil, 1, applied))
	all := frames(n.t, p.in)
	m, err := codec.ParsePong(all[len(all)-1].Payload)
	if err != nil {
		n.t.Fatal(err)
	}
	return m.Terms
}

func (n *node) evictedAfter(slot timingwheel.ID, p *peer) time.Duration {
	began := n.now
	for !p.aborted && n.now < began+10*time.Minute {
		n.run(n.r.cfg.Tick)
	}
	return n.now - began
}

// While answers are late, terms are longer; the deadline follows at once when they become
// longer, and when they become shorter from the PING on that says that they are known.
func TestTermsFollowTheLoadAndDeadlinesWhatClientsKnow(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: 2 * time.Second, Timeout: 6 * time.Second, Tick: 100 * time.Millisecond})
	within := func(what string, got, want time.Duration) {
		t.Helper()
		if got < want || got > want+300*time.Millisecond {
			t.Errorf("%s: evicted after %v, want %v", what, got, want)
		}
	}
	usual, p := n.join()
	if terms := n.ping(usual, p, 1); terms != (codec.Terms{Interval: 2 * time.Second, Timeout: 6 * time.Second, Number: 1}) {
		t.Fatalf("terms %+v", terms)
	}
	untold, q := n.join() // who does not read cannot be told
	q.blocked = true
	n.send(untold, codec.AppendPing(nil, 1, 1)) // its PONG waits
	n.stretch(4)
	want := codec.Terms{Interval: 8 * time.Second, Timeout: 24 * time.Second, Patience: 24 * time.Second, Number: 2}
	if terms := n.ping(usual, p, 1); terms != want {
		t.Fatalf("terms %+v, want %+v", terms, want)
	}
	within("who was not told", n.evictedAfter(untold, q), 6*time.Second)
	n.ping(usual, p, 2)
	newcomer, q := n.join() // WELCOME tells the longer terms
	within("who came later", n.evictedAfter(newcomer, q), 24*time.Second)
	usual, p = n.join()
	n.stretch(1)
	n.ping(usual, p, 2) // learns of shorter terms, and has not applied them yet
	within("who has not applied shorter terms", n.evictedAfter(usual, p), 24*time.Second)

	slot, p := n.join()
	n.stretch(8)
	n.ping(slot, p, 3)
	n.stretch(1)
	n.ping(slot, p, 4)
	if terms := n.ping(slot, p, 5); terms.Timeout != 6*time.Second || terms.Number != 5 || terms.Patience != 0 {
		t.Fatalf("terms %+v", terms)
	}
	within("who has applied shorter terms", n.evictedAfter(slot, p), 6*time.Second)
}

func TestStretchedTermsStayWithinTheWheel(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: time.Hour, Timeout: MaxTimeoutTicks * time.Millisecond, Tick: time.Millisecond})
	slot, p := n.join()
	n.stretch(8)
	if terms := n.ping(slot, p, 1); terms.Timeout != MaxTimeoutTicks*time.Millisecond || terms.Interval != time.Hour || terms.Patience != time.Minute {
		t.Errorf("terms %+v", terms)
	}
}

// A late loop charges nobody for bytes that it has not read yet, however often it looks.
func TestLateLoopEvictsNobodyWhoseBytesWait(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: time.Second, Timeout: 3 * time.Second, Tick: 100 * time.Millisecond})
	_, p := n.join()
	p.unread = 24
	n.late = time.Hour
	n.run(20 * time.Second)
	if p.aborted {
		t.Fatal("evicted while its bytes waited for a late loop")
	}
	n.late = 0
	n.run(time.Second)
	if !p.aborted {
		t.Error("not evicted although the loop is in time and does not read")
	}
}

// A PONG that had to wait for a backlog tells the terms of the moment in which it leaves.
func TestDeferredPongMovesTheDeadlineThatItTells(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: 2 * time.Second, Timeout: 6 * time.Second, Tick: 100 * time.Millisecond})
	slot, p := n.join()
	p.blocked = true
	n.send(slot, codec.AppendPing(nil, 1, 1))
	n.send(slot, codec.AppendPing(nil, 2, 1)) // its PONG waits
	n.r.setStretch(4)
	p.in, p.blocked, p.queued = nil, false, 0
	n.run(200 * time.Millisecond)
	m, err := codec.ParsePong(frames(t, p.in)[0].Payload)
	if err != nil || m.Token != 2 || m.Terms.Timeout != 24*time.Second {
		t.Fatalf("PONG %+v, %v", m, err)
	}
	if ttl := n.r.wheel.TTL(slot); ttl != 24*time.Second {
		t.Errorf("the deadline is %v, told were 24s", ttl)
	}
}

// Limits and a shorter timeout were told together, and the client is slow to say that it knows: when it is held
// to the limits, and has long known, the timeout holds as well. It must not stay what it was for ever.
func TestAShorterTimeoutHoldsWithTheLimitsThatWereToldWithIt(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: 2 * time.Second, Timeout: 6 * time.Second, Tick: 100 * time.Millisecond, MaxFrameRate: 100})
	n.stretch(4)
	n.run(100 * time.Millisecond)
	slot, p := n.join()
	before := n.r.terms.Number
	n.stretch(1)
	n.tune(frameRate(10))
	for end := n.now + 60*time.Second; n.now < end; n.run(3 * time.Second) {
		n.ping(slot, p, before)
	}
	if got := n.r.boundsOf(n.r.sessions.at(slot)).frames.perSecond; got != 10 {
		t.Fatalf("held to %d frames a second, want 10", got)
	}
	n.ping(slot, p, n.r.terms.Number)
	if after := n.evictedAfter(slot, p); after > 6*time.Second+300*time.Millisecond {
		t.Errorf("evicted after %v, told were 6s", after)
	}
}
