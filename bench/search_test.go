package bench

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
)

func TestTheSearchFindsTheKnee(t *testing.T) {
	for _, tt := range []struct {
		most, knee   float64 // loads up to the knee hold
		best, missed float64 // 0 missed: none
	}{
		{1600, 1000, 1000, 1050},   // a twentieth is close enough
		{1600, 99, 99, 103},        // just below where it begins
		{1600, 3, 3, 4},            // far below
		{1600, 0, 0, 1},            // nothing holds
		{1600, 1600, 1600, 0},      // all holds
		{1600, 1e9, 1600, 0},       // the same
		{1, 1, 1, 0},               // a single load
		{2500.7, 2500, 2500, 0},    // loads are whole
		{100000, 6249, 6249, 6250}, // at the edge of the first one
	} {
		tries := 0
		s := search{most: tt.most, try: func(load float64) (bool, error) {
			if tries++; tries > 200 {
				t.Fatalf("most %v, knee %v: it does not end", tt.most, tt.knee)
			}
			if load != math.Trunc(load) || load < 1 || load > tt.most {
				t.Errorf("most %v, knee %v: load %v", tt.most, tt.knee, load)
			}
			return load <= tt.knee, nil
		}}
		if err := s.run(); err != nil {
			t.Fatal(err)
		}
		close := func(got, want float64) bool { return math.Abs(got-want) <= max(1, want/findGap) }
		if s.best > tt.knee || !close(s.best, tt.best) || tt.missed == 0 != (s.missed == 0) || !close(s.missed, tt.missed) {
			t.Errorf("most %v, knee %v: best %v, missed %v; want about %v and %v", tt.most, tt.knee, s.best, s.missed, tt.best, tt.missed)
		}
	}
}

// One bad moment of a shared machine must not end the search.
func TestALoadFailsOnlyTwice(t *testing.T) {
	tries := map[float64]int{}
	s := search{most: 1600, try: func(load float64) (bool, error) {
		tries[load]++
		return load <= 1000 && tries[load] > 1, nil
	}}
	if err := s.run(); err != nil || s.best < 950 || s.best > 1000 {
		t.Errorf("best %v, %v; want about 1000 though every first try fails", s.best, err)
	}
	broken := errors.New("no server")
	s = search{most: 1600, try: func(float64) (bool, error) { return false, broken }}
	if err := s.run(); !errors.Is(err, broken) {
		t.Errorf("a trial that cannot be made: %v", err)
	}
}

// A search that was interrupted is not said to have met its goal's end, and the second try of
// a load is the one that counts.
func TestASearchSaysWhyItEnded(t *testing.T) {
	tried := func(verdicts ...result.Verdict) *result.FindMax {
		f := &result.FindMax{}
		for _, v := range verdicts {
			f.Trials = append(f.Trials, result.Trial{Load: 8, Verdict: v})
		}
		return f
	}
	for _, tt := range []struct {
		f       *result.FindMax
		s       search
		err     error
		by, say string
		held    bool
	}{
		{tried(result.Fail, result.Fail), search{best: 4, missed: 8}, nil, "goal", "and not at 8", false},
		{tried(result.Fail, result.Invalid), search{best: 4, missed: 8}, nil, "generator", "the generator's figures do not count", false},
		{tried(result.Invalid, result.Fail), search{best: 4, missed: 8}, nil, "goal", "and not at 8", false},
		{tried(result.Pass), search{best: 8}, nil, "most", "the most that was asked for", false},
		{tried(result.Fail, result.Fail), search{best: 4, missed: 8}, errors.New("Ctrl-C"), "interrupted", "as far as the search went", false},
		{tried(result.Pass), search{best: 8}, errors.New("Ctrl-C"), "interrupted", "as far as the search went", false},
		{tried(result.Fail, result.Fail), search{best: 4, missed: 8}, nil, "server", "not everybody got in", true},
	} {
		conclude(tt.f, &tt.s, tt.held, tt.err)
		if tt.f.LimitedBy != tt.by || !strings.Contains(tt.f.Limit(), tt.say) || (tt.f.Missed != nil) != (tt.s.missed > 0) {
			t.Errorf("%+v, %v: limited by %s%s; want %s", tt.s, tt.err, tt.f.LimitedBy, tt.f.Limit(), tt.by)
		}
	}
}
