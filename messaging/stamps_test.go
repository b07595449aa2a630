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

// counter is other nodes of which only the stamps matter.
type counter struct{ last *uint64 }

func (c counter) Stamp(after uint64) uint64 {
	*c.last = max(*c.last, after) + 1
	return *c.last
}
