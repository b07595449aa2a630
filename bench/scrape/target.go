package scrape

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Target is one place with metrics, and what is read there.
type Target struct {
	url    func() string // a node that is started again has another
	series []*reading
}

// reading is a series with all that it said.
type reading struct {
	Series
	before   *sample
	beforeAt time.Duration
	seen     result.Scraped
	all      result.ScrapedSeries
	sum      float64
}

// Open reads each target once, and finds the series there. admins are the admin addresses of the servers, asked again
// at each reading; nil entries are unknown. Its errors begin with --scrape.
func Open(ctx context.Context, chosen []Chosen, admins []func() string) ([]*Target, error) {
	var all []*Target
	taken := map[string]int{}
	for _, c := range chosen {
		urls := []func() string{func() string { return c.URL }}
		if c.URL == Nodes {
			urls = nil
			for _, admin := range admins {
				urls = append(urls, func() string { return "http://" + admin() + "/metrics" })
			}
			if len(urls) == 0 {
				return nil, result.Usage("--scrape: no admin address of a server is known; say --admin, or a URL")
			}
		}
		for _, at := range urls {
			t, err := open(ctx, at, c.Series, taken)
			if err != nil {
				return nil, fmt.Errorf("--scrape: %s: %w", at(), err)
			}
			all = append(all, t)
		}
	}
	return all, nil
}

func open(ctx context.Context, at func() string, series []Series, taken map[string]int) (*Target, error) {
	there, err := families(ctx, at())
	if err != nil {
		return nil, err
	}
	if len(series) == 0 {
		for _, name := range usual {
			if s := (Series{Name: name, Text: name, Metric: name}); there[name] != nil {
				series = append(series, s)
			}
		}
		if len(series) == 0 {
			return nil, result.Usage("none of the usual series is there; name some, as in URL,go_goroutines")
		}
	}
	t := &Target{url: at}
	for _, s := range series {
		if _, ok := s.sampleOf(there); !ok {
			return nil, result.Usage("%w", s.unknown(there))
		}
		if taken[s.Name]++; taken[s.Name] > 1 {
			s.Name = fmt.Sprintf("%s_%d", s.Name, taken[s.Name])
		}
		t.series = append(t.series, &reading{Series: s, all: result.ScrapedSeries{Name: s.Name}})
	}
	return t, nil
}

// Recorder reads all targets once a second, and a last time at the end.
type Recorder struct {
	targets []*Target
	over    chan struct{}
	running sync.WaitGroup
}

// lastPatience is of the last reading: the run waits for it.
const lastPatience = time.Second

// Start begins to read. clock is that of the run; tell is told, by any goroutine, of the first reading of a target
// that fails, and when it answers again.
func Start(targets []*Target, clock func() time.Duration, tell func(format string, args ...any)) *Recorder {
	r := &Recorder{targets: targets, over: make(chan struct{})}
	for _, t := range targets {
		r.running.Go(func() { t.record(r.over, clock, tell) })
	}
	return r
}

func (t *Target) record(over <-chan struct{}, clock func() time.Duration, tell func(string, ...any)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // a reading that is under way at the end is the last one
		select {
		case <-over:
			time.AfterFunc(lastPatience, stop)
		case <-ctx.Done():
		}
	}()
	failing := false
	for last := false; ; {
		at := clock()
		there, err := families(ctx, t.url())
		if (err != nil) != failing {
			if failing = err != nil; failing {
				tell("%s cannot be read: %v", t.url(), err)
			} else {
				tell("%s can be read again", t.url())
			}
		}
		t.take(at, there, err)
		if last || ctx.Err() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-over:
			last = true
		}
	}
}

// take has what was read at a time, or why nothing was, for all series.
func (t *Target) take(at time.Duration, there map[string]*dto.MetricFamily, err error) {
	for _, s := range t.series {
		if err != nil {
			s.fail(at, err)
		} else if now, ok := s.sampleOf(there); ok {
			s.take(at, now)
		} else {
			s.fail(at, errGone)
		}
	}
}

var errGone = errors.New("the series is not there any more")

func (r *reading) fail(at time.Duration, err error) {
	if r.seen.Failed++; r.seen.FirstFailure == nil {
		r.seen.FirstFailure = new(err.Error())
	}
	r.add(at, nil)
}

func (r *reading) take(at time.Duration, now sample) {
	v := now.since(r.before, at-r.beforeAt)
	first := r.before == nil && now.figure != result.FigureValue
	r.seen.Figure, r.before, r.beforeAt = now.figure, &now, at
	if first { // there is nothing to compare it with
		return
	}
	r.add(at, v)
	if v == nil {
		return
	}
	s := &r.seen
	s.Readings++
	r.sum += *v
	s.Mean, s.Last = new(r.sum/float64(s.Readings)), v
	if s.Min == nil || *v < *s.Min {
		s.Min = v
	}
	if s.Max == nil || *v > *s.Max {
		s.Max = v
	}
}

func (r *reading) add(at time.Duration, v *float64) {
	r.all.T, r.all.Values = append(r.all.T, at.Seconds()), append(r.all.Values, v)
}

// Stop reads a last time, and says what there was. It is called once; a nil Recorder has none.
func (r *Recorder) Stop() (map[string]result.Scraped, []result.ScrapedSeries) {
	if r == nil {
		return nil, nil
	}
	close(r.over)
	r.running.Wait()
	figures, series := map[string]result.Scraped{}, []result.ScrapedSeries{}
	for _, t := range r.targets {
		for _, s := range t.series {
			s.seen.URL, s.seen.Series = t.url(), s.Text
			s.all.T, s.all.Values = slices.Clip(s.all.T), slices.Clip(s.all.Values)
			figures[s.Name] = s.seen
			series = append(series, s.all)
		}
	}
	client.CloseIdleConnections()
	return figures, series
}

// Names are those of all series, in their order.
func Names(targets []*Target) (all []string) {
	for _, t := range targets {
		for _, s := range t.series {
			all = append(all, s.Name)
		}
	}
	return all
}
