package result

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Threshold is one `PATH OP NUMBER` over the marshalled Result: `storm.t99_s<30`,
// `server.0.rss_bytes < 2e8`. true counts as 1 and false as 0. A path that is told second by second
// may be of a part of the run: `heartbeat.rtt_ms.p999[storm]<200`, `connect.rate_per_s[10s..20s]>500`.
type Threshold struct {
	Expr string
	path []string
	span *span // nil: the whole run
	op   string
	want float64
	// promise: it is one of the scenario's, not the user's.
	Promise bool
}

var thresholdForm = regexp.MustCompile(`^\s*([A-Za-z0-9_.\-]+?)\s*(?:\[([^\[\]]*)\])?\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*$`)

// ParseThreshold reads one expression. A path that no Result can have is an error: a
// misspelt threshold would otherwise fail every run, or be taken for a failing server.
func ParseThreshold(expr string) (Threshold, error) {
	m := thresholdForm.FindStringSubmatch(expr)
	if m == nil {
		return Threshold{}, fmt.Errorf("threshold %q: want PATH OP NUMBER, as in storm.t99_s<30, or PATH[SPAN] OP NUMBER", expr)
	}
	want, err := strconv.ParseFloat(m[4], 64)
	if err != nil || want != want {
		return Threshold{}, fmt.Errorf("threshold %q: %q is not a number", expr, m[4])
	}
	t := Threshold{Expr: expr, path: strings.Split(m[1], "."), op: m[3], want: want}
	if err := checkPath(reflect.TypeFor[Result](), t.path); err != nil {
		return Threshold{}, fmt.Errorf("threshold %q: %w", expr, err)
	}
	if !strings.Contains(expr, "[") {
		return t, nil
	}
	if t.span, err = parseSpan(m[2]); err != nil {
		return Threshold{}, fmt.Errorf("threshold %q: %w", expr, err)
	}
	if meterOf(t.path) == nil && !t.ofScraped() {
		return Threshold{}, fmt.Errorf("threshold %q: %s is of the whole run; %s", expr, m[1], spannable())
	}
	return t, nil
}

// ReadThresholds reads a scenario's promises and what the user asks for beyond them.
func ReadThresholds(promises, asked []string) (all []Threshold, err error) {
	for i, expr := range slices.Concat(promises, asked) {
		t, err := ParseThreshold(expr)
		if err != nil {
			return nil, &ExitError{Code: ExitUsage, Err: err}
		}
		t.Promise = i < len(promises)
		if !slices.ContainsFunc(all, func(o Threshold) bool { return o.Expr == t.Expr }) {
			all = append(all, t)
		}
	}
	return all, nil
}

// Parts are the path and the number.
func (t Threshold) Parts() (path string, number float64) { return strings.Join(t.path, "."), t.want }

// Figure is the path, with its span.
func (t Threshold) Figure() string {
	path := strings.Join(t.path, ".")
	if t.span != nil {
		path += "[" + t.span.text + "]"
	}
	return path
}

// checkPath follows path through the types of the result, as JSON names them.
func checkPath(t reflect.Type, path []string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if len(path) == 0 {
		switch t.Kind() {
		case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64, reflect.Bool:
			return nil
		}
		return fmt.Errorf("the path does not end at a number%s", choices(t))
	}
	head, rest := path[0], path[1:]
	switch {
	case t == reflect.TypeFor[time.Time]():
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if jsonName(t.Field(i)) == head {
				return checkPath(t.Field(i).Type, rest)
			}
		}
		return fmt.Errorf("no %q%s", head, choices(t))
	case t.Kind() == reflect.Slice:
		if n, err := strconv.Atoi(head); err != nil || n < 0 {
			return fmt.Errorf("%q is not an index", head)
		}
		return checkPath(t.Elem(), rest)
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct: // of which names there are, the run knows
		return checkPath(t.Elem(), rest)
	}
	return fmt.Errorf("nothing lies below %q", head)
}

// choices lists what a reader could have meant.
func choices(t reflect.Type) string {
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return ""
	}
	var names []string
	for i := range t.NumField() {
		names = append(names, jsonName(t.Field(i)))
	}
	slices.Sort(names)
	return "; there are " + strings.Join(names, ", ")
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// evaluate holds all thresholds against what a reader of the JSON would see. A value that
// is null or missing fails its threshold.
func evaluate(r *Result, all []Threshold) ([]ThresholdSeen, error) {
	doc, err := docOfResult(r)
	if err != nil {
		return nil, err
	}
	seen := make([]ThresholdSeen, 0, len(all))
	for _, t := range all {
		s := ThresholdSeen{Expr: t.Expr, Promise: t.Promise}
		var untold error
		if t.span != nil {
			s.Actual, untold = t.within(r)
		} else if v, ok := lookUp(doc, t.path); ok {
			s.Actual = &v
		}
		switch s.OK = s.Actual != nil && t.holds(*s.Actual); {
		case s.OK:
		case untold != nil:
			s.Failed = new(fmt.Sprintf("%s: %v", t.Figure(), untold))
		default:
			s.Failed, s.BrokeAtS = new(t.failed(s.Actual)), t.brokeAt(r)
		}
		seen = append(seen, s)
	}
	return seen, nil
}

// docOfResult is the result as a reader of the JSON sees it.
func docOfResult(r *Result) (doc any, err error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return doc, json.Unmarshal(raw, &doc)
}

func lookUp(doc any, path []string) (float64, bool) {
	for _, step := range path {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(d) {
				return 0, false
			}
			doc = d[i]
		default:
			return 0, false
		}
	}
	switch v := doc.(type) {
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func (t Threshold) holds(v float64) bool {
	switch t.op {
	case "<":
		return v < t.want
	case "<=":
		return v <= t.want
	case ">":
		return v > t.want
	case ">=":
		return v >= t.want
	case "==":
		return v == t.want
	default:
		return v != t.want
	}
}

// ThresholdSeen is one threshold and the value it met; null when there was none.
type ThresholdSeen struct {
	Expr    string   `json:"expr"`
	Promise bool     `json:"promise"` // one of the scenario's
	Actual  *float64 `json:"actual"`
	OK      bool     `json:"ok"`
	Failed  *string  `json:"failed"` // in words; null: it holds
	// BrokeAtS is when it broke, on the clock of Detail.Seconds: the end of the first second in which it
	// did not hold; null: it holds, or only the end tells.
	BrokeAtS *float64 `json:"broke_at_s"`
	// Abort: it is a rule of --abort-on, and fails if it ended the run.
	Abort bool `json:"abort"`
}
