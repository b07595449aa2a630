package report

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// WriteOpenMetrics writes the figures of a run as gauges in the text format of OpenMetrics 1.0, for a push gateway, a
// textfile collector or GitLab's metrics reports. Names follow from the paths of the result: heartbeat.rtt_ms.p99
// is stormwheel_bench_heartbeat_rtt_seconds{quantile="0.99"}. What is null is not there.
func WriteOpenMetrics(w io.Writer, run Run) error {
	m := metrics{run: label{"scenario", kindOf(run.Result, "_")}}
	m.info(run.Result)
	m.walk(reflect.ValueOf(run.Result).Elem(), place{})
	m.judged(run.Result)
	_, err := io.WriteString(w, m.text())
	return err
}

// metrics are the families as they grow, in their order.
type metrics struct {
	run      label // of all
	families []family
}

type family struct {
	name, help string
	samples    []string
}

type label struct{ name, value string }

// add adds a sample to its family.
func (m *metrics) add(name, help string, v float64, labels ...label) {
	i := slices.IndexFunc(m.families, func(f family) bool { return f.name == name })
	if i < 0 {
		i, m.families = len(m.families), append(m.families, family{name: name, help: help})
	}
	var all []string
	for _, l := range append([]label{m.run}, labels...) {
		all = append(all, fmt.Sprintf(`%s="%s"`, l.name, escaped.Replace(l.value)))
	}
	f := &m.families[i]
	f.samples = append(f.samples, fmt.Sprintf("%s{%s} %s", name, strings.Join(all, ","), strconv.FormatFloat(v, 'g', -1, 64)))
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (m *metrics) text() string {
	var b strings.Builder
	for _, f := range m.families {
		fmt.Fprintf(&b, "# TYPE %s gauge\n# HELP %s %s\n%s\n", f.name, f.name, escaped.Replace(f.help), strings.Join(f.samples, "\n"))
	}
	return b.String() + "# EOF\n"
}

// info says which run it was.
func (m *metrics) info(x *result.Result) {
	m.add("stormwheel_bench_run_info", "the run, always 1", 1, label{"seed", strconv.FormatUint(x.Seed, 10)}, label{"version", x.Build.Version},
		label{"go", x.Build.Go}, label{"kernel", x.Build.Kernel})
	m.add("stormwheel_bench_started_timestamp_seconds", "when it began", float64(x.Started.UnixMilli())/1000)
}

// judged are the verdict and the thresholds.
func (m *metrics) judged(x *result.Result) {
	for _, v := range []result.Verdict{result.Pass, result.Fail, result.Invalid} {
		m.add("stormwheel_bench_verdict", "1 for the verdict of the run, 0 for the others", truth(x.Verdict == v), label{"verdict", string(v)})
	}
	seen := map[string]bool{}
	for _, t := range x.Thresholds {
		if name := typeOf(t) + nameOf(t); !seen[name] {
			seen[name] = true
			m.add("stormwheel_bench_threshold_ok", "1 for a threshold that holds, 0 for one that failed", truth(t.OK), label{"expr", nameOf(t)}, label{"type", typeOf(t)})
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// place is where a figure stands in the result, and what becomes of that.
type place struct {
	path, name []string
	labels     []label
	by         float64 // what it is divided by to be in unit; 0: it has none
	unit       string
}

// below is a field of it.
func (p place) below(field string) place {
	p.path, p.name, p.labels = append(slices.Clone(p.path), field), slices.Clone(p.name), slices.Clone(p.labels)
	for _, u := range []struct {
		suffix, unit string
		by           float64
	}{{"_per_s", "_per_second", 1}, {"_ms", "_seconds", 1e3}, {"_us", "_seconds", 1e6}, {"_s", "_seconds", 1}} {
		if cut, ok := strings.CutSuffix(field, u.suffix); ok {
			p.by, p.unit, field = u.by, u.unit, cut
			break
		}
	}
	p.name = append(p.name, field)
	return p
}

// labelled has the field as a label, and not in the name.
func (p place) labelled(name, value string) place {
	p.labels = append(slices.Clone(p.labels), label{name, value})
	return p
}

// unmetered are the parts of a result that are no figures of it, or told otherwise.
var unmetered = []string{"seed", "build", "load", "detail", "thresholds", "parts", "find_max.trials", "server.pid", "promises"}

// walk adds all figures at a place and below it.
func (m *metrics) walk(v reflect.Value, p place) {
	if slices.Contains(unmetered, strings.Join(p.path, ".")) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			m.walk(v.Elem(), p)
		}
	case reflect.Struct:
		m.fields(v, p)
	case reflect.Slice:
		for i := range v.Len() {
			m.walk(v.Index(i), entry(v.Index(i), p, i))
		}
	case reflect.Int, reflect.Int64:
		m.figure(float64(v.Int()), p)
	case reflect.Float64:
		m.figure(v.Float(), p)
	case reflect.Bool:
		m.figure(truth(v.Bool()), p)
	}
}

var quantileOf = map[string]string{"min": "0", "p50": "0.5", "p90": "0.9", "p99": "0.99", "p999": "0.999", "max": "1"}

func (m *metrics) fields(v reflect.Value, p place) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range v.NumField() {
		field, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		q, isQuantile := quantileOf[field]
		switch v.Interface().(type) {
		case result.Failures, result.Losses:
			m.walk(v.Field(i), p.labelled("class", field))
			continue
		}
		if isQuantile {
			m.walk(v.Field(i), p.labelled("quantile", q))
		} else {
			m.walk(v.Field(i), p.below(field))
		}
	}
}

// entry is one of a list.
func entry(v reflect.Value, p place, i int) place {
	switch one := v.Interface().(type) {
	case result.Server:
		name := one.Addr
		if one.Node != nil {
			name = *one.Node
		}
		return p.labelled("index", strconv.Itoa(i)).labelled("server", name)
	case result.Cohort:
		return p.labelled("cohort", strconv.Itoa(i)).labelled("policy", one.Policy)
	}
	return p.labelled("index", strconv.Itoa(i))
}

// figure adds one.
func (m *metrics) figure(v float64, p place) {
	path := strings.Join(p.path, ".")
	help := path + " of the result"
	if meaning := result.Meaning(path); meaning != "" {
		help = meaning + ": " + help
	}
	if p.by != 0 {
		v /= p.by
	}
	m.add("stormwheel_bench_"+strings.Join(p.name, "_")+p.unit, help, v, p.labels...)
}
