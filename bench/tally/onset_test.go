package tally

import (
	"reflect"
	"testing"
	"time"
)

// at is a row of bins with counts at some of them.
func at(length int, counts map[int]uint32) []uint32 {
	bins := make([]uint32, length)
	for i, n := range counts {
		bins[i] = n
	}
	return bins
}

// steady is a count in each bin of a span.
func steady(bins []uint32, from, to int, n uint32) []uint32 {
	for i := from; i < to; i++ {
		bins[i] = n
	}
	return bins
}

func TestAMassLossIsFoundWhereItBegan(t *testing.T) {
	const none = -1
	for _, tt := range []struct {
		name    string
		bins    []uint32
		clients int
		want    int // bin
	}{
		{"nothing", at(100, nil), 1000, none},
		{"a kill", at(100, map[int]uint32{40: 500}), 1000, 40},
		{"a kill over two bins", at(100, map[int]uint32{40: 3, 41: 497}), 1000, 40},
		{"a loss long before", at(100, map[int]uint32{10: 1, 40: 500}), 1000, 40},
		{"a few losses before", at(200, map[int]uint32{10: 1, 60: 2, 110: 1, 180: 500}), 1000, 180},
		{"single losses only", at(600, map[int]uint32{0: 1, 100: 1, 200: 1, 300: 1, 400: 1, 500: 1}), 1000, none},
		{"what a large crowd loses anyway", steady(at(600, nil), 0, 600, 9), 100_000, none},
		{"in such a crowd", steady(steady(at(600, nil), 0, 600, 9), 300, 301, 50_000), 100_000, 300},
		{"a network that is silent: over a heartbeat of 30 s", steady(at(400, nil), 50, 350, 2), 1000, 50},
		{"one node of fifty", at(100, map[int]uint32{40: 20}), 1000, 40},
		{"all of two", at(100, map[int]uint32{40: 2}), 2, 40},
		{"one of two", at(100, map[int]uint32{40: 1}), 2, none},
		{"three of ten", at(100, map[int]uint32{40: 3}), 10, 40},
		{"no clients", at(10, nil), 0, none},
	} {
		began, found := MassLoss(tt.bins, tt.clients)
		if want := time.Duration(tt.want) * attemptBin; found != (tt.want != none) || found && began != want {
			t.Errorf("%s: %v, %v; want bin %d", tt.name, began, found, tt.want)
		}
	}
}

func TestAStormThatIsFoundLaterHasNothingFromBefore(t *testing.T) {
	s := Storm{Clients: 5, Offline: 5, Attempts: 9, PerBin: []uint32{1, 0, 3, 5}, LostPerBin: []uint32{1, 0, 4}, BackPerBin: []uint32{0, 1, 1, 2},
		Returns: []time.Duration{150 * time.Millisecond, 250 * time.Millisecond, 310 * time.Millisecond, 390 * time.Millisecond}}
	s.From(200 * time.Millisecond)
	want := Storm{Clients: 4, Offline: 4, Attempts: 8, PerBin: []uint32{3, 5}, LostPerBin: []uint32{4}, BackPerBin: []uint32{1, 2},
		Returns: []time.Duration{50 * time.Millisecond, 110 * time.Millisecond, 190 * time.Millisecond}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("%+v\nwant %+v", s, want)
	}
	s.From(time.Hour)
	if s.Attempts != 0 || len(s.Returns) != 0 || s.Clients != 1 { // who is still out
		t.Errorf("%+v", s)
	}
}
