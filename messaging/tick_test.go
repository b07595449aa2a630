package messaging

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// order is what a list holds, from both ends.
func (l *ageList) order(t *testing.T) (all []*entry) {
	t.Helper()
	for e := l.oldest; e != nil; e = e.newer {
		all = append(all, e)
	}
	var back []*entry
	for e := l.newest; e != nil; e = e.older {
		back = append(back, e)
	}
	slices.Reverse(back)
	if !slices.Equal(all, back) {
		t.Fatalf("%d messages from the oldest on, %d from the newest", len(all), len(back))
	}
	return all
}

// What came before comes out before, whenever it was put there, and what was taken out is gone.
func TestAgesAreInOrderOfComing(t *testing.T) {
	var a ages
	var all []*entry
	for i := range 2000 {
		switch {
		case len(all) > 0 && rand.N(3) == 0:
			at := rand.N(len(all))
			a.remove(all[at])
			a.remove(all[at]) // once more changes nothing
			all = slices.Delete(all, at, at+1)
		case len(all) > 0 && rand.N(5) == 0:
			a.add(all[rand.N(len(all))]) // it is there
		default:
			e := &entry{at: time.Duration(i - rand.N(20))}
			all = append(all, e)
			a.add(e)
		}
	}
	got := a.fresh.order(t)
	if len(got) != len(all) {
		t.Fatalf("%d messages, want %d", len(got), len(all))
	}
	for i, e := range got {
		if !slices.Contains(all, e) || i > 0 && e.at < got[i-1].at {
			t.Fatalf("message %d is out of order, or was taken out", i)
		}
	}
	middle := got[len(got)/2].at
	for e := a.fresh.before(middle); e != nil; e = a.fresh.before(middle) {
		a.patient.add(e)
	}
	for _, e := range a.patient.order(t) {
		if e.at > middle {
			t.Errorf("one of %d came out before %d", e.at, middle)
		}
	}
	if left := a.fresh.order(t); len(left) > 0 && left[0].at <= middle {
		t.Errorf("one of %d is left, before %d", left[0].at, middle)
	}
}

// A message that may be sent again is as if it had never come; others are known until they are forgotten.
func TestRecentKnowsWhatBecameOfAMessage(t *testing.T) {
	var r recent
	r.init(maphash.MakeSeed())
	id := func(n int) ID { return ID{"alice", 1, uint64(n)} }
	var all []*entry
	for n := range 4 * recentMessages {
		e := new(entry)
		all = append(all, e)
		r.add("bob", id(n), e, time.Second)
		if first, _ := r.find("bob", id(n)); first != e {
			t.Fatalf("message %d is not under way", n)
		}
		result := Durable
		if n%3 == 0 {
			result = Refused
		}
		r.settle(e, result)
		r.settle(all[0], Delivered) // long after it was forgotten, it changes nothing
	}
	last := len(all) - 1
	for n := last; n > last-recentMessages/2; n-- {
		want := Durable
		if n%3 == 0 {
			want = 0
		}
		if first, what := r.find("bob", id(n)); first != nil || what != want {
			t.Fatalf("message %d is %v, want %v", n, what, want)
		}
	}
	again := new(entry)
	r.add("bob", id(last/3*3), again, time.Second)
	if first, _ := r.find("bob", id(last/3*3)); first != again {
		t.Error("what was refused does not come again")
	}
	r.settle(all[last/3*3], Delivered) // its first copy
	if first, _ := r.find("bob", id(last/3*3)); first != again {
		t.Error("a copy that was refused has settled the next")
	}
	if _, what := r.find("bob", id(1)); what != 0 {
		t.Error("the first messages are still known")
	}
}
