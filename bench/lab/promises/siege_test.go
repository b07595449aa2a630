package promises

import (
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

func TestLostClientsAndAFailedTestOfTheAdversariesAreMisses(t *testing.T) {
	const rest = "siege_test.go:1: beside it: 9 round trips\nadversary_test.go:1: RSS 10 KiB when fresh, 1000 before, %s after; more\n"
	const reached = "reached"
	for _, test := range []struct {
		said     string
		passed   bool
		verdicts []string
	}{
		{strings.ReplaceAll(rest, "%s", "1100"), true, []string{reached, reached}},
		{strings.ReplaceAll(rest, "%s", "1200"), false, []string{reached, "**missed** by 0.1"}},
		{strings.ReplaceAll(rest, "%s", "900") + "3 well-behaved clients were lost: [x]\n", false, []string{"**missed** by 3", reached}},
		{strings.ReplaceAll(rest, "%s", "900"), false, []string{reached, reached, "**missed** by 1"}},
	} {
		r := &kit.Record{Figures: map[string]float64{}}
		if err := readSiege(r, test.said, test.passed); err != nil {
			t.Fatal(err)
		}
		var verdicts []string
		for _, f := range ofSiege(r) {
			verdicts = append(verdicts, strings.Replace(f.Verdict(), "0.10", "0.1", 1))
		}
		if !slices.Equal(verdicts, test.verdicts) {
			t.Errorf("%q: %q, want %q", test.said, verdicts, test.verdicts)
		}
		if r.Said != "9 round trips" {
			t.Errorf("it said %q", r.Said)
		}
	}
	if err := readSiege(&kit.Record{Figures: map[string]float64{}}, "ok\n", true); err == nil {
		t.Error("a test that says nothing is taken for one that passes")
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
