package report

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// steadyRun has round trips around so many ms in each of its seconds.
func steadyRun(t *testing.T, seconds int, ms float64, seed uint64) *result.Result {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	r := &result.Result{Schema: result.Schema, Scenario: "hold", Verdict: result.Pass, Heartbeat: result.Heartbeat{RTTms: &result.Percentiles{P50: ms, P99: 3 * ms, P999: 5 * ms}}}
	h := hdrhistogram.New(1, result.LongestTime, 2)
	for i := range seconds {
		h.Reset()
		for range 200 {
			if err := h.RecordValue(int64(1000 * ms * (0.5 + rng.ExpFloat64()))); err != nil {
				t.Fatal(err)
			}
		}
		text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		r.Detail.Seconds = append(r.Detail.Seconds, result.Second{T: float64(i + 1), Histograms: map[string]string{"rtt": string(text)}})
	}
	return r
}

func TestIntervalsHoldWhatTheyAreOf(t *testing.T) {
	truth := 0.5 + 0.693 // the median of what steadyRun draws, by its ms
	within := 0
	for seed := range uint64(16) {
		b := boundsOf(tableOf(steadyRun(t, 40, 10, seed), "rtt").draw(50, 0), confidence)
		if b.low <= 10*truth*1.01 && b.high >= 10*truth*0.99 { // two digits
			within++
		}
		if b.high-b.low > 2 || b.high < b.low {
			t.Errorf("40 seconds of 200 times each tell a median of 12 ms as %v", *b)
		}
	}
	if within < 14 {
		t.Errorf("%d of 16 intervals hold the median", within)
	}
}

func TestIntervalsTellADifferenceFromChance(t *testing.T) {
	one, same, slower := steadyRun(t, 60, 10, 1), steadyRun(t, 60, 10, 2), steadyRun(t, 60, 13, 3)
	of := timed{"rtt", 50}
	words := of.intervals([]Run{{"one", one}, {"same", same}, {"slower", slower}}, .1)
	if strings.Contains(words[1], "*") || !strings.Contains(words[2], "*") || strings.Contains(words[0], "(") {
		t.Errorf("intervals are %q, want a star at the last alone", words)
	}
	if again := of.intervals([]Run{{"one", one}, {"same", same}, {"slower", slower}}, .1); !slices.Equal(words, again) {
		t.Errorf("the same results give %q and %q", words, again)
	}
}

func TestWhereSecondsDoNotTellThereIsNoInterval(t *testing.T) {
	short, older, none := steadyRun(t, fewest-1, 10, 1), steadyRun(t, 60, 10, 1), steadyRun(t, 60, 10, 1)
	older.Detail.Seconds[7].Histograms = nil
	for i := range none.Detail.Seconds {
		none.Detail.Seconds[i].Histograms = map[string]string{}
	}
	for name, r := range map[string]*result.Result{"a short run": short, "an older one": older, "no times": none} {
		if tableOf(r, "rtt") != nil {
			t.Errorf("%s has an interval", name)
		}
	}
	long := tableOf(steadyRun(t, 2*mostUnits+1, 10, 1), "rtt")
	if n := len(long.units); n > mostUnits || n < mostUnits/2 {
		t.Errorf("a long run is drawn in %d units", n)
	}
	var table strings.Builder
	if err := WriteTable(&table, Run{"a", short}, Run{"b", older}); err != nil || !strings.Contains(table.String(), "No intervals: they need 20 seconds") {
		t.Errorf("%v\n%s", err, &table)
	}
	table.Reset()
	if err := WriteTable(&table, Run{"a", none}, Run{"b", steadyRun(t, 60, 10, 1)}); err != nil || !strings.Contains(table.String(), "In square brackets") {
		t.Errorf("%v\n%s", err, &table)
	}
}

// By the interval that is shown, one pair of the same runs in twenty would differ, and of few seconds more.
func TestADifferenceIsSurerThanTheIntervalThatIsShown(t *testing.T) {
	first, slower := slices.Repeat([]float64{10}, draws), slices.Repeat([]float64{12}, draws)
	if mark(slower, first) != "*" || mark(first, slower) != "*" || mark(first, first) != "" {
		t.Error("12 is not told from 10, or 10 is told from itself")
	}
	for i := range draws * 2 / 100 {
		slower[i] = 9
	}
	if b := ratioOf(slower, first, 1); b.low <= 1 || mark(slower, first) != "" {
		t.Errorf("where 2 of 100 draws are on the other side the interval is %v, with mark %q", *b, mark(slower, first))
	}
}
