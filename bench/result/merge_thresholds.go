package result

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Together are the thresholds of the parts, their promises or what else was asked for. A limit on
// something that is added up is added up too, if each part has one: 500 clients each are 1000
// together.
func Together(parts []*Result, promises bool) []string {
	type limit struct {
		figure, op string
		nth        int // of those of its part
	}
	var order []limit
	sums, counts, others := map[limit]float64{}, map[limit]int{}, []string{}
	for _, p := range parts {
		nth := map[string]int{}
		for _, seen := range p.Thresholds {
			if seen.Promise != promises || seen.Abort {
				continue
			}
			t, err := ParseThreshold(seen.Expr)
			if path := strings.Join(t.path, "."); err == nil && AddsUp(path) {
				figure := t.Figure()
				l := limit{figure, t.op, nth[figure+t.op]}
				nth[figure+t.op]++
				if counts[l] == 0 {
					order = append(order, l)
				}
				counts[l]++
				sums[l] += t.want
			} else if !slices.Contains(others, seen.Expr) {
				others = append(others, seen.Expr)
			}
		}
	}
	var all []string
	for _, l := range order {
		if counts[l] == len(parts) {
			all = append(all, fmt.Sprintf("%s%s%s", l.figure, l.op, Number(new(sums[l]))))
		}
	}
	return append(all, others...)
}

// AddsUp reports whether the merged figure at a path is the sum of those of the parts.
func AddsUp(path string) bool {
	switch path {
	case "connect.rate_per_s", "connect.target_per_s", "storm.peak_attempts_per_s", "storm.lost_connection_seconds",
		"storm.accept_rate_per_s", "storm.pace_per_s", "storm.goodput_per_s.best", "storm.goodput_per_s.median", "generator.cpu_s":
		return true
	case "seed":
		return false
	}
	for _, prefix := range []string{"build.", "server.", "thresholds.", "parts.", "detail.", "terms.", "load.", "storm.command."} {
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
