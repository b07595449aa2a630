package scrape

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

func TestWhatIsChosenIsReadAsItIsWritten(t *testing.T) {
	for text, want := range map[string]Chosen{
		"http://127.0.0.1:9100/metrics": {URL: "http://127.0.0.1:9100/metrics"},
		"127.0.0.1:7001":                {URL: "http://127.0.0.1:7001/metrics"},
		"nodes,go_goroutines":           {URL: Nodes, Series: []Series{{Name: "go_goroutines", Text: "go_goroutines", Metric: "go_goroutines", Labels: map[string]string{}}}},
		`https://x/m,errors=http_total{code="500", path="/a,b"},job:up`: {URL: "https://x/m", Series: []Series{
			{Name: "errors", Text: `errors=http_total{code="500", path="/a,b"}`, Metric: "http_total", Labels: map[string]string{"code": "500", "path": "/a,b"}},
			{Name: "job_up", Text: "job:up", Metric: "job:up", Labels: map[string]string{}}}},
	} {
		got, err := Parse(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v\n%+v\nwant %+v", text, err, got, want)
		}
	}
	for text, want := range map[string]string{
		"metrics":                  "is neither http://",
		"ftp://x/m":                "is neither http://",
		"http://x/m,2x":            `"2x" is no series`,
		"http://x/m,a{b}":          `"b" is no label`,
		`http://x/m,a{b="c" d}`:    "is no label",
		`http://x/m,rate(up[5m])`:  "is no series",
		`http://x/m,a.b=go_memory`: "is no series",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

// exporter serves text, or fails.
type exporter struct {
	*httptest.Server
	text atomic.Pointer[string]
	down atomic.Bool
}

func newExporter(t *testing.T, text string) *exporter {
	e := &exporter{}
	e.text.Store(&text)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if e.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, *e.text.Load())
	}))
	t.Cleanup(e.Close)
	return e
}

const metrics = `# TYPE requests_total counter
requests_total{code="200"} 100
requests_total{code="500"} 3
# TYPE load gauge
load 0.5
# TYPE took_seconds histogram
took_seconds_bucket{le="1"} 2
took_seconds_bucket{le="+Inf"} 4
took_seconds_sum 6
took_seconds_count 4
# TYPE size summary
size{quantile="0.99"} 900
size_sum 1000
size_count 10
plain 7
bytes_total 50
not_a_number NaN
`

