package swarm

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
)

func carrying(every time.Duration) func(*Config) {
	return func(c *Config) { c.Send, c.Deliver, c.Every = "100B", true, every }
}

// closed waits until every message is settled, as a run does before its end.
func closed(t *testing.T, s *Swarm) {
	t.Helper()
	s.CloseCount()
	defer func() {
		if t.Failed() {
			t.Logf("%+v", s.Counts())
		}
	}()
	benchtest.WaitFor(t, "every message is settled", func() bool { n := s.Counts().Messages; return n.Waiting() == 0 })
}

// reconciled holds the counts of a run that is over to each other.
func reconciled(t *testing.T, sum *tally.Tally) tally.Messages {
	t.Helper()
	n := sum.Counters.Messages
	if n.Sent != n.Acknowledged+n.Refused+n.Lost || sum.Messages.Count() != n.Sent {
		t.Errorf("%+v with %d latencies do not add up", n, sum.Messages.Count())
	}
	if want := n.Delivered + n.Undelivered - n.Offline; sum.Deliveries.Count() != want {
		t.Errorf("%d latencies of publications, want %d: %+v", sum.Deliveries.Count(), want, n)
	}
	return n
}

func TestEveryMessageIsSentWhenItIsDueAndAnswered(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Every: 100 * time.Millisecond})
	s, finish := startSwarm(t, 40, carrying(100*time.Millisecond), f)
	benchtest.WaitFor(t, "400 of each", func() bool { n := s.Counts().Messages; return n.Acknowledged >= 400 && n.Delivered >= 400 })
	closed(t, s)
	sum := finish()
	n := reconciled(t, &sum)
	if n.Refused+n.Lost+n.Pending+n.Doubled+n.Undelivered != 0 || sum.Counters.Losses.Total() != 0 {
		t.Errorf("%+v, want all acknowledged and delivered", n)
	}
}

func TestWhatIsNotAnsweredIsLost(t *testing.T) {
	var refuse atomic.Bool
	f := benchtest.Start(t, &benchtest.Node{Answer: func(number uint64, _ []byte) []byte {
		if number == 1 && refuse.CompareAndSwap(false, true) {
			b, _ := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: codec.NackBusy})
			return b
		}
		if number > 3 {
			return nil
		}
		return codec.AppendAck(nil, codec.AckOf(number))
	}})
	s, finish := startSwarm(t, 10, func(c *Config) { c.Send, c.Every = "100B", 50*time.Millisecond }, f)
	benchtest.WaitFor(t, "100 are sent, and three of each answered", func() bool {
		n := s.Counts().Messages
		return n.Sent >= 100 && n.Acknowledged+n.Refused == 30
	})
	s.CloseCount()
	sum := finish()
	n := reconciled(t, &sum)
	if n.Acknowledged != 29 || n.Refused != 1 || n.Lost != n.Sent-30 || n.Pending != n.Lost {
		t.Errorf("%+v, want 29 acknowledged, one refused, and all others pending", n)
	}
	if most := sum.Messages.Percentiles().Max; most < 100 {
		t.Errorf("the longest took %v ms: those without an answer took as long as they were waited for", most)
	}
}

// A message that could not be sent when it was due says so, and none is left out: all of a client's
// follow from its first.
func TestAnOutageDelaysMessagesAndLosesNone(t *testing.T) {
	const every = 50 * time.Millisecond
	var mu sync.Mutex
	got := map[time.Duration]map[uint64]bool{} // numbers, by when the client's first is due
	answer := func(number uint64, body []byte) []byte {
		m, ok := payload.Parse(body)
		if !ok || m.Kind != payload.Sent || m.Number != number || len(body) != 100 {
			t.Errorf("SEND %d has the body %+v %v of %d bytes", number, m, ok, len(body))
		}
		mu.Lock()
		defer mu.Unlock()
		first := m.Due - time.Duration(number-1)*every
		if got[first] == nil {
			got[first] = map[uint64]bool{}
		}
		got[first][number] = true
		return codec.AppendAck(nil, codec.AckOf(number))
	}
	a, b := benchtest.Start(t, &benchtest.Node{Every: every, Answer: answer}), benchtest.Start(t, &benchtest.Node{Every: every, Answer: answer})
	s, finish := startSwarm(t, 40, carrying(every), a, b)
	benchtest.WaitFor(t, "200 are acknowledged", func() bool { return s.Counts().Messages.Acknowledged >= 200 })
	a.Stop()
	benchtest.WaitFor(t, "20 are lost", func() bool { n := s.Counts(); return n.Losses.Total() >= 20 })
	benchtest.WaitFor(t, "all are back", func() bool { return s.Ready() == 40 })
	closed(t, s)
	sum := finish()
	n := reconciled(t, &sum)
	if n.Lost+n.Refused != 0 || n.Offline > n.Undelivered {
		t.Errorf("%+v, want all acknowledged", n)
	}
	mu.Lock()
	defer mu.Unlock()
	distinct := 0
	for first, numbers := range got {
		for number := range uint64(len(numbers)) {
			if !numbers[number+1] {
				t.Errorf("of the client whose first is due at %v, %d messages came, and not number %d", first, len(numbers), number+1)
			}
		}
		distinct += len(numbers)
	}
	if len(got) != 40 || distinct != n.Sent {
		t.Errorf("%d messages of %d clients came, %d were sent by 40", distinct, len(got), n.Sent)
	}
}

