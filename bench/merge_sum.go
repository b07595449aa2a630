package bench

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// mergeAll adds the parts up. Integers are counts and bytes, and are summed wherever they
// are; what is not a sum is said here, one by one.
func mergeAll(parts []*Result, command []string) (*Result, error) {
	out := &Result{Schema: Schema, Scenario: parts[0].Scenario, Seed: parts[0].Seed, Build: parts[0].Build, Terms: parts[0].Terms,
		Load: parts[0].Load, Promises: !slices.ContainsFunc(parts, func(p *Result) bool { return !p.Promises })}
	hists := map[string]*hist{}
	for i, p := range parts {
		if err := addHistograms(hists, p.Detail.Histograms); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
		out.addPart(i, p)
	}
	out.span()
	for name, figure := range map[string]**Percentiles{
		"rtt": &out.Heartbeat.RTTms, "rtt_intended": &out.Heartbeat.IntendedRTTms, "rtt_actual": &out.Heartbeat.ActualRTTms,
		"connect": &out.Connect.LatencyMs, "connect_intended": &out.Connect.IntendedLatencyMs,
	} {
		*figure = hists[name].orNone().percentiles()
	}
	out.Generator.LateMs = hists["late"].orNone().late()
	if l := hists["lateness"].orNone().lateness(); l != nil {
		for _, p := range parts {
			if o := p.Eviction.LatenessMs; o != nil {
				l.Min = min(l.Min, o.Min) // the histogram holds no negative ones
			}
		}
		out.Eviction.LatenessMs = l
	}
	out.Storm = mergeStorms(parts, hists["return"].orNone())
	out.Cohorts = mergeCohorts(parts, hists)
	if out.Scenario == "soak" && !slices.ContainsFunc(parts, func(p *Result) bool { return p.Soak == nil }) {
		out.Soak = mergeSoaks(parts)
	}
	if out.Probes != nil {
		out.Probes.RTTms = ProbeRTT{hists["probes_before"].orNone().percentiles(), hists["probes_during"].orNone().percentiles()}
	}
	out.Memory = mergeMemory(parts)
	out.Detail = Detail{Command: command, Histograms: map[string]string{}}
	for name, h := range hists {
		text, err := h.text()
		if err != nil {
			return nil, err
		}
		out.Detail.Histograms[name] = text
	}
	out.mergeSeconds(parts)
	return out, nil
}

// addPart adds the counts of one run, and the figures that are not in a histogram.
func (out *Result) addPart(i int, p *Result) {
	if len(p.Parts) > 0 {
		out.Parts = append(out.Parts, p.Parts...)
	} else {
		out.Parts = append(out.Parts, Part{Seed: p.Seed, Started: p.Started, WallS: p.WallS, Clients: p.Conns.Target, Verdict: p.Verdict})
	}
	for _, pair := range [][2]any{
		{&out.Conns, &p.Conns}, {&out.Connect, &p.Connect}, {&out.Heartbeat, &p.Heartbeat}, {&out.Eviction, &p.Eviction},
		{&out.Generator, &p.Generator}, {&out.Kernel, &p.Kernel},
	} {
		addCounts(reflect.ValueOf(pair[0]).Elem(), reflect.ValueOf(pair[1]).Elem(), i == 0)
	}
	if p.Churn != nil {
		if out.Churn == nil {
			out.Churn = &Churn{LifetimeS: p.Churn.LifetimeS}
		}
		addCounts(reflect.ValueOf(out.Churn).Elem(), reflect.ValueOf(p.Churn).Elem(), i == 0)
	}
	if p.Probes != nil {
		if out.Probes == nil {
			out.Probes = &Probes{}
		}
		addCounts(reflect.ValueOf(out.Probes).Elem(), reflect.ValueOf(p.Probes).Elem(), i == 0)
	}
	out.Connect.RatePerS = sumOf(out.Connect.RatePerS, p.Connect.RatePerS, i == 0)
	out.Generator.CPUS = sumOf(out.Generator.CPUS, p.Generator.CPUS, i == 0)
	if i > 0 {
		out.Build.add(&p.Build)
	}
	for _, s := range p.Server { // runs may have had the same target
		same := slices.IndexFunc(out.Server, func(o Server) bool { return reflect.DeepEqual(o.identity(), s.identity()) })
		if same < 0 {
			out.Server = append(out.Server, s)
		}
	}
	out.Interrupted = out.Interrupted || p.Interrupted
	if out.Generator.WhyInvalid == nil {
		switch {
		case p.Generator.WhyInvalid != nil:
			out.Generator.WhyInvalid = new(fmt.Sprintf("part %d: %s", i+1, *p.Generator.WhyInvalid))
		case p.Verdict == Invalid || p.Interrupted:
			out.Generator.WhyInvalid = new(fmt.Sprintf("part %d was interrupted", i+1))
		}
	}
}

