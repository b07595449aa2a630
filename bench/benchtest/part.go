package benchtest

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Part is a result with a count in every place that has one.
func Part(seed uint64, started time.Time, rtts ...time.Duration) *result.Result {
	r := &result.Result{}
	next := int64(seed * 1000)
	fillCounts(reflect.ValueOf(r).Elem(), &next)
	r.Schema, r.Scenario, r.Seed, r.Started, r.WallS = result.Schema, "storm", seed, started, 5
	r.Storm.Kind, r.Storm.Policy, r.Storm.Clients, r.Storm.Back = "kill", "window", len(rtts), len(rtts)
	r.Storm.IdealS, r.Storm.LostConnectionSeconds = new(float64(len(rtts))/100), 1.5
	r.FindMax, r.Soak, r.Handshake, r.Churn.LifetimeS = nil, nil, nil, 10
	r.Load, r.Promises = result.Load{Protocol: "stormwheel"}, true
	r.Cohorts = []result.Cohort{{Policy: "full", Clients: len(rtts), Back: len(rtts), PeakAttemptsPerS: 10}}
	r.Server = []result.Server{{Addr: "127.0.0.1:1"}}
	r.Verdict, r.Generator.WhyInvalid, r.Eviction.GeneratorFault = result.Pass, nil, 0
	f := &r.Connect.Failures
	f.Ports, f.Descriptors, f.Memory = 0, 0, 0 // they would make it invalid
	// These follow from others.
	r.Conns.Lost, r.Connect.Failed = r.Conns.Losses.Total(), r.Connect.Failures.Total()
	r.Eviction.Overlooked = r.Eviction.Expected - r.Eviction.Observed - r.Eviction.Other
	r.Messages.Published = r.Messages.Delivered + r.Messages.Undelivered
	r.Churn.Missing = r.Churn.Departures - r.Churn.Returns
	round, returns := encoded(1, rtts), encoded(100, rtts)
	r.Detail = result.Detail{AttemptsPer100ms: []uint32{2, 1}, OutagesS: 1.5, Histograms: map[string]string{"rtt": round, "rtt_actual": round,
		"connect": round, "late": round, "lateness": encoded(1, nil), "return": returns, "return_0": returns}}
	return r
}

// encoded is a histogram of times, each so many times as long, as Detail has it.
func encoded(factor time.Duration, times []time.Duration) string {
	h := hdrhistogram.New(1, time.Hour.Microseconds(), 3)
	for _, d := range times {
		_ = h.RecordValue((factor * d).Microseconds())
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// fillCounts sets every integer below v to something else, and what points to one.
func fillCounts(v reflect.Value, next *int64) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			fillCounts(v.Field(i), next)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillCounts(v.Elem(), next)
	case reflect.Int, reflect.Int64:
		*next++
		v.SetInt(*next)
	}
}

// Doc is a result as a reader of its JSON has it.
func Doc(t *testing.T, r *result.Result) (doc any) {
	t.Helper()
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Figure is the number at a path of a result.
func Figure(t *testing.T, r *result.Result, path string) float64 {
	t.Helper()
	doc := Doc(t, r)
	for step := range strings.SplitSeq(path, ".") {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[step]
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(d) {
				doc = d[i]
			}
		}
	}
	v, ok := doc.(float64)
	if !ok {
		t.Fatalf("%s is no number", path)
	}
	return v
}

// Leaves are the paths of all figures below a type, as JSON names them; N is any index.
func Leaves(t reflect.Type, path string) []string {
	switch {
	case t.Kind() == reflect.Pointer:
		return Leaves(t.Elem(), path)
	case t.Kind() == reflect.Slice:
		return Leaves(t.Elem(), path+".N")
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		return Leaves(t.Elem(), path+".NAME")
	case t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]():
		return []string{strings.TrimPrefix(path, ".")}
	}
	var all []string
	for i := range t.NumField() {
		all = append(all, Leaves(t.Field(i).Type, path+"."+FieldName(t.Field(i)))...)
	}
	return all
}

// FieldName is what JSON calls a field.
func FieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