// sampleIn is what a series says in a text.
func sampleIn(t *testing.T, text, series string) (sample, bool) {
	t.Helper()
	e := newExporter(t, text)
	c, err := Parse(e.URL + "," + series)
	if err != nil {
		t.Fatal(err)
	}
	all, err := families(t.Context(), e.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c.Series[0].sampleOf(all)
}

func TestASeriesIsTheSumOfWhatItMatches(t *testing.T) {
	for series, want := range map[string]sample{
		"requests_total":             {result.FigureRate, 103, 0},
		`requests_total{code="500"}`: {result.FigureRate, 3, 0},
		"load":                       {result.FigureValue, 0.5, 0},
		"took_seconds":               {result.FigureMean, 6, 4},
		"took_seconds_count":         {result.FigureRate, 4, 0},
		"took_seconds_sum":           {result.FigureRate, 6, 0},
		"size":                       {result.FigureMean, 1000, 10},
		`size{quantile="0.99"}`:      {result.FigureValue, 900, 0},
		"plain":                      {result.FigureValue, 7, 0},
		"bytes_total":                {result.FigureRate, 50, 0},
	} {
		if got, there := sampleIn(t, metrics, series); !there || got != want {
			t.Errorf("%s: %+v, %v; want %+v", series, got, there, want)
		}
	}
	for _, series := range []string{"absent", `requests_total{code="404"}`, `load{x="y"}`} {
		if got, there := sampleIn(t, metrics, series); there {
			t.Errorf("%s: %+v; want none", series, got)
		}
	}
}

func TestTheValueIsThatSinceTheReadingBefore(t *testing.T) {
	rate := func(v float64) sample { return sample{figure: result.FigureRate, value: v} }
	mean := func(sum, count float64) sample { return sample{result.FigureMean, sum, count} }
	for _, tt := range []struct {
		name        string
		before, now sample
		want        *float64
	}{
		{"a gauge", sample{figure: result.FigureValue, value: 3}, sample{figure: result.FigureValue, value: -1}, new(-1.0)},
		{"a gauge of nothing", sample{}, sample{figure: result.FigureValue, value: math.NaN()}, nil},
		{"a counter", rate(100), rate(104), new(2.0)},
		{"a counter that began anew", rate(100), rate(6), new(3.0)},
		{"a histogram", mean(10, 2), mean(40, 8), new(5.0)},
		{"a histogram without more", mean(10, 2), mean(10, 2), nil},
		{"a histogram that began anew", mean(100, 20), mean(4, 2), new(2.0)},
	} {
		got := tt.now.since(&tt.before, 2*time.Second)
		if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if v := rate(5).since(nil, time.Second); v != nil {
		t.Errorf("a counter at its first reading: %v", *v)
	}
}

func TestATargetThatCannotBeReadIsFoundBeforeTheRun(t *testing.T) {
	e := newExporter(t, metrics)
	notText := newExporter(t, "<html>")
	for _, tt := range []struct {
		text, want string
		usage      bool
	}{
		{"127.0.0.1:1", "connection refused", false},
		{notText.URL, "not the text format of Prometheus", false},
		{e.URL + ",requests_totl", `no series "requests_totl"; did you mean "requests_total"?`, true},
		{e.URL + `,requests_total{code="404"}`, "no sample of requests_total has the labels", true},
		{e.URL + ",quite_another_thing", `no series "quite_another_thing" among its`, true},
		{e.URL, "none of the usual series is there", true},
		{Nodes, "no admin address of a server is known", true},
	} {
		c, err := Parse(tt.text)
		if err == nil {
			_, err = Open(t.Context(), []Chosen{c}, nil)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "--scrape: ") || (result.ExitCode(err) == result.ExitUsage) != tt.usage {
			t.Errorf("%s: %v; want %q", tt.text, err, tt.want)
		}
	}
}

// What fails while a run goes on is counted, told once and a gap; it is never fatal.
func TestAFailureMeanwhileIsAGap(t *testing.T) {
	e := newExporter(t, metrics)
	c, err := Parse(e.URL + `,load,requests_total,load`)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := Open(t.Context(), []Chosen{c}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if names := Names(targets); !reflect.DeepEqual(names, []string{"load", "requests_total", "load_2"}) {
		t.Errorf("names %q", names)
	}
	var mu sync.Mutex
	var told []string
	reads := make(chan int, 100)
	began := time.Now()
	clock := func() time.Duration { reads <- 1; return time.Since(began) }
	r := Start(targets, clock, func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprintf(format, args...))
	})
	wait := func(n int) {
		for range n {
			select {
			case <-reads:
			case <-time.After(time.Minute):
				t.Fatal("no reading")
			}
		}
	}
	wait(2) // the second begins: the first is in
	e.down.Store(true)
	wait(2)
	e.down.Store(false)
	text := strings.Replace(metrics, "load 0.5", "load 1.5", 1)
	e.text.Store(&text)
	wait(2)
	figures, series := r.Stop()
	load := figures["load"]
	if load.Failed < 1 || load.Readings < 2 || *load.Min != 0.5 || *load.Max != 1.5 || *load.Last != 1.5 || load.FirstFailure == nil || *load.FirstFailure != "it answers 503 Service Unavailable" {
		t.Errorf("load %+v", load)
	}
	if len(series) != 3 || len(series[0].T) != load.Readings+load.Failed || len(series[0].Values) != len(series[0].T) {
		t.Errorf("series %+v", series)
	}
	if n := figures["requests_total"]; n.Figure != result.FigureRate || n.Max == nil || *n.Max != 0 {
		t.Errorf("requests %+v", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 2 || !strings.Contains(told[0], "cannot be read: it answers 503") || !strings.Contains(told[1], "can be read again") {
		t.Errorf("told %q", told)
	}
}
