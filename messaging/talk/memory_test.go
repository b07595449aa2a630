package talk

import (
	"testing"
	"time"
)

func known(n int, at time.Time) Known { return Known{ID{"alice/phone", 1, uint64(n)}, at} }

func TestMemoryKeepsALotOrWhatIsYoung(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for name, test := range map[string]struct {
		ids  int
		each time.Duration
		want int
	}{
		"few":           {1000, time.Hour, 1000},
		"old":           {3000, time.Second, memoryIDs}, // 300 of them are young
		"young":         {3000, time.Millisecond, 3000},
		"2,000 a 5 min": {6000, 150 * time.Millisecond, 2001},
		"too many":      {40_000, time.Millisecond, memoryMost},
	} {
		m := newMemory(start)
		for n := range test.ids {
			m.add(known(n, start.Add(time.Duration(n)*test.each)), answer{code: 7})
			m.add(known(n, start), answer{}) // it is there
		}
		if len(m.answers) != test.want || len(m.order)-m.head != test.want {
			t.Errorf("%s: %d ids, want %d", name, len(m.answers), test.want)
		}
		if a, ok := m.find(known(test.ids-1, start).ID); !ok || a.code != 7 {
			t.Errorf("%s: the last is not there", name)
		}
		if _, ok := m.find(known(test.ids-test.want, start).ID); !ok {
			t.Errorf("%s: the oldest is not there", name)
		}
		forgot := test.ids - test.want
		if _, ok := m.find(known(forgot-1, start).ID); ok {
			t.Errorf("%s: more is there", name)
		}
		since := start
		if forgot > 0 {
			since = start.Add(time.Duration(forgot-1) * test.each)
		}
		if !m.since.Equal(since) {
			t.Errorf("%s: since %v, want %v", name, m.since.Sub(start), since.Sub(start))
		}
		if cap(m.order) > 4*memoryMost {
			t.Errorf("%s: room for %d", name, cap(m.order))
		}
	}
}
