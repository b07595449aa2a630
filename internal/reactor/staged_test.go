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
