package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestAPageHasWhatServersSayAndAllRuns(t *testing.T) {
	x := benchtest.Part(7, time.Unix(1000, 0).UTC(), time.Millisecond)
	x.Detail.Seconds = []result.Second{{T: 1, Span: 1, Ready: 3}, {T: 2, Span: 1, Ready: 3}}
	x.Scraped = map[string]result.Scraped{
		"cpu":  {URL: "http://x/m", Series: "cpu_total", Figure: result.FigureRate, Readings: 2, Failed: 1, FirstFailure: new("gone"), Min: new(1.0), Mean: new(1.5), Max: new(2.0), Last: new(2.0)},
		"none": {URL: "http://x/m", Series: "none", Failed: 3, FirstFailure: new("gone")},
	}
	x.Detail.Scraped = []result.ScrapedSeries{{Name: "cpu", T: []float64{0, 1, 2}, Values: []*float64{new(1.0), nil, new(2.0)}}, {Name: "none", T: []float64{1}, Values: []*float64{nil}}}
	if p := scraped(Run{Result: x}); p == nil {
		t.Error("no picture")
	}
	x.Repeats = []result.Repeat{{Seed: 7, Verdict: result.Fail, Why: new("too slow")}, {Seed: 8, Verdict: result.Pass}}
	x.Spread = []result.Spread{{Path: "storm.t99_s", Runs: 2, Min: 1, Median: 2, Max: 3}, {Path: "conns.lost", Runs: 2}}
	var page bytes.Buffer
	if err := WriteHTML(&page, Run{Name: "a", Result: x}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"What servers say of themselves", "cpu, per second", "1 of 3 readings failed, the first: gone", "never read", "All 2 runs", "run 1, seed 7 (this page)", "fail: too slow",
		"median 2, from 1 to 3, of 2 runs"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page.String(), "median 0, from 0") {
		t.Error("a figure that is always 0 is on the page")
	}
	x.Scraped, x.Detail.Scraped = nil, nil
	if scraped(Run{Result: x}) != nil {
		t.Error("a picture of nothing")
	}
}
