package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Evictions are put off twice in a row, and who is heard in between begins a new row.
func TestLifeGivesBackTheTicksThatUnreadBytesWonBefore(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	for round := range 3 {
		p.unread = 1
		n.run(n.r.cfg.Timeout - n.r.cfg.Tick)
		for tick := range maxExcuses + 1 {
			if n.run(n.r.cfg.Tick); p.aborted {
				t.Fatalf("round %d: evicted in tick %d, though bytes wait to be read", round, tick)
			}
		}
		p.unread = 0
		n.send(slot, codec.AppendPing(nil, 1, 0))
	}
}

// What a check takes is the server's time: it counts neither against the deadline of HELLO nor
// against the first heartbeat.
func TestTheTimeOfACheckIsChargedToNobody(t *testing.T) {
	n := newNode(t, rigConfig{AuthTimeout: 20 * time.Second})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.run(4 * time.Second) // of 5
	n.send(slot, hello("alice"))
	n.run(17 * time.Second)
	if p.finished || p.closed {
		t.Fatal("sent away while it was being checked in time")
	}
	n.r.authenticated(Answer{Handle: n.r.Handle(slot)})
	n.run(n.r.cfg.Timeout - n.r.cfg.Tick)
	if p.aborted {
		t.Fatal("evicted within its timeout, which begins with WELCOME")
	}
	n.run(3 * n.r.cfg.Tick)
	if !p.aborted {
		t.Fatal("not evicted after its timeout")
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
