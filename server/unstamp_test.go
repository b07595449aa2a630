package server

import (
	"slices"
	"testing"
)

// A login that has a number, and is not welcomed after all, gives it back, and no other does.
func TestStampOfWhoIsNotWelcomedIsGivenBack(t *testing.T) {
	var back []uint64
	a := &application{handler: &Handler{Unstamp: func(stamp uint64) { back = append(back, stamp) }}}
	for slot, s := range []*Session{{stamp: 5}, {stamp: 6, since: 1}, {}} {
		s.app = a
		a.views.put(0, s)
		a.Gone(0)
		if a.views.at(0) != nil {
			t.Errorf("session %d is not forgotten", slot)
		}
	}
	if want := []uint64{5}; !slices.Equal(back, want) {
		t.Errorf("%v are given back, want %v", back, want)
	}
}
