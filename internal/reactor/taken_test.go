package reactor

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// ledger is a handler that notes what it is given, and what it says: nothing, unless verdict does.
type ledger struct {
	all     []uint64
	verdict func(s *caller, number uint64)
}

func (l *ledger) handler() handler {
	return handler{Message: func(s *caller, number uint64, _ []byte) {
		l.all = append(l.all, number)
		if l.verdict != nil {
			l.verdict(s, number)
		}
	}}
}

func (l *ledger) want(t *testing.T, numbers ...uint64) {
	t.Helper()
	if !slices.Equal(l.all, numbers) {
		t.Errorf("the handler was given %v, want %v", l.all, numbers)
	}
}

// twoLoops are two loops of one node with one handler.
func twoLoops(t testing.TB, l *ledger) (one, two *node) {
	cfg := rigConfig{Handler: l.handler()}
	one = newNode(t, cfg)
	return one, one.beside(cfg)
}

// sender is a connect of incarnation 7, its WELCOME swallowed.
func (n *node) sender(attempt uint32) (Slot, *peer) {
	n.t.Helper()
	slot, p := n.hail(7, attempt, nil)
	p.in = nil
	return slot, p
}

// sends has a session send messages of these numbers in one read.
func (n *node) sends(slot Slot, numbers ...uint64) {
	n.t.Helper()
	var b []byte
	for _, number := range numbers {
		b = codec.AppendSend(b, number, nil)
	}
	n.send(slot, b)
}

// words are what a peer was told of its SENDs since the last call.
func words(t *testing.T, p *peer) (all []string) {
	t.Helper()
	for _, f := range frames(t, p.in) {
		switch f.Type {
		case codec.Ack:
			m, err := codec.ParseAck(f.Payload)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("ack %d-%d %d", m.First, m.Last, m.What))
		case codec.Nack:
			m, err := codec.ParseNack(f.Payload)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("nack %d %d", m.Number, m.Code))
		}
	}
	p.in = nil
	return all
}