func (s *Server) identity() []any { return []any{s.Addr, s.Node, s.PID} }

// span is the time from the first start to the last end.
func (out *Result) span() {
	first := slices.MinFunc(out.Parts, func(a, b Part) int { return a.Started.Compare(b.Started) })
	out.Started = first.Started
	for _, p := range out.Parts {
		out.WallS = max(out.WallS, p.Started.Sub(out.Started).Seconds()+p.WallS)
	}
}

// addCounts adds all integers of one struct to another. A count that one part does not know
// is not known of the whole. Floating point and text stay as they are.
func addCounts(sum, more reflect.Value, first bool) {
	for i := range sum.NumField() {
		to, from := sum.Field(i), more.Field(i)
		switch to.Kind() {
		case reflect.Struct:
			addCounts(to, from, first)
		case reflect.Int, reflect.Int64:
			to.SetInt(to.Int() + from.Int())
		case reflect.Pointer:
			if k := to.Type().Elem().Kind(); k != reflect.Int && k != reflect.Int64 {
				continue
			}
			switch {
			case from.IsNil():
				to.SetZero()
			case first:
				n := reflect.New(to.Type().Elem())
				n.Elem().Set(from.Elem())
				to.Set(n)
			case !to.IsNil():
				to.Elem().SetInt(to.Elem().Int() + from.Elem().Int())
			}
		}
	}
}

// sumOf adds what is known of both; first has no sum yet.
func sumOf(sum, more *float64, first bool) *float64 {
	switch {
	case more == nil || sum == nil && !first:
		return nil
	case first:
		return new(*more)
	default:
		return new(*sum + *more)
	}
}

// addsUp reports whether the merged figure at a path is the sum of those of the parts.
func addsUp(path string) bool {
	switch path {
	case "connect.rate_per_s", "storm.peak_attempts_per_s", "storm.lost_connection_seconds",
		"storm.accept_rate_per_s", "storm.pace_per_s", "storm.goodput_per_s.best", "storm.goodput_per_s.median", "generator.cpu_s":
		return true
	case "seed":
		return false
	}
	for _, prefix := range []string{"build.", "server.", "thresholds.", "parts.", "detail.", "terms.", "load."} {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}
	return isCount(reflect.TypeFor[Result](), strings.Split(path, "."))
}

func isCount(t reflect.Type, path []string) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if len(path) == 0 {
		return t.Kind() == reflect.Int || t.Kind() == reflect.Int64
	}
	if t == reflect.TypeFor[[]Cohort]() {
		return len(path) == 2 && (path[1] == "peak_attempts_per_s" || isCount(t.Elem(), path[1:]))
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if jsonName(t.Field(i)) == path[0] {
			return isCount(t.Field(i).Type, path[1:])
		}
	}
	return false
}

// add makes one machine of two: what they have is added, what they are is listed.
func (b *Build) add(o *Build) {
	for _, text := range [][2]*string{{&b.Version, &o.Version}, {&b.Go, &o.Go}, {&b.Kernel, &o.Kernel}, {&b.Processor, &o.Processor}} {
		if !slices.Contains(strings.Split(*text[0], " + "), *text[1]) {
			*text[0] += " + " + *text[1]
		}
	}
	b.CPUs += o.CPUs
	if b.MemoryBytes != nil && o.MemoryBytes != nil {
		b.MemoryBytes = new(*b.MemoryBytes + *o.MemoryBytes)
	} else {
		b.MemoryBytes = nil
	}
}

// addHistograms decodes those of a part and adds them by name.
func addHistograms(sums map[string]*hist, texts map[string]string) error {
	for name, text := range texts {
		h, err := hdrhistogram.Decode([]byte(text))
		if err != nil {
			return fmt.Errorf("histogram %s: %w", name, err)
		}
		if sums[name] == nil {
			sums[name] = newHist()
		}
		if dropped := sums[name].h.Merge(h); dropped > 0 {
			return fmt.Errorf("histogram %s: %d values are beyond %v", name, dropped, histMax)
		}
		if h.TotalCount() > 0 {
			sums[name].min = min(sums[name].min, time.Duration(h.Min())*time.Microsecond)
		}
	}
	return nil
}

// orNone lets a histogram be missing.
func (h *hist) orNone() *hist {
	if h == nil {
		return newHist()
	}
	return h
}
