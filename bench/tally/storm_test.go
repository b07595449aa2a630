package tally

import (
	"math"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

func seconds(n ...float64) (d []time.Duration) {
	for _, s := range n {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

// A node that stands still tells nobody: who is on it can come back when he has noticed.
func TestTheIdealOfAFreezeBeginsWhenTheFirstHasNoticed(t *testing.T) {
	tally := NewStorm()
	tally.Clients, tally.LostPerBin = 100, []uint32{0, 0, 0, 40, 60}
	for _, tt := range []struct {
		kind     string
		lost     []uint32
		from, in float64
	}{
		{"freeze", []uint32{0, 0, 0, 40, 60}, 0.3, 0.8},
		{"kill", []uint32{0, 0, 0, 40, 60}, 0, 0.5},
	} {
		tally.LostPerBin = tt.lost
		s := tally.Report(StormFacts{Kind: tt.kind, Capacity: 200, Outage: new(time.Duration)})
		if s.IdealFromS == nil || *s.IdealFromS != tt.from || math.Abs(*s.IdealS-tt.in) > 1e-9 {
			t.Errorf("%s: ideal %s from %s, want %g from %g", tt.kind, result.Number(s.IdealS), result.Number(s.IdealFromS), tt.in, tt.from)
		}
	}
	tally.LostPerBin = nil
	if s := tally.Report(StormFacts{Kind: "freeze", Capacity: 200, Outage: new(time.Duration)}); s.IdealS != nil {
		t.Errorf("nobody noticed: ideal %s", result.Number(s.IdealS))
	}
}

func TestAClientThatNeverReturnsMakesT100Null(t *testing.T) {
	all := Storm{Clients: 4, Returns: seconds(3, 1, 2, 4), Attempts: 5}
	s := all.Report(StormFacts{Kind: "kill", Policy: "window", Capacity: 2, Outage: new(time.Duration)})
	if s.T100S == nil || *s.T100S != 4 || *s.T50S != 2 {
		t.Errorf("all back: t50 %v, t100 %v, want 2 and 4", result.Number(s.T50S), result.Number(s.T100S))
	}
	if *s.IdealS != 2 || *s.AttemptsPerSuccess != 1.25 {
		t.Errorf("ideal %v, attempts per success %v, want 2 and 1.25", *s.IdealS, *s.AttemptsPerSuccess)
	}
	missing := Storm{Clients: 5, Returns: seconds(3, 1, 2, 4), Attempts: 10}
	s = missing.Report(StormFacts{Kind: "kill", Policy: "window", Outage: new(time.Duration)})
	if s.T100S != nil || s.T99S != nil || s.T95S != nil {
		t.Errorf("4 of 5 back: t95 %s, t99 %s, t100 %s, want none", result.Number(s.T95S), result.Number(s.T99S), result.Number(s.T100S))
	}
	if s.T50S == nil || *s.T50S != 3 {
		t.Errorf("t50 %s, want 3: the third of five, the lost one counts in the whole", result.Number(s.T50S))
	}
	if s.IdealS != nil {
		t.Errorf("ideal %v for an unknown capacity, want null", *s.IdealS)
	}
	if *s.AttemptsPerSuccess != 2.5 {
		t.Errorf("attempts per success %v, want 2.5: all attempts by those that are back", *s.AttemptsPerSuccess)
	}
}

func TestAStormThatHitsNobodyHasNoTimes(t *testing.T) {
	s := (&Storm{}).Report(StormFacts{Kind: "kill", Policy: "window", Capacity: 100, Outage: new(time.Duration)})
	if s.T50S != nil || s.T100S != nil || s.AttemptsPerSuccess != nil || s.PeakAttemptsPerS != 0 {
		t.Errorf("report = %+v, want no times", s)
	}
}

func TestPeakAttemptsAreTheBusiestTenthOfASecondOverAllLoops(t *testing.T) {
	a, b := NewStorm(), NewStorm()
	for range 3 {
		a.Attempt(250 * time.Millisecond)
		b.Attempt(299 * time.Millisecond)
	}
	a.Attempt(-time.Millisecond) // a clock read just before t0
	a.Attempt(300 * time.Millisecond)
	a.Add(b)
	if got := a.Report(StormFacts{Kind: "kill", Policy: "full", Outage: new(time.Duration)}).PeakAttemptsPerS; got != 60 {
		t.Errorf("peak = %v, want 60: six in one bin of 100 ms", got)
	}
	if a.Attempts != 8 {
		t.Errorf("attempts = %d, want 8", a.Attempts)
	}
}

func TestAcceptRateLeavesTheEndsOut(t *testing.T) {
	var tally Storm
	for i := range 1000 {
		tally.Returns = append(tally.Returns, time.Duration(i)*10*time.Millisecond)
	}
	tally.Returns[999] += time.Hour // one straggler
	if s := tally.Report(StormFacts{Kind: "drain", Policy: "window", Pace: 50, Outage: new(time.Duration)}); *s.AcceptRatePerS != 100 || *s.AcceptOverPace != 2 {
		t.Errorf("accepted %v/s, %v over the pace, want 100 and 2", *s.AcceptRatePerS, *s.AcceptOverPace)
	}
	few := Storm{Returns: seconds(1, 2, 3)}
	if s := few.Report(StormFacts{Kind: "drain", Policy: "window", Pace: 50, Outage: new(time.Duration)}); s.AcceptRatePerS != nil || s.AcceptOverPace != nil {
		t.Errorf("a rate of three: %v", *s.AcceptRatePerS)
	}
	if s := tally.Report(StormFacts{Kind: "kill", Policy: "window", Outage: new(time.Duration)}); s.PacePerS != nil || s.AcceptOverPace != nil {
		t.Error("a kill has a pace")
	}
}
