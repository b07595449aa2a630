package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestAPausedClientThatFloodsEndsWithRateLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg   rigConfig
		own   *Limits
		size  int
		first int // size of the first
		fits  uint64
	}{
		"numbers":               {rigConfig{}, nil, 10, 10, 256},
		"empty":                 {rigConfig{}, nil, 0, 0, 256},
		"bytes":                 {rigConfig{UnsettledBytes: 64 << 10, MaxFrame: 16 << 10}, nil, 8 << 10, 8 << 10, 8},
		"no bound on bytes":     {rigConfig{UnsettledBytes: -1, MaxByteRate: -1}, nil, 8 << 10, 8 << 10, 256},
		"bytes of its grant":    {rigConfig{MaxFrame: 16 << 10}, &Limits{UnsettledBytes: 32 << 10}, 8 << 10, 8 << 10, 4},
		"one that fills it all": {rigConfig{UnsettledBytes: 16 << 10, MaxFrame: 16 << 10}, nil, 1, 16<<10 - 8, 1 + 8},
	} {
		n, got := listening(t, tt.cfg)
		n.r.asker = &desk{}
		slot, p := n.grant("alice", 0, tt.own)
		n.pause(slot)
		n.r.Receive(n.now, slot, codec.AppendSend(nil, 1, make([]byte, tt.first)))
		for number := uint64(2); number <= tt.fits; number++ {
			n.r.Receive(n.now, slot, sends(number, number+1, tt.size))
		}
		if p.finished || n.r.counters.Kept == 0 {
			t.Errorf("%s: ended with %d SENDs, which it may have unsettled", name, tt.fits)
			continue
		}
		n.r.Receive(n.now, slot, sends(tt.fits+1, tt.fits+2, max(tt.size, 1)))
		if code := goAwayCode(t, p); code != codec.CodeRateLimit || len(*got) != 0 {
			t.Errorf("%s: %v after %d SENDs, %d handled; want rate_limit and none", name, code, tt.fits+1, len(*got))
		}
		n.unpaused()
	}
}

func TestWhatIsKeptCostsTheBudgetOfTheNode(t *testing.T) {
	n, _ := listening(t, rigConfig{MaxQueued: 256 << 10, UnsettledBytes: 4 << 20})
	n.r.node.Budget.Max = 1 << 20
	for range 20 {
		slot, _ := n.join()
		n.pause(slot)
		n.r.Receive(n.now, slot, sends(1, 5, 15<<10))
		n.run(n.r.cfg.Tick)
	}
	if n.r.node.Budget.Queued() > 1<<20 {
		t.Errorf("%d bytes are kept, the budget is 1 MiB", n.r.node.Budget.Queued())
	}
	if n.r.counters.Closes[ReasonQueueBudget] == 0 {
		t.Error("nobody had to go")
	}
}

func TestWhatIsKeptGoesWithItsSession(t *testing.T) {
	for name, end := range map[string]func(n *node, slot Slot, p *peer){
		"BYE":       func(n *node, slot Slot, p *peer) { n.send(slot, codec.AppendBye(nil)) },
		"reset":     func(n *node, slot Slot, p *peer) { n.r.Closed(slot, ReasonPeerReset) },
		"half-open": func(n *node, slot Slot, p *peer) { n.run(n.r.cfg.Timeout + 2*n.r.cfg.Tick) },
		"garbage":   func(n *node, slot Slot, p *peer) { n.send(slot, []byte("GET / HTTP/1.1\r\n")) },
		"kicked": func(n *node, slot Slot, p *peer) {
			n.r.Mailbox().Close(n.r.Handle(slot), codec.CodeKicked, nil)
			n.turn(never)
		},
		"superseded": func(n *node, slot Slot, p *peer) {
			n.r.runClosing(Closing{handle: n.r.Handle(slot), why: ReasonSuperseded})
		},
		"stop": func(n *node, slot Slot, p *peer) { n.r.node.Stopping.Store(true); n.turn(never) },
		"does not read": func(n *node, slot Slot, p *peer) {
			p.blocked = true
			n.r.Deliver(slot, make([]byte, 1000))
			n.r.flush(slot)
			for range 12 {
				n.run(time.Second)
				if !p.aborted {
					n.send(slot, codec.AppendPing(nil, 1, 1))
				}
			}
		},
		"memory": func(n *node, slot Slot, p *peer) {
			n.r.shedding.memory, n.r.shedding.above = true, 100
			n.r.shedOne(slot)
		},
	} {
		for _, resumed := range []bool{false, true} {
			n, got := listening(t, rigConfig{})
			slot, p := n.join()
			n.pause(slot)
			n.send(slot, sends(1, 11, 100))
			if resumed {
				n.resume(slot)
			}
			end(n, slot, p)
			n.turn(never)
			if resumed = resumed && len(*got) > 0; len(*got) != 0 && !resumed {
				t.Errorf("%s: handled %v", name, *got)
			}
			if n.r.counters.Sessions != 0 {
				t.Errorf("%s: the session goes on", name)
			}
			n.unpaused()
			// The slot's next session is not paused.
			n.r.node.Stopping.Store(false)
			next, _ := n.join()
			before := len(*got)
			if n.send(next, sends(1, 2, 1)); len(*got) != before+1 {
				t.Errorf("%s: the next session is paused", name)
			}
			if n.run(3 * time.Second); n.r.PauseRead(next) != nil {
				t.Errorf("%s: the next session cannot be paused", name)
			}
		}
	}
}

func TestAMessageThatWasKeptAndIsPoison(t *testing.T) {
	handled := 0
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, number uint64, _ []byte) {
		if handled++; number == 3 {
			s.r.Panicked()
		}
	}}})
	slot, p := n.join()
	n.pause(slot)
	n.send(slot, sends(1, 11, 100))
	n.resume(slot)
	n.turn(never)
	types := frameTypes(t, p.in)
	if handled != 3 || len(types) != 2 || types[0] != codec.Nack || goAwayCode(t, p) != codec.CodeInternal {
		t.Errorf("handled %d, answered by %v", handled, types)
	}
	n.unpaused()
}

func TestWhoDoesNotReadEndsWhileItIsReadOn(t *testing.T) {
	handled := 0
	n := newNode(t, rigConfig{MaxQueued: 128 << 10, MaxFrame: 64 << 10, Handler: handler{Message: func(s *caller, number uint64, _ []byte) {
		handled++
		_ = s.Deliver(make([]byte, 10<<10))
	}}})
	slot, p := n.join()
	n.pause(slot)
	n.send(slot, sends(1, 201, 10))
	p.blocked = true
	n.resume(slot)
	n.turn(never)
	if handled == 200 || n.r.counters.Sessions != 0 {
		t.Errorf("handled %d, and it goes on", handled)
	}
	n.r.Closed(slot, ReasonPeerReset)
	n.unpaused()
}
