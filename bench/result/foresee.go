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

// Foresee judges a result that is not complete. since is the time from t0, 0 before a storm.
func Foresee(soFar *Result, thresholds []Threshold, since time.Duration) []Outlook {
	seen, err := evaluate(soFar, thresholds)
	if err != nil {
		return nil
	}
	out := make([]Outlook, len(seen))
	for i, t := range thresholds {
		out[i].Expr = t.Expr
		path := strings.Join(t.path, ".")
		grows, known := early(t.path)
		if !known && t.path[0] != "server" {
			continue
		}
		actual := seen[i].Actual
		out[i].Actual = actual
		if actual == nil && since > 0 && strings.HasPrefix(path, "storm.t") {
			// They are not all back, so that the figure will be above the time so far.
			actual, grows = new(since.Seconds()), true
		}
		switch {
		case seen[i].OK:
			out[i].State = Holds
		case grows && actual != nil && t.exceeded(*actual):
			out[i].State = Failed
		}
	}
	return out
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
