package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestClosingWordsFollowTheGoodbyeAndKnowItsCode(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	n.r.Malformed(n.now, slot)
	if code := goAwayCode(t, p); code != codec.CodeProtocolError || p.farewell != code || !p.finished {
		t.Errorf("GOAWAY %v, closing words for %v, FIN %v", code, p.farewell, p.finished)
	}
	n.r.Malformed(n.now, slot) // once is enough
	n.wantClosed(ReasonBadPayload, 1)

	slot, p = n.join() // whose goodbye has no room gets no closing words either
	p.blocked = true
	n.send(slot, codec.AppendPing(nil, 1, 0))
	n.run(2 * time.Minute)
	if p.farewell != 0 || !p.aborted {
		t.Errorf("closing words for %v, reset %v; want none, behind what nobody reads", p.farewell, p.aborted)
	}
}

// What a stage holds is charged, and must go on as a frame must.
func TestWhatAStageHoldsIsAnUnfinishedFrame(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	n.r.Hold(n.now, slot, 3000)
	p.held = 3000
	if got, want := n.r.counters.Partial, int64(heldCost(3000)); got != want || n.r.node.Budget.Queued() != want {
		t.Errorf("%d bytes charged, %d of the budget; want %d", got, n.r.node.Budget.Queued(), want)
	}
	n.r.Hold(n.now, slot, 0)
	p.held = 0
	if n.r.counters.Partial != 0 {
		t.Errorf("%d bytes charged for nothing", n.r.counters.Partial)
	}
	n.r.Hold(n.now, slot, 10)
	p.held = 10
	for range 10 { // as a peer does that speaks and never ends what it began
		n.run(n.r.cfg.PartialTimeout / 8)
		n.r.Hold(n.now, slot, 10)
	}
	n.wantClosed(ReasonPartialTimeout, 1)
}

// What a stage says by itself is owed and queued as everything else is.
func TestTheWordsOfAStageAreBounded(t *testing.T) {
	n := newNode(t, rigConfig{MaxQueued: 100_000})
	slot, p := n.join()
	p.blocked = true
	for range 20 {
		if p.queued += 10_000; n.r.sessions.at(slot).state == stateReady {
			n.r.Sent(slot, 10_000, p.queued)
		}
		n.run(n.r.cfg.Tick)
	}
	n.wantClosed(ReasonSlowConsumer, 1)
}

// Frames of the stage's own cost what frames cost.
func TestTheFramesOfAStageAreCharged(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100})
	slot, _ := n.join()
	n.r.Extra(n.now, slot, 300)
	n.r.Extra(n.now, slot, 90)
	if n.r.sessions.at(slot).state != stateReady {
		t.Fatal("it was ended within its rate")
	}
	n.r.Extra(n.now, slot, 90)
	n.wantClosed(ReasonRateLimit, 1)
}

// Who ends in its stage's words has gone as by FIN, and what a stage has answered is no fault.
func TestAStageEndsAConnection(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	n.r.End(n.now, slot, ReasonPeerClosed)
	if n.wantClosed(ReasonPeerClosed, 1); !p.closed {
		t.Error("the connection is open")
	}
	slot, _ = n.dial()
	n.r.End(n.now, slot, ReasonProbe)
	n.wantClosed(ReasonProbe, 1)
	if n.r.counters.Refused != 0 {
		t.Errorf("%d refusals", n.r.counters.Refused)
	}
}

// What must come before HELLO has a deadline of its own, and then HELLO has its old one.
func TestWhatComesBeforeHelloHasItsTime(t *testing.T) {
	n := newNode(t, rigConfig{})
	slow, _ := n.dial()
	n.r.Within(slow, 3*time.Second)
	quick, _ := n.dial()
	n.r.Within(quick, 3*time.Second)
	n.run(2 * time.Second)
	n.r.Within(quick, n.r.cfg.HelloTimeout)
	n.run(1500 * time.Millisecond)
	n.wantClosed(ReasonHelloTimeout, 1)
	if n.r.sessions.at(quick).state != stateHandshaking {
		t.Fatal("who said what it had to is ended, too")
	}
	n.run(2 * time.Second)
	n.wantClosed(ReasonHelloTimeout, 2)
}