func TestWhatWentOverTwoConnectionsMayBeDoubled(t *testing.T) {
	var mute atomic.Bool
	var unanswered atomic.Int64
	mute.Store(true)
	f := benchtest.Start(t, &benchtest.Node{Answer: func(number uint64, _ []byte) []byte {
		if mute.Load() {
			unanswered.Add(1)
			return nil
		}
		return codec.AppendAck(nil, codec.AckOf(number))
	}})
	s, finish := startSwarm(t, 10, func(c *Config) { c.Send, c.Every = "100B", time.Hour }, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 10 })
	s.onLoops(func(l *loop) {
		for i := range l.senders {
			l.senders[i].first = l.now
			l.sendable(uint32(i))
			l.arm(uint32(i), &l.clients[i])
		}
	})
	benchtest.WaitFor(t, "all have sent", func() bool { return s.Counts().Messages.Sent == 10 && unanswered.Load() == 10 })
	mute.Store(false)
	if n, _ := s.Cut("", 7); n != 7 {
		t.Fatalf("%d are cut", n)
	}
	benchtest.WaitFor(t, "seven are answered", func() bool { return s.Counts().Messages.Acknowledged == 7 })
	sum := finish()
	if n := reconciled(t, &sum); n.Doubled != 7 || n.Lost != 3 || n.Pending != 3 {
		t.Errorf("%+v, want seven that may be doubled", n)
	}
}

func TestAPublicationThatDoesNotComeIsMissed(t *testing.T) {
	var skipped atomic.Int64
	f := benchtest.Start(t, &benchtest.Node{Every: 50 * time.Millisecond, Skip: func(n uint64) bool {
		if n%4 != 0 {
			return false
		}
		skipped.Add(1)
		return true
	}})
	s, finish := startSwarm(t, 10, carrying(50*time.Millisecond), f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 10 })
	before := skipped.Load() // of some of these their clients know nothing
	benchtest.WaitFor(t, "100 more were forgotten", func() bool { return skipped.Load() >= before+100 })
	s.CloseCount()
	sum := finish()
	n := reconciled(t, &sum)
	if least := 90; n.Undelivered < least || n.Undelivered > n.Delivered || n.Offline+n.Doubled != 0 {
		t.Errorf("%+v, want a quarter of the publications undelivered", n)
	}
}

func TestClientsThatLeaveOweNothing(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Every: 50 * time.Millisecond})
	s, finish := startSwarm(t, 40, func(c *Config) { carrying(50 * time.Millisecond)(c); c.Lifetime = 500 * time.Millisecond }, f)
	benchtest.WaitFor(t, "100 have left", func() bool { return s.Counts().Departures >= 100 })
	s.Settle()
	closed(t, s)
	sum := finish()
	if n := reconciled(t, &sum); n.Lost+n.Refused+n.Doubled+n.Undelivered != 0 || n.Acknowledged < 100 || n.Delivered < 100 {
		t.Errorf("%+v, want all acknowledged and delivered", n)
	}
}

func TestMessagesToForeignServersAreAnswered(t *testing.T) {
	for protocol, f := range map[string]*benchtest.Node{
		foreign.Echo: benchtest.StartEcho(t, benchtest.Patience),
		foreign.MQTT: benchtest.Start(t, &benchtest.Node{Meet: benchtest.Broker(benchtest.Accept, "")}),
	} {
		s, finish := startSwarm(t, 20, func(c *Config) {
			c.Protocol, c.Interval, c.Send, c.Every = protocol, 10*time.Second, "20B:50%,200B..2KB:50%", 50*time.Millisecond
		}, f)
		benchtest.WaitFor(t, protocol+" acknowledges 200", func() bool { return s.Counts().Messages.Acknowledged >= 200 })
		closed(t, s)
		sum := finish()
		if n := reconciled(t, &sum); n.Lost+n.Refused+n.Doubled != 0 || sum.Counters.Losses.Total() != 0 {
			t.Errorf("%s: %+v, %+v", protocol, n, sum.Counters.Losses)
		}
	}
}
