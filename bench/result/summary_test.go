package result

import (
	"testing"
)

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
