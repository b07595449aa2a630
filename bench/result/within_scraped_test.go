package result

import (
	"strings"
	"testing"
)

func TestASeriesOfTheServersCanHaveASpan(t *testing.T) {
	r := rampAndHold() // ramp to 2.5, hold to 9.1
	r.Scraped = map[string]Scraped{"rss": {}}
	r.Detail.Scraped = []ScrapedSeries{{Name: "rss", T: []float64{1, 2, 3, 4, 5}, Values: []*float64{new(9.0), new(1.0), new(2.0), nil, new(6.0)}}}
	for expr, want := range map[string]float64{"scraped.rss.max[ramp]>0": 9, "scraped.rss.min[ramp]>0": 1, "scraped.rss.mean[2s..]>0": 4, "scraped.rss.last[hold]>0": 6, "scraped.rss.max[hold#1]>0": 6} {
		got, err := within(t, r, expr)
		if err != nil || got == nil || *got != want {
			t.Errorf("%s: %v, %v; want %g", expr, Number(got), err, want)
		}
	}
	for expr, want := range map[string]string{"scraped.rss.max[3s..4s]>0": "no reading in 3s..4s", "scraped.rss.max[8s..9s]>0": "no reading in 8s..9s", "scraped.cpu.max[hold]>0": "no series of that name", "scraped.rss.max[storm]>0": "no phase"} {
		if _, err := within(t, r, expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
	if _, err := ParseThreshold("scraped.rss.failed[hold]==0"); err == nil {
		t.Error("what no reading tells can have a span")
	}
	th, _ := ParseThreshold("scraped.rss.max[hold]<5")
	if out := NewForecast([]Threshold{th}).Foresee(r, 0); len(out) != 1 || out[0].State != Open {
		t.Errorf("while it runs: %+v, want open", out)
	}
}

func within(t *testing.T, r *Result, expr string) (*float64, error) {
	t.Helper()
	th, err := ParseThreshold(expr)
	if err != nil {
		t.Fatal(err)
	}
	return th.within(r)
}

func TestDeparturesAndBothKindsOfRoundTripsCanHaveASpan(t *testing.T) {
	r := rampAndHold()
	for i := range r.Detail.Seconds {
		s := &r.Detail.Seconds[i]
		s.Counts["churn.departures"] = i
		withTimes(t, s, "rtt_intended", float64(10*(i+1)))
		withTimes(t, s, "rtt_actual", float64(i+1))
	}
	for expr, want := range map[string]float64{"churn.departures[2s..4s]>0": 5, "churn.returns[ramp]==0": 0} {
		if got, err := within(t, r, expr); err != nil || got == nil || *got != want {
			t.Errorf("%s: %s, %v; want %g", expr, Number(got), err, want)
		}
	}
	for expr, about := range map[string]float64{"heartbeat.intended_rtt_ms.max[2s..4s]>0": 40, "heartbeat.rtt_actual_ms.p99[2s..4s]>0": 4} {
		if got, err := within(t, r, expr); err != nil || got == nil || *got < about || *got > 1.02*about {
			t.Errorf("%s: %s, %v; want %g", expr, Number(got), err, about)
		}
	}
}
