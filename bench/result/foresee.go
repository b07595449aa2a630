package result

import (
	"reflect"
	"strings"
	"time"
)

// Outlook is what can be said of a threshold before the end.
type Outlook struct {
	Expr   string
	Actual *float64 // as of now; nil: there is nothing yet, or nobody knows before the end
	State  OutlookState
}

// OutlookState: what fails for good is known at once; what holds may still fail.
type OutlookState uint8

const (
	Open   OutlookState = iota // does not hold now, and still may
	Holds                      // would hold if the run ended now
	Failed                     // whatever comes
)

// Forecast tells what can be said of thresholds while their run goes on. Owned by one goroutine.
type Forecast struct {
	all   []Threshold
	spans map[int]*inSpan // of those that have one, by their places
}

// inSpan is a threshold of a part of the run, of which some seconds are taken.
type inSpan struct {
	meter meter
	taken int
	over  bool
}

// NewForecast is of a run that has not begun.
func NewForecast(all []Threshold) *Forecast {
	f := &Forecast{all: all, spans: map[int]*inSpan{}}
	for i, t := range all {
		if t.span != nil && !t.ofScraped() { // its series are known when the run is over
			f.spans[i] = &inSpan{meter: meterOf(t.path)}
		}
	}
	return f
}

// Foresee judges a result that is not complete; of its Detail it needs the phases, t0 and the seconds. since is the
// time from t0, 0 before a storm.
func (f *Forecast) Foresee(soFar *Result, since time.Duration) []Outlook {
	detail := soFar.Detail
	figures := *soFar
	figures.Detail = Detail{} // not for thresholds, and long
	doc, err := docOfResult(&figures)
	if err != nil {
		return nil
	}
	out := make([]Outlook, len(f.all))
	for i, t := range f.all {
		out[i].Expr = t.Expr
		if s := f.spans[i]; s != nil {
			out[i].Actual, out[i].State = s.foresee(t, &detail)
			continue
		}
		grows, known := early(t.path)
		if t.span != nil || !known && t.path[0] != "server" {
			continue
		}
		if v, ok := lookUp(doc, t.path); ok {
			out[i].Actual = &v
		}
		actual := out[i].Actual
		if actual == nil && since > 0 && strings.HasPrefix(strings.Join(t.path, "."), "storm.t") {
			// They are not all back, so that the figure will be above the time so far.
			actual, grows = new(since.Seconds()), true
		}
		out[i].State = t.state(out[i].Actual, actual, grows)
	}
	return out
}

// state: bound is what the figure will at least come to, if it only grows.
func (t Threshold) state(actual, bound *float64, grows bool) OutlookState {
	switch {
	case actual != nil && t.holds(*actual):
		return Holds
	case grows && bound != nil && t.exceeded(*bound):
		return Failed
	default:
		return Open
	}
}

// foresee takes the seconds that have come.
func (s *inSpan) foresee(t Threshold, d *Detail) (*float64, OutlookState) {
	for ; s.taken < len(d.Seconds); s.taken++ {
		inside := t.span.reached(d, s.taken)
		if inside {
			_ = s.meter.take(before(d.Seconds, s.taken), &d.Seconds[s.taken]) // a run of today tells
		}
		s.over = !inside && middle(d.Seconds, s.taken) > t.span.to
	}
	actual := s.meter.total()
	if s.over && (actual == nil || !t.holds(*actual)) {
		return actual, Failed
	}
	return actual, t.state(actual, actual, s.meter.sums())
}

// early says whether the figure at a path is known while the run goes on, and whether it only grows.
// The tags of the fields tell, and hold for what lies below; a maximum always grows.
func early(path []string) (grows, known bool) {
	t := reflect.TypeFor[Result]()
	for _, step := range path {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return false, false
		}
		for i := range t.NumField() {
			f := t.Field(i)
			if jsonName(f) != step {
				continue
			}
			if tag := f.Tag.Get("early"); tag != "" {
				grows, known = tag == "grows", true
			} else if step == "max" {
				grows = known
			}
			t = f.Type
			break
		}
	}
	return grows, known
}

// exceeded: v is too large, so that a larger one will not do either.
func (t Threshold) exceeded(v float64) bool {
	switch t.op {
	case "<":
		return v >= t.want
	case "<=", "==":
		return v > t.want
	}
	return false
}
