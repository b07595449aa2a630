package gate

import (
	"testing"
	"time"
)

// rate is how many clients a second the node of a storm takes at most.
func (s *storm) rate() (rate float64) {
	for _, each := range s.each {
		rate += float64(each) / s.period.Seconds()
	}
	return rate
}

// However seldom a loop runs, its queue has what it can do.
func TestTheQueueHasRoomForWhatTheLoopTakes(t *testing.T) {
	for period, each := range map[time.Duration]int{10 * time.Millisecond: 40, 100 * time.Millisecond: 60, 150 * time.Millisecond: 60,
		400 * time.Millisecond: 60, time.Second: 60, 2 * time.Second: 60} {
		s := storm{ceiling: 20_000, period: period, each: []int{each}}
		clients := min(int(s.rate()*60), 18_000)
		ideal := time.Duration(float64(clients) / s.rate() * float64(time.Second))
		if took := s.run(clients, 10*ideal); took > ideal*13/10 {
			t.Errorf("%d clients at %.0f a second: they are in after %v, %v would do", clients, s.rate(), took, ideal)
		}
	}
}

// Whatever comes together with overload, it is a plateau: all are in about as soon as the node can take
// them, and while clients wait never nobody for long.
func TestAStormOfAnotherKindIsAPlateau(t *testing.T) {
	const each, period = 60, 150 * time.Millisecond
	stop := func(now time.Duration) bool { return now > 10*time.Second && now < 13*time.Second }
	for _, c := range []struct {
		name  string
		storm *storm
		times float64       // of what the node would need
		gap   time.Duration // the longest time with nobody
	}{
		{"nothing", &storm{ceiling: 20_000, each: []int{each}}, 1.1, time.Second},
		{"a node that stood still for 3 s", &storm{ceiling: 20_000, each: []int{each}, still: stop}, 1.3, 4 * time.Second},
		{"connections that say nothing", &storm{ceiling: 20_000, each: []int{each}, silent: 200}, 1.6, time.Second},
		{"clients of which half try again each second", &storm{ceiling: 20_000, each: []int{each}, old: 2}, 1.2, 2 * time.Second},
		{"one loop of two that is four times slower", &storm{ceiling: 20_000, each: []int{each, each / 4}}, 1.2, time.Second},
		{"a ceiling of 10 million", &storm{ceiling: 1e7, each: []int{each}}, 1.1, time.Second},
		{"a ceiling of next to nothing", &storm{ceiling: 1e-9, each: []int{each}}, 1.1, time.Second},
	} {
		s := c.storm
		s.period = period
		clients := int(s.rate() * 40)
		want := time.Duration(c.times * 40 * float64(time.Second))
		took := s.run(clients, 20*time.Minute)
		if took > want || s.gap > c.gap {
			t.Errorf("%s: %d of %d are in after %v, want them after %v; for %v there was nobody, want %v at most", c.name, s.count, clients, took, want, s.gap, c.gap)
		}
	}
}

// Who comes out of the queue is still there, though most have waited outside until their patience was nearly
// over: a place in the queue is not spent on those who go.
func TestHardlyAnybodyIsTakenInVain(t *testing.T) {
	for _, old := range []int{0, 2} {
		s := storm{ceiling: 20_000, period: 151 * time.Millisecond, each: []int{45}, old: old}
		if s.run(6_000, 20*time.Minute); s.gone > s.count/50 {
			t.Errorf("%.0f a second: %d came in, %d were taken in vain, want a fiftieth at most", s.rate(), s.count, s.gone)
		}
	}
}
