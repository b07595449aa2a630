package bench

import (
	"math"
	"testing"
	"time"
)

func seconds(n ...float64) (d []time.Duration) {
	for _, s := range n {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

// A node that stands still tells nobody: who is on it can come back when he has noticed.
func TestTheIdealOfAFreezeBeginsWhenTheFirstHasNoticed(t *testing.T) {
	tally := newStormTally()
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
		s := tally.report(stormFacts{kind: tt.kind, capacity: 200, outage: new(time.Duration)})
		if s.IdealFromS == nil || *s.IdealFromS != tt.from || math.Abs(*s.IdealS-tt.in) > 1e-9 {
			t.Errorf("%s: ideal %s from %s, want %g from %g", tt.kind, number(s.IdealS), number(s.IdealFromS), tt.in, tt.from)
		}
	}
	tally.LostPerBin = nil
	if s := tally.report(stormFacts{kind: "freeze", capacity: 200, outage: new(time.Duration)}); s.IdealS != nil {
		t.Errorf("nobody noticed: ideal %s", number(s.IdealS))
	}
}

func TestAClientThatNeverReturnsMakesT100Null(t *testing.T) {
	all := stormTally{Clients: 4, Returns: seconds(3, 1, 2, 4), Attempts: 5}
	s := all.report(stormFacts{kind: "kill", policy: "window", capacity: 2, outage: new(time.Duration)})
	if s.T100S == nil || *s.T100S != 4 || *s.T50S != 2 {
		t.Errorf("all back: t50 %v, t100 %v, want 2 and 4", number(s.T50S), number(s.T100S))
	}
	if *s.IdealS != 2 || *s.AttemptsPerSuccess != 1.25 {
		t.Errorf("ideal %v, attempts per success %v, want 2 and 1.25", *s.IdealS, *s.AttemptsPerSuccess)
	}
	missing := stormTally{Clients: 5, Returns: seconds(3, 1, 2, 4), Attempts: 10}
	s = missing.report(stormFacts{kind: "kill", policy: "window", outage: new(time.Duration)})
	if s.T100S != nil || s.T99S != nil || s.T95S != nil {
		t.Errorf("4 of 5 back: t95 %s, t99 %s, t100 %s, want none", number(s.T95S), number(s.T99S), number(s.T100S))
	}
	if s.T50S == nil || *s.T50S != 3 {
		t.Errorf("t50 %s, want 3: the third of five, the lost one counts in the whole", number(s.T50S))
	}
	if s.IdealS != nil {
		t.Errorf("ideal %v for an unknown capacity, want null", *s.IdealS)
	}
	if *s.AttemptsPerSuccess != 2.5 {
		t.Errorf("attempts per success %v, want 2.5: all attempts by those that are back", *s.AttemptsPerSuccess)
	}
}

func TestAStormThatHitsNobodyHasNoTimes(t *testing.T) {
	s := (&stormTally{}).report(stormFacts{kind: "kill", policy: "window", capacity: 100, outage: new(time.Duration)})
	if s.T50S != nil || s.T100S != nil || s.AttemptsPerSuccess != nil || s.PeakAttemptsPerS != 0 {
		t.Errorf("report = %+v, want no times", s)
	}
}

func TestOutageEndsWithTheLastReturn(t *testing.T) {
	var o outage
	o.lose(time.Second)
	if got := o.back(3 * time.Second); got != 2*time.Second {
		t.Errorf("back after 2 s: outage of %v", got)
	}
	o.lose(10 * time.Second)
	if !o.out || !o.hit {
		t.Error("a client that is lost again is not out")
	}
	if got := o.back(11 * time.Second); got != time.Second || o.at != 11*time.Second {
		t.Errorf("second outage of %v until %v, want 1s until 11s", got, o.at)
	}
}

func TestPeakAttemptsAreTheBusiestTenthOfASecondOverAllLoops(t *testing.T) {
	a, b := newStormTally(), newStormTally()
	for range 3 {
		a.attempt(250 * time.Millisecond)
		b.attempt(299 * time.Millisecond)
	}
	a.attempt(-time.Millisecond) // a clock read just before t0
	a.attempt(300 * time.Millisecond)
	a.merge(b)
	if got := a.report(stormFacts{kind: "kill", policy: "full", outage: new(time.Duration)}).PeakAttemptsPerS; got != 60 {
		t.Errorf("peak = %v, want 60: six in one bin of 100 ms", got)
	}
	if a.Attempts != 8 {
		t.Errorf("attempts = %d, want 8", a.Attempts)
	}
}

func TestAMovedClientWasNeverOffline(t *testing.T) {
	o := outage{hit: true, moving: true}
	if o.moved(5 * time.Second); o.offline || o.moving || o.at != 5*time.Second {
		t.Errorf("after the move: %+v", o)
	}
	o = outage{hit: true, moving: true}
	o.lose(6 * time.Second)
	if !o.offline || !o.out || o.moving {
		t.Errorf("after a loss during the move: %+v", o)
	}
	if o.back(7 * time.Second); !o.offline || o.out {
		t.Errorf("after the return: %+v", o)
	}
}

func TestAcceptRateLeavesTheEndsOut(t *testing.T) {
	var tally stormTally
	for i := range 1000 {
		tally.Returns = append(tally.Returns, time.Duration(i)*10*time.Millisecond)
	}
	tally.Returns[999] += time.Hour // one straggler
	if s := tally.report(stormFacts{kind: "drain", policy: "window", pace: 50, outage: new(time.Duration)}); *s.AcceptRatePerS != 100 || *s.AcceptOverPace != 2 {
		t.Errorf("accepted %v/s, %v over the pace, want 100 and 2", *s.AcceptRatePerS, *s.AcceptOverPace)
	}
	few := stormTally{Returns: seconds(1, 2, 3)}
	if s := few.report(stormFacts{kind: "drain", policy: "window", pace: 50, outage: new(time.Duration)}); s.AcceptRatePerS != nil || s.AcceptOverPace != nil {
		t.Errorf("a rate of three: %v", *s.AcceptRatePerS)
	}
	if s := tally.report(stormFacts{kind: "kill", policy: "window", outage: new(time.Duration)}); s.PacePerS != nil || s.AcceptOverPace != nil {
		t.Error("a kill has a pace")
	}
}

func TestTheSummaryGivesABurstNoRate(t *testing.T) {
	s := &Storm{Clients: 100, PacePerS: new(2000.0), AcceptRatePerS: new(123456.78)}
	if got := s.accepted(); got != "a burst of 100 clients (too few for a rate)" {
		t.Errorf("100 clients at 2000/s: %q", got)
	}
	s.Clients, s.AcceptRatePerS = 8000, new(1999.6)
	if got := s.accepted(); got != "2000/s" {
		t.Errorf("8000 clients at 2000/s: %q", got)
	}
}
