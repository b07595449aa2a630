package promises

import (
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

func TestLostClientsAndOtherFaultsOfASiegeAreMisses(t *testing.T) {
	const reached = "reached"
	for _, test := range []struct {
		after, lost, faults float64
		verdicts            []string
	}{
		{1100, 0, 0, []string{reached, reached}},
		{1200, 0, 0, []string{reached, "**missed** by 0.10"}},
		{900, 3, 1, []string{"**missed** by 3", reached}},
		{900, 0, 1, []string{reached, reached, "**missed** by 1"}},
	} {
		r := &kit.Record{Figures: map[string]float64{"before": 1000, "after": test.after, "lost": test.lost, "faults": test.faults}}
		var verdicts []string
		for _, f := range ofSiege(r) {
			verdicts = append(verdicts, f.Verdict())
		}
		if !slices.Equal(verdicts, test.verdicts) {
			t.Errorf("%+v: %q, want %q", test, verdicts, test.verdicts)
		}
	}
}

func TestRoundTripsMayBecomeTwiceAsLongOrTenMillisecondsLonger(t *testing.T) {
	for _, test := range []struct {
		before, got float64
		verdict     string
	}{{2, 12, "reached"}, {2, 12.5, "**missed** by 0.50 ms"}, {30, 60, "reached"}} {
		if got := calmly("", 5, test.before, test.got, "x").Verdict(); got != test.verdict {
			t.Errorf("%g after %g: %q, want %q", test.got, test.before, got, test.verdict)
		}
	}
}