func wantWords(t *testing.T, p *peer, want ...string) {
	t.Helper()
	if got := words(t, p); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A repeat of what has no answer yet is neither handled nor answered; of what has one it is answered.
func TestARepeatIsNotHandled(t *testing.T) {
	l := &ledger{}
	n := newNode(t, rigConfig{Handler: l.handler()})
	slot, p := n.sender(1)
	n.sends(slot, 1, 2, 3, 1, 2)
	l.want(t, 1, 2, 3)
	wantWords(t, p)
	s := &caller{r: n.r, slot: slot}
	_ = n.r.Ack(slot, ack(1, 1, 9))
	_ = n.r.Nack(slot, &codec.NackMessage{Number: 2, Code: 1234, Reason: []byte("no")})
	_ = s.Ack(2) // of two words the first counts
	n.r.flush(slot)
	wantWords(t, p, "ack 1-1 9", "nack 2 1234")
	n.sends(slot, 1, 2, 3)
	l.want(t, 1, 2, 3)
	wantWords(t, p, "ack 1-1 9", "nack 2 1234")
	if c := n.r.counters; c.RepeatsAnswered != 2 || c.RepeatsDropped != 3 || c.Sends != 8 {
		t.Errorf("%d answered, %d dropped, %d SENDs", c.RepeatsAnswered, c.RepeatsDropped, c.Sends)
	}
}

// Repeats of a read that were acknowledged with one word are answered by one frame.
func TestRepeatsAreAnsweredByRanges(t *testing.T) {
	l := &ledger{verdict: func(s *caller, number uint64) { _ = s.Ack(number) }}
	one, two := twoLoops(t, l)
	slot, _ := one.sender(1)
	one.sends(slot, 1, 2, 3, 4)
	next, q := two.sender(2)
	two.sends(next, 1, 2, 3, 4)
	l.want(t, 1, 2, 3, 4)
	wantWords(t, q, "ack 1-4 0")
}

// Only what was taken is acknowledged, whatever range the application names.
func TestARangeSettlesWhatIsOpen(t *testing.T) {
	n := newNode(t, rigConfig{Handler: (&ledger{}).handler()})
	slot, p := n.sender(1)
	n.sends(slot, 1, 2, 4, 5, 9)
	_ = n.r.Nack(slot, &codec.NackMessage{Number: 5, Code: 100})
	_ = n.r.Ack(slot, ack(0, 1<<64-1, 3))
	_ = n.r.Ack(slot, ack(7, 300, 3))
	n.r.flush(slot)
	wantWords(t, p, "nack 5 100", "ack 1-2 3", "ack 4-4 3", "ack 9-9 3")
}

// Whoever numbers without sense is served within the window.
func TestNumbersThatJump(t *testing.T) {
	const top = 1<<64 - 1
	l := &ledger{verdict: func(s *caller, number uint64) { _ = s.Ack(number) }}
	n := newNode(t, rigConfig{Handler: l.handler()})
	slot, p := n.sender(1)
	n.sends(slot, 1, 300, 44, 45, top, 300, top, top-255, top-256)
	l.want(t, 1, 300, 45, top, top-255)
	wantWords(t, p, "ack 1-1 0", "ack 300-300 0", "ack 45-45 0", "ack 18446744073709551615-18446744073709551615 0",
		"ack 18446744073709551615-18446744073709551615 0", "ack 18446744073709551360-18446744073709551360 0")
}

// The later connect is welcomed by another loop, and then the late bytes of the earlier one are read:
// in either order of their first SENDs each message is handled once, and its outcome goes over the
// later one.
func TestLateBytesOfAnEarlierConnect(t *testing.T) {
	for _, lateFirst := range []bool{true, false} {
		l := &ledger{}
		one, two := twoLoops(t, l)
		slot, p := one.sender(1)
		next, q := two.sender(2)
		if lateFirst {
			one.sends(slot, 1, 2)
		}
		two.sends(next, 1, 2, 3)
		one.sends(slot, 1, 2)
		l.want(t, 1, 2, 3)
		_ = one.r.Ack(slot, ack(1, 2, 5)) // by a callback of the old session
		one.r.flush(slot)
		_ = two.r.Ack(next, ack(2, 3, 6))
		two.r.flush(next)
		two.turn(never)
		wantWords(t, p)
		wantWords(t, q, "ack 3-3 6", "ack 1-2 5")
	}
}

// A HELLO of an older attempt that is read late is heard no more once the newer one has sent.
func TestAZombieIsNotHeard(t *testing.T) {
	l := &ledger{verdict: func(s *caller, number uint64) { _ = s.Ack(number) }}
	one, two := twoLoops(t, l)
	slot, p := one.sender(5)
	one.sends(slot, 1)
	zombie, q := two.sender(4)
	two.sends(zombie, 1, 2)
	one.sends(slot, 2)
	one.r.Closed(slot, ReasonPeerReset)
	two.sends(zombie, 3)
	l.want(t, 1, 2)
	wantWords(t, p, "ack 1-1 0", "ack 2-2 0")
	wantWords(t, q)
	if two.r.counters.RepeatsDropped != 3 {
		t.Errorf("%d were dropped, want 3", two.r.counters.RepeatsDropped)
	}
}

// A WELCOME may never arrive: its client stays where it was, and is served there.
func TestAWelcomeAloneChangesNothing(t *testing.T) {
	l := &ledger{verdict: func(s *caller, number uint64) { _ = s.Ack(number) }}
	one, two := twoLoops(t, l)
	slot, p := one.sender(1)
	one.sends(slot, 1)
	two.sender(2)
	one.sends(slot, 2)
	l.want(t, 1, 2)
	wantWords(t, p, "ack 1-1 0", "ack 2-2 0")
}

// What is settled while no session is there is told when the client sends again.
func TestSettledWhileTheClientIsAway(t *testing.T) {
	l := &ledger{}
	one, two := twoLoops(t, l)
	slot, _ := one.sender(1)
	one.sends(slot, 1, 2)
	from := one.r.senderOf(slot)
	one.r.Closed(slot, ReasonPeerReset)
	if err := one.r.settleSends(slot, from, ack(1, 1, 4)); err != nil {
		t.Fatal(err)
	}
	next, q := two.sender(2)
	two.sends(next, 1, 2)
	wantWords(t, q, "ack 1-1 4")
	// In Opened, before it has sent anything again, a handler may settle, too.
	two.r.Closed(next, ReasonPeerReset)
	last, p := one.sender(3)
	_ = one.r.Ack(last, ack(2, 2, 8))
	one.r.flush(last)
	wantWords(t, p)
	one.sends(last, 1, 2)
	wantWords(t, p, "ack 1-1 4", "ack 2-2 8")
	l.want(t, 1, 2)
}

// A handler that panics leaves no mark: the message is refused, and another time it is new.
func TestAPanicLeavesNoMark(t *testing.T) {
	l := &ledger{}
	l.verdict = func(s *caller, number uint64) {
		if number == 2 {
			_ = s.Ack(2)
		}
		if len(l.all) < 3 {
			s.r.Panicked()
		}
	}
	one, two := twoLoops(t, l)
	for _, step := range []struct {
		on     *node
		number uint64
		want   []string
	}{
		{one, 1, []string{"nack 1 2"}},
		{two, 2, []string{"ack 2-2 0"}}, // what it said before counts
		{one, 1, nil},
	} {
		slot, p := step.on.sender(uint32(len(l.all) + 1))
		step.on.sends(slot, step.number)
		wantWords(t, p, step.want...)
	}
	l.want(t, 1, 2, 1)
}

// While the handler runs that will panic, the repeat comes over the next connection, and is dropped:
// its client must hear of it there.
func TestAPanicIsToldWhereTheClientIs(t *testing.T) {
	l := &ledger{}
	one, two := twoLoops(t, l)
	next, q := two.sender(2)
	l.verdict = func(s *caller, _ uint64) {
		two.sends(next, 1)
		s.r.Panicked()
	}
	slot, p := one.sender(1)
	one.sends(slot, 1)
	wantWords(t, p, "nack 1 2")
	two.turn(never)
	wantWords(t, q, "nack 1 2")
	two.sends(next, 1)
	wantWords(t, q, "nack 1 2")
	l.want(t, 1)
}

// A bad reason is an error whoever would be told, and settles nothing.
func TestABadReasonSettlesNothing(t *testing.T) {
	n := newNode(t, rigConfig{Handler: (&ledger{}).handler()})
	slot, p := n.sender(1)
	n.sends(slot, 1)
	bad := &codec.NackMessage{Number: 1, Code: 100, Reason: make([]byte, 300)}
	from := n.r.senderOf(slot)
	if n.r.Nack(slot, bad) == nil {
		t.Error("a reason of 300 bytes is taken")
	}
	_ = n.r.Ack(slot, ack(1, 1, 0))
	n.r.flush(slot)
	wantWords(t, p, "ack 1-1 0")
	n.r.Closed(slot, ReasonPeerReset)
	if n.r.refuseSend(slot, from, bad) == nil {
		t.Error("a reason of 300 bytes is taken where nobody is told")
	}
}

// What one loop tells another's session fits where the mailbox is full.
func TestAVerdictFindsRoomInAFullMailbox(t *testing.T) {
	l := &ledger{}
	one, two := twoLoops(t, l)
	slot, _ := one.sender(1)
	one.sends(slot, 1, 2)
	next, q := two.sender(2)
	two.sends(next, 1, 2)
	box := two.r.Mailbox()
	for box.Deliver(two.r.Handle(next), nil) == nil {
	}
	_ = one.r.Ack(slot, ack(1, 1, 5))
	_ = one.r.Nack(slot, &codec.NackMessage{Number: 2, Code: 100, Reason: []byte("no")})
	two.turn(never)
	wantWords(t, q, "ack 1-1 5", "nack 2 100")
	for range 2 { // and takes nobody's place
		if err := box.Deliver(two.r.Handle(next), nil); err != nil {
			t.Error(err)
		}
	}
}

// What a paused session has kept is handled when it is resumed, unless its client has sent it again over
// a later connection meanwhile.
func TestWhatAPausedSessionKeptIsTakenOnce(t *testing.T) {
	l := &ledger{verdict: func(s *caller, number uint64) { _ = s.Ack(number) }}
	one, two := twoLoops(t, l)
	slot, p := one.sender(1)
	if err := one.r.PauseRead(slot); err != nil {
		t.Fatal(err)
	}
	one.sends(slot, 1, 2)
	l.want(t)
	next, q := two.sender(2)
	two.sends(next, 1)
	_ = one.r.ResumeRead(slot)
	one.turn(never)
	two.sends(next, 2)
	l.want(t, 1, 2)
	wantWords(t, p)
	wantWords(t, q, "ack 1-1 0", "ack 2-2 0")
}

// A reply settles what it replies to: its repeat is answered by an ACK, since nobody keeps a reply, and
// one of which the client has gone on to another loop goes there.
func TestAReplySettlesItsRequestForGood(t *testing.T) {
	reply := handler{Message: func(s *caller, number uint64, body []byte) {
		if string(body) == "now" {
			_ = s.r.Reply(s.slot, number, []byte("yes"))
		}
	}}
	n := newNode(t, rigConfig{Handler: reply})
	slot, p := n.sender(1)
	n.send(slot, codec.AppendRequest(nil, codec.Send, 1, []byte("now")))
	n.send(slot, codec.AppendRequest(nil, codec.Send, 1, []byte("now")))
	all := frames(t, p.in)
	if len(all) != 2 || all[0].Flags != codec.FlagReply || all[1].Type != codec.Ack {
		t.Fatalf("a request and its repeat are answered by %v", all)
	}
	n.send(slot, codec.AppendRequest(nil, codec.Send, 2, []byte("later")))
	other := n.beside(rigConfig{Handler: reply})
	slot2, q := other.sender(2)
	other.send(slot2, codec.AppendRequest(nil, codec.Send, 2, []byte("later")))
	p.in, q.in = nil, nil
	if err := n.r.Reply(slot, 2, []byte("yes")); err != nil {
		t.Fatal(err)
	}
	n.r.flush(slot)
	other.turn(never)
	if here, there := frames(t, p.in), frames(t, q.in); len(here) != 0 || len(there) != 1 || there[0].Flags != codec.FlagReply {
		t.Errorf("here %v, and at the newest session %v; want one reply there", here, there)
	}
}
