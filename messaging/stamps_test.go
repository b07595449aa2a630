package messaging

import "testing"

// What others are told of a user holds for the logins that are through, and for none that is not.
func TestStampBelowAllLoginsThatAreNotThrough(t *testing.T) {
	var s stamps
	begin := s.begin(counter{new(uint64)})
	expect := func(want uint64) {
		t.Helper()
		if got := s.asOf(); got != want {
			t.Errorf("as of %d, want %d", got, want)
		}
	}
	expect(0)
	s.end(begin(0))
	expect(1)
	first, second := begin(0), begin(9)
	s.end(second)
	expect(first - 1)
	s.end(first)
	expect(10)
	third := begin(0)
	expect(10)
	s.end(third) // it will never come
	expect(11)
}

// A node that has ended gives no stamp, and nobody says that such a login is through: nothing is left of it.
func TestNoStampLeavesNothing(t *testing.T) {
	var s stamps
	begin := s.begin(counter{new(uint64)})
	first := begin(0)
	s.begin(ended{})(0)
	second := begin(0)
	s.end(second)
	if got := s.asOf(); got != first-1 {
		t.Errorf("as of %d, want %d: a login is not through", got, first-1)
	}
	s.end(first)
	if len(s.early) != 0 {
		t.Errorf("%d logins wait to be through", len(s.early))
	}
}

// ended gives no stamps.
type ended struct{}

func (ended) Stamp(uint64) uint64 { return 0 }

// counter is other nodes of which only the stamps matter.
type counter struct{ last *uint64 }

func (c counter) Stamp(after uint64) uint64 {
	*c.last = max(*c.last, after) + 1
	return *c.last
}
