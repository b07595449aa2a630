package link

import (
	"container/heap"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// storm is 10,000 links of one dead node in virtual time. The other node takes every
// attempt; buckets counts the attempts in hundredths of span.
type storm struct {
	links []Link
	queue deadlines
	out   Out
}

type deadlines []struct {
	at   time.Duration
	link int
}

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at < d[j].at }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deadlines) Push(x any)        { *d = append(*d, x.(deadlines)[0]) }
func (d *deadlines) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

func newStorm(t *testing.T, n int, terms codec.Terms) *storm {
	cfg := &Config{Endpoints: []string{"10.0.0.1:1", "10.0.0.2:1"}}
	cfg.Fill()
	s := &storm{links: make([]Link, n)}
	welcome, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.links {
		l := &s.links[i]
		l.Init(cfg, uint64(i), uint64(i))
		// All connected within one interval, as after a ramp.
		now := time.Hour + l.rng.below(terms.Interval)
		l.Start(now, &s.out)
		l.Connected(now, 1, nil, &s.out)
		l.Received(now, 1, welcome, &s.out)
		s.out.Reset()
	}
	return s
}

// returns runs the links until all have dialled again and gives the times.
func (s *storm) returns(from time.Duration) []time.Duration {
	var times []time.Duration
	for i := range s.links {
		heap.Push(&s.queue, deadlines{{s.links[i].Deadline(), i}})
	}
	for s.queue.Len() > 0 {
		i := s.queue[0].link
		l, now := &s.links[i], max(s.queue[0].at, 0)
		heap.Pop(&s.queue)
		l.Tick(now, &s.out)
		dialled := false
		for _, a := range s.out.Actions {
			if a.Op == Dial {
				dialled = true
				times = append(times, now-from)
			}
		}
		s.out.Reset()
		if !dialled {
			heap.Push(&s.queue, deadlines{{l.Deadline(), i}})
		}
	}
	return times
}

// even checks that the attempts fill [0, span) without a peak: no hundredth may have more
// than 1.5 times its share (five sigma and more for 10,000 links), none of the first 90
// less than half.
func even(t *testing.T, times []time.Duration, span time.Duration) {
	t.Helper()
	var buckets [100]int
	for _, at := range times {
		if at < 0 || at > span {
			t.Fatalf("attempt at %v, want within %v", at, span)
		}
		buckets[min(int(at*100/span), 99)]++
	}
	share := len(times) / 100
	for i, n := range buckets {
		if n > share*3/2 || i < 90 && n < share/2 {
			t.Errorf("hundredth %d has %d attempts of a share of %d: %v", i, n, share, buckets)
			return
		}
	}
}

func TestStormOfBrokenConnectionsIsSpreadOverTheWindow(t *testing.T) {
	s := newStorm(t, 10_000, testTerms)
	died := 2 * time.Hour
	attempts := uint32(0)
	for i := range s.links {
		s.links[i].Disconnected(died, 1, errReset, &s.out)
		s.out.Reset()
	}
	even(t, s.returns(died), testTerms.Window)
	for i := range s.links {
		attempts += s.links[i].Info().Dials - 1
	}
	if attempts != 10_000 {
		t.Errorf("%d attempts for 10,000 returns", attempts)
	}
}

// A node that falls silent is noticed over an interval; the window is not added to that.
func TestStormOfSilenceIsSpreadOverTheWindowToo(t *testing.T) {
	for _, window := range []time.Duration{90 * time.Second, 2 * time.Minute} {
		terms := codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: window}
		s := newStorm(t, 10_000, terms)
		// Answer PINGs until the node dies, so that the phases are those of long life.
		died := time.Hour + 10*time.Minute
		var pong []byte
		for i := range s.links {
			l := &s.links[i]
			for l.Deadline() < died {
				now := l.Deadline()
				l.Tick(now, &s.out)
				pong = codec.AppendPong(pong[:0], codec.PongMessage{Token: l.heartbeat.token, Terms: terms})
				l.Received(now, 1, pong, &s.out)
				s.out.Reset()
			}
		}
		times := s.returns(died + 10*time.Second) // nobody can notice before the pong timeout
		var buckets [100]int
		late := 0
		for _, at := range times {
			if at < 0 {
				t.Fatalf("noticed %v before the pong timeout", -at)
			}
			if at >= window {
				late++
				continue
			}
			buckets[at*100/window]++
		}
		if late > 100 {
			t.Errorf("window %v: %d of 10,000 came after it", window, late)
		}
		for i, n := range buckets {
			if n > 170 {
				t.Errorf("window %v: hundredth %d has %d attempts of a share of 100: %v", window, i, n, buckets)
				break
			}
		}
	}
}

// Full jitter from the start is what the window is for.
func TestStormWithoutWindowPeaks(t *testing.T) {
	s := newStorm(t, 1000, testTerms)
	cfg := *s.links[0].cfg
	cfg.Policy = Full
	for i := range s.links {
		s.links[i].cfg = &cfg
		s.links[i].Disconnected(2*time.Hour, 1, errReset, &s.out)
		s.out.Reset()
	}
	for _, at := range s.returns(2 * time.Hour) {
		if at > time.Second {
			t.Fatalf("attempt at %v: the comparison is not the storm it should be", at)
		}
	}
}
