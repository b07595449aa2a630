package scrape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/stormwheel/stormwheel/bench/result"
)

const (
	patience = 5 * time.Second // of one reading
	mostText = 32 << 20        // bytes of one
)

// client has no proxy, keeps one connection to each target, and is not the one of others.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}}

// families reads all metrics at a URL.
func families(ctx context.Context, at string) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	resp, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(io.LimitReader(resp.Body, mostText))
	if err != nil {
		return nil, fmt.Errorf("this is not the text format of Prometheus: %w", err)
	}
	return all, nil
}

// sample is what a series says at one time: a value, or what was counted so far.
type sample struct {
	figure string
	value  float64 // a value, a count, or a sum
	count  float64 // FigureMean: of observations
}

// sampleOf sums what a series matches. The second result is false when there is nothing.
func (s *Series) sampleOf(all map[string]*dto.MetricFamily) (sum sample, there bool) {
	family, part := all[s.Metric], ""
	for _, suffix := range []string{"_count", "_sum"} {
		if name, ok := strings.CutSuffix(s.Metric, suffix); ok && family == nil {
			family, part = all[name], suffix
		}
	}
	if family == nil {
		return sum, false
	}
	for _, m := range family.GetMetric() {
		if one, matches := s.of(family.GetType(), m, part); matches {
			sum.figure, there = one.figure, true
			sum.value, sum.count = sum.value+one.value, sum.count+one.count
		}
	}
	return sum, there
}

// of is one metric of a family, if its labels are those.
func (s *Series) of(kind dto.MetricType, m *dto.Metric, part string) (one sample, matches bool) {
	labels := maps.Clone(s.Labels)
	for _, pair := range m.GetLabel() {
		if want, asked := labels[pair.GetName()]; asked {
			if want != pair.GetValue() {
				return one, false
			}
			delete(labels, pair.GetName())
		}
	}
	if quantile, asked := labels["quantile"]; asked && kind == dto.MetricType_SUMMARY {
		for _, q := range m.GetSummary().GetQuantile() {
			if len(labels) == 1 && fmt.Sprint(q.GetQuantile()) == quantile {
				return sample{figure: result.FigureValue, value: q.GetValue()}, true
			}
		}
		return one, false
	}
	if len(labels) > 0 {
		return one, false
	}
	var sum, count float64
	switch kind {
	case dto.MetricType_COUNTER:
		return sample{figure: result.FigureRate, value: m.GetCounter().GetValue()}, true
	case dto.MetricType_GAUGE:
		return sample{figure: result.FigureValue, value: m.GetGauge().GetValue()}, true
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		sum, count = m.GetHistogram().GetSampleSum(), float64(m.GetHistogram().GetSampleCount())
	case dto.MetricType_SUMMARY:
		sum, count = m.GetSummary().GetSampleSum(), float64(m.GetSummary().GetSampleCount())
	default: // untyped: by its name, as people call them
		v := m.GetUntyped().GetValue()
		if strings.HasSuffix(s.Metric, "_total") {
			return sample{figure: result.FigureRate, value: v}, true
		}
		return sample{figure: result.FigureValue, value: v}, true
	}
	switch part {
	case "_count":
		return sample{figure: result.FigureRate, value: count}, true
	case "_sum":
		return sample{figure: result.FigureRate, value: sum}, true
	}
	return sample{figure: result.FigureMean, value: sum, count: count}, true
}

// since is the value of a series between two readings; nil: there is none. A counter that has less than before
// began anew meanwhile.
func (now sample) since(before *sample, took time.Duration) *float64 {
	var v float64
	switch {
	case now.figure == result.FigureValue:
		v = now.value
	case before == nil || before.figure != now.figure || took <= 0:
		return nil
	case now.figure == result.FigureRate:
		if v = now.value - before.value; v < 0 {
			v = now.value
		}
		v /= took.Seconds()
	default:
		sum, count := now.value-before.value, now.count-before.count
		if count < 0 {
			sum, count = now.value, now.count
		}
		if count == 0 {
			return nil
		}
		v = sum / count
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// unknown says of a series that is not there what there is.
func (s *Series) unknown(all map[string]*dto.MetricFamily) error {
	names := slices.Sorted(maps.Keys(all))
	for _, family := range all {
		if t := family.GetType(); t == dto.MetricType_HISTOGRAM || t == dto.MetricType_SUMMARY {
			names = append(names, family.GetName()+"_count", family.GetName()+"_sum")
		}
	}
	if slices.Contains(names, s.Metric) {
		return fmt.Errorf("no sample of %s has the labels of %s", s.Metric, s.Text)
	}
	if near := result.Nearest(s.Metric, names); near != "" {
		return fmt.Errorf("no series %q; did you mean %q?", s.Metric, near)
	}
	return fmt.Errorf("no series %q among its %d", s.Metric, len(names))
}
