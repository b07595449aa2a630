package swarm

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

var benchEpoch = time.UnixMilli(1_700_000_000_000)

// talking has users of a post talk, five messages each, and says what came of it, when the ledger is as it is to be.
// during is called while they talk.
func talking(t *testing.T, p *post, n int, talk Talk, over func(tally.Reconciled) bool, during func(*Swarm)) tally.Tally {
	t.Helper()
	const every = 40 * time.Millisecond
	s, finish := startSwarm(t, n, func(c *Config) { c.Send, c.Every, c.Talk = "64B", every, &talk }, p.Node)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == n })
	benchtest.WaitFor(t, "all are in their rooms", func() bool { return s.Owing() == 0 })
	s.Talk(s.Now(), 5*every)
	if during != nil {
		during(s)
	}
	sent := 0
	for client := range n {
		if talk.speaks(talk.user(client)) {
			sent += 5
		}
	}
	benchtest.WaitFor(t, "every message is settled", func() bool { return s.Counts().Messages.Sent == sent && s.Owing() == 0 })
	p.mu.Lock()
	for user := range n / talk.devices() {
		if acks := p.acks[s.userName(user)]; talk.deaf(user, n) && acks > 0 {
			t.Errorf("user %d is deaf, and acknowledges %d messages", user, acks)
		}
	}
	p.mu.Unlock()
	s.Hear()
	benchtest.WaitFor(t, "what is under way", func() bool { return over(s.Ledger().Reconcile(talk.Addressees)) })
	s.CloseCount()
	sum := finish()
	sum.Settle(talk.Addressees)
	return sum
}

func nothingMissing(r tally.Reconciled) bool { return r.Undelivered == 0 }

func TestWhatUsersTellEachOtherIsReconciled(t *testing.T) {
	for name, talk := range map[string]Talk{"pairs": {}, "rooms": {Rooms: 2, RoomSize: 5}, "both": {Rooms: 1, RoomSize: 4},
		"fan-out": {Rooms: 1, RoomSize: 6, Speakers: 2}, "deaf": {Deaf: 3}} {
		sum := talking(t, startPost(t, &post{}), 10, talk, nothingMissing, nil)
		m := sum.Counters.Messages
		sent, copies := 0, 0
		for user := range 10 {
			if talk.speaks(user) {
				sent, copies = sent+5, copies+5*len(talk.Addressees(user))
			}
		}
		if m.Sent != sent || m.Acknowledged != sent || m.Lost+m.HeldLost+m.Refused+m.Doubled+m.Pending != 0 || m.Delivered != copies || m.Undelivered != 0 {
			t.Errorf("%s: %+v, want %d messages and %d copies", name, m, sent, copies)
		}
		if sum.Messages.Count() != sent || sum.Deliveries.Count() != copies || sum.Confirmations.Count() != m.Confirmed {
			t.Errorf("%s: %d, %d and %d latencies of %+v", name, sum.Messages.Count(), sum.Deliveries.Count(), sum.Confirmations.Count(), m)
		}
	}
}

// Of what each node does wrong, one message in five is an example.
func TestANodeThatLosesMessagesIsFoundOut(t *testing.T) {
	third := func(word uint8, copies int, renamed bool) func(uint64) (uint8, int, bool) {
		return func(number uint64) (uint8, int, bool) {
			if number == 3 {
				return word, copies, renamed
			}
			return envelope.AckDelivered, 1, false
		}
	}
	for name, tt := range map[string]struct {
		post *post
		want tally.Messages
	}{
		"delivered, and not there": {&post{fate: third(envelope.AckDelivered, 0, false)}, tally.Messages{Lost: 10, Confirmed: 50, Delivered: 40, Undelivered: 10}},
		"durable, and not there":   {&post{fate: third(envelope.AckDurable, 0, false)}, tally.Messages{Lost: 10, Durable: 10, Confirmed: 40, Delivered: 40, Undelivered: 10}},
		"held, and gone":           {&post{fate: third(envelope.AckHeld, 0, false)}, tally.Messages{HeldLost: 10, Held: 10, Confirmed: 40, Delivered: 40, Undelivered: 10}},
		"durable, of which another is told": {&post{alien: true, fate: func(uint64) (uint8, int, bool) { return envelope.AckDurable, 1, false }},
			tally.Messages{Durable: 50, Delivered: 50}},
		"a copy":                 {&post{fate: third(envelope.AckDelivered, 2, false)}, tally.Messages{Confirmed: 50, Delivered: 50}},
		"a copy of another name": {&post{fate: third(envelope.AckDelivered, 2, true)}, tally.Messages{Doubled: 10, Confirmed: 50, Delivered: 50}},
	} {
		sum := talking(t, startPost(t, tt.post), 10, Talk{}, func(r tally.Reconciled) bool { return r.Delivered == tt.want.Delivered }, nil)
		tt.want.Carried, tt.want.Sent, tt.want.Acknowledged = true, 50, 50
		if m := sum.Counters.Messages; m != tt.want {
			t.Errorf("%s: %+v, want %+v", name, m, tt.want)
		}
	}
}

// A member that is told of a gap joins anew, and has lost nothing without a word. One that is not told, has.
func TestARoomThatForgetsHasToTell(t *testing.T) {
	second := func(offset uint64) bool { return offset == 2 }
	for _, tells := range []bool{true, false} {
		forgot := false
		forgets := second
		if !tells { // or the place is taken again and again
			forgets = func(offset uint64) bool { now := offset == 2 && !forgot; forgot = forgot || now; return now }
		}
		sum := talking(t, startPost(t, &post{forgets: forgets, tells: tells}), 5, Talk{Rooms: 1, RoomSize: 5},
			func(r tally.Reconciled) bool { return !tells || r.Lost == 0 }, nil)
		m := sum.Counters.Messages
		if lost := m.Lost > 0; m.Acknowledged != 25 || m.Undelivered == 0 || lost == tells {
			t.Errorf("told %v: %+v", tells, m)
		}
	}
}

// What has no answer when a connection ends goes out again, with its number: it is one message.
func TestWhatIsSentAgainCountsOnce(t *testing.T) {
	p := startPost(t, &post{mute: true})
	sum := talking(t, p, 10, Talk{}, func(tally.Reconciled) bool { return true }, func(s *Swarm) {
		benchtest.WaitFor(t, "some are sent", func() bool { return s.Counts().Messages.Sent >= 10 })
		s.BeginStorm(s.Now())
		p.mu.Lock()
		p.mute = false
		p.mu.Unlock()
		if n, _ := s.Cut("", 10); n != 10 {
			t.Fatalf("%d are cut", n)
		}
	})
	m := sum.Counters.Messages
	if m.Sent != 50 || m.Acknowledged != 50 || m.Doubled != 0 || m.Pending != 0 { // this node loses what it has for who is away
		t.Errorf("%+v, want 50 messages", m)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.sends) != 50 {
		t.Errorf("the node has seen %d names, want one for each message", len(p.sends))
	}
	again := 0
	for _, n := range p.sends {
		again += n - 1
	}
	if again < 10 {
		t.Errorf("%d came again, want what was sent before the cut", again)
	}
}
