package result

import (
	"strings"
	"testing"
)

func summaryOf(t *testing.T, r *Result) string {
	t.Helper()
	var out strings.Builder
	if err := r.WriteSummary(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAStormIsToldWithoutWhatItLacks(t *testing.T) {
	text := summaryOf(t, &Result{Storm: &Storm{Kind: "cut", CutBy: new(CutByClose)}})
	if strings.Contains(text, "ideal") || strings.Contains(text, "CAP_NET_ADMIN") || !strings.Contains(text, "unix socket") {
		t.Error(text)
	}
}

// What did not come and is no fault is said to be none.
func TestCopiesThatDidNotComeAreExplained(t *testing.T) {
	r := &Result{Scenario: Talk, Messages: &Messages{Published: 6500, Delivered: 6495, Undelivered: 5}}
	if text := summaryOf(t, r); !strings.Contains(text, "told of a gap") {
		t.Error(text)
	}
	r.Messages.Lost = 1
	if text := summaryOf(t, r); strings.Contains(text, "none of which is lost") {
		t.Error(text)
	}
}

func TestAThresholdIsToldWithDigitsThatTell(t *testing.T) {
	for want, of := range map[string][2]float64{"0.0149, asked for less than 0.001": {0.0149, 0.001}, "0.0014, asked for less than 0.0013": {0.0014, 0.0013}, "12.35, asked for less than 3": {12.345678, 3}} {
		got := Threshold{path: []string{"storm", "t50_s"}, op: "<", want: of[1]}.failed(&of[0])
		if !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
