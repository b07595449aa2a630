package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

func refusing(t *testing.T, count int) []*node {
	return newLoops(t, count, rigConfig{Duplicates: gate.Refuse, Timeout: 75 * time.Second})
}

// Who is refused is told when the session in its way ends at the latest: then it may come.
func TestInUseTellsWhenToCome(t *testing.T) {
	for there := range 2 {
		loops := refusing(t, 2)
		old, p := loops[0].come(1, 1, nil)
		runAll(loops, 10*time.Second)
		_, q := loops[there].come(2, 1, nil)
		if len(q.in) != 0 {
			t.Fatal("it has an answer before the other's loop has said anything")
		}
		say(loops)
		m, err := codec.ParseGoAway(frames(t, q.in)[0].Payload)
		if err != nil || m.Code != codec.CodeInUse || m.Delay < 65*time.Second || m.Delay > 66*time.Second {
			t.Fatalf("%v, delay %v, want in_use and what is left of 75 s", m.Code, m.Delay)
		}
		if late := loops[0].now + m.Delay - loops[0].r.wheel.Deadline(old); late < 2*loops[0].r.cfg.Tick {
			t.Errorf("it may come %v after the deadline, which may be met two ticks late", late)
		}
		runAll(loops, m.Delay)
		if lastCode(t, p) != codec.CodeHeartbeatTimeout {
			t.Error("the silent one is still there")
		}
		if _, q = loops[there].come(2, 2, nil); !welcomed(t, q) {
			t.Error("who comes when it was told to is not let in")
		}
		wantNothingWaits(t, loops)
	}
}

// Its token ends a session as well as its silence.
func TestInUseKnowsOfTheToken(t *testing.T) {
	loops := refusing(t, 1)
	n := loops[0]
	n.r.asker = asks(func() {})
	old, _ := n.come(1, 1, nil)
	n.r.authenticated(Answer{Handle: n.r.Handle(old), Expires: n.r.wall().Add(5 * time.Second)})
	slot, q := n.come(2, 1, nil)
	n.r.authenticated(Answer{Handle: n.r.Handle(slot)})
	say(loops)
	m, err := codec.ParseGoAway(frames(t, q.in)[0].Payload)
	if err != nil || m.Code != codec.CodeInUse || m.Delay < 5*time.Second || m.Delay > 6*time.Second {
		t.Errorf("%v, delay %v, want 5 s", m.Code, m.Delay)
	}
}

// The other may end before its loop is asked: then the client comes in, as its grant says.
func TestWhoWaitsComesInWhenTheOtherHasEnded(t *testing.T) {
	for name, end := range map[string]func(n *node, slot Slot){
		"BYE":      func(n *node, slot Slot) { n.send(slot, codec.AppendBye(nil)) },
		"FIN":      func(n *node, slot Slot) { n.r.Closed(slot, ReasonPeerClosed) },
		"a fault":  func(n *node, slot Slot) { n.send(slot, codec.AppendFrame(nil, 99, 0, nil)) },
		"its turn": func(n *node, slot Slot) { n.r.sendAway(slot, ReasonHeartbeatTimeout, reset) },
	} {
		t.Run(name, func(t *testing.T) {
			loops := refusing(t, 2)
			n := loops[1]
			n.r.asker = asks(func() {})
			old, _ := loops[0].come(1, 1, nil)
			slot, q := n.come(2, 1, nil)
			n.r.authenticated(Answer{Handle: n.r.Handle(slot), Expires: n.r.wall().Add(time.Minute)})
			end(loops[0], old)
			say(loops)
			if !welcomed(t, q) || n.r.extras.of(n.r.sessions.at(slot)).expires == 0 {
				t.Error("it is not let in as it was granted")
			}
			runAll(loops, 3*time.Second)
			wantNothingWaits(t, loops)
		})
	}
}

// Two that wait for the same session do not both come in when it has ended.
func TestOfTwoThatWaitOneComesIn(t *testing.T) {
	loops := refusing(t, 3)
	old, _ := loops[0].come(1, 1, nil)
	_, a := loops[1].come(2, 1, nil)
	_, b := loops[2].come(3, 1, nil)
	loops[0].send(old, codec.AppendBye(nil))
	say(loops)
	if welcomed(t, a) == welcomed(t, b) || served(loops) != 1 {
		t.Errorf("welcomed: %v and %v", welcomed(t, a), welcomed(t, b))
	}
	if lastCode(t, b) != codec.CodeInUse {
		t.Errorf("the other is told %v", lastCode(t, b))
	}
}

// Who leaves, or for whom the answer comes too late, leaves nothing behind.
func TestWhoWaitsAndGoes(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(n *node, slot Slot, p *peer)
		want  codec.Code
	}{
		"FIN":        {func(n *node, slot Slot, _ *peer) { n.r.Closed(slot, ReasonPeerClosed) }, 0},
		"FIN unread": {func(_ *node, _ Slot, p *peer) { p.left = true }, 0},
		"BYE":        {func(n *node, slot Slot, _ *peer) { n.send(slot, codec.AppendBye(nil)) }, 0},
		"a SEND":     {func(n *node, slot Slot, _ *peer) { n.send(slot, codec.AppendSend(nil, 1, nil)) }, codec.CodeProtocolError},
		"too late":   {func(n *node, _ Slot, _ *peer) { n.run(5 * time.Second) }, codec.CodeBusy},
		"a stop":     {func(n *node, _ Slot, _ *peer) { n.r.node.Stopping.Store(true); n.run(n.r.cfg.Tick) }, codec.CodeShutdown},
	} {
		t.Run(name, func(t *testing.T) {
			loops := refusing(t, 2)
			loops[0].come(1, 1, nil)
			slot, p := loops[1].come(2, 1, nil)
			c.leave(loops[1], slot, p)
			if len(loops[0].closings) != 1 {
				t.Fatal("the other's loop was not asked")
			}
			say(loops)
			if got := lastCode(t, p); got != c.want || welcomed(t, p) {
				t.Errorf("it is told %v, want %v", got, c.want)
			}
			loops[0].r.node.Stopping.Store(false)
			runAll(loops, 3*time.Second)
			wantNothingWaits(t, loops)
		})
	}
}
