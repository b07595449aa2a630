package result

import (
	"reflect"
	"slices"
	"strings"
)

// Counts that only grow are told second by second: in a column of Second where there is one, and in
// Second.Counts otherwise.

// countPaths are the paths of those counts.
var countPaths = func() (all []string) {
	for _, section := range []string{"conns", "connect", "heartbeat", "messages", "eviction", "churn"} {
		t := fieldOf(reflect.TypeFor[Result](), section)
		growing(t.Type, section, &all)
	}
	return slices.DeleteFunc(all, func(path string) bool { return path == "conns.peak" }) // a state, and no sum
}()

// growing adds the paths of the whole numbers below a type that only grow.
func growing(t reflect.Type, path string, all *[]string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		below := path + "." + jsonName(f)
		if f.Type.Kind() == reflect.Int && f.Tag.Get("early") == "grows" {
			*all = append(*all, below)
		}
		growing(f.Type, below, all)
	}
}

func fieldOf(t reflect.Type, name string) reflect.StructField {
	for i := range t.NumField() {
		if f := t.Field(i); jsonName(f) == name {
			return f
		}
	}
	panic("result: no field " + name)
}

// columns are the counts that Second has a field for.
var columns = map[string]func(*Second) int{
	"connect.attempts":      func(s *Second) int { return s.Attempts },
	"connect.established":   func(s *Second) int { return s.Established },
	"connect.failed":        func(s *Second) int { return s.Failed },
	"conns.lost":            func(s *Second) int { return s.Lost },
	"heartbeat.sent":        func(s *Second) int { return s.Pings },
	"heartbeat.answered":    func(s *Second) int { return s.Pongs },
	"messages.sent":         func(s *Second) int { return s.Sent },
	"messages.acknowledged": func(s *Second) int { return s.Acknowledged },
	"messages.delivered":    func(s *Second) int { return s.Delivered },
	"messages.undelivered":  func(s *Second) int { return s.Undelivered },
}

// SetCounts writes down what was counted in a second whose columns are filled: the counts of now, less
// those before it.
func (s *Second) SetCounts(now, before *Result) {
	s.Counts = map[string]int{}
	for _, path := range countPaths {
		s.setCount(path, countAt(now, path)-countAt(before, path))
	}
}

// AddCounts adds what another row, with its columns, counted: another part's of the same second. It is
// called before the columns are added. If one of them does not know, neither does the sum.
func (s *Second) AddCounts(o *Second) {
	if s.Counts == nil || o.Counts == nil {
		s.Counts = nil
		return
	}
	sums := map[string]int{}
	for _, path := range countPaths {
		a, _ := s.count(path)
		b, _ := o.count(path)
		sums[path] = a + b
	}
	counts := map[string]int{}
	for path, n := range sums {
		column := 0
		if of := columns[path]; of != nil {
			column = of(s) + of(o)
		}
		if n != column {
			counts[path] = n
		}
	}
	s.Counts = counts
}

// setCount keeps what the columns do not say.
func (s *Second) setCount(path string, n int) {
	column := 0
	if of := columns[path]; of != nil {
		column = of(s)
	}
	if n != column {
		s.Counts[path] = n
	} else {
		delete(s.Counts, path)
	}
}

// count is what was counted in the second; false: it does not tell, since it is of an older version.
func (s *Second) count(path string) (int, bool) {
	if n, told := s.Counts[path]; told {
		return n, true
	}
	if of := columns[path]; of != nil {
		return of(s), true
	}
	return 0, s.Counts != nil
}

// ledger are the counts that only the end of a talk tells, when what was sent is laid beside what came.
var ledger = []string{"messages.lost", "messages.held_lost", "messages.published", "messages.delivered", "messages.undelivered", "messages.confirmed"}

// countAt is a count of a result; 0 if its section is not there.
func countAt(r *Result, path string) int {
	v := reflect.ValueOf(r).Elem()
	for step := range strings.SplitSeq(path, ".") {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return 0
			}
			v = v.Elem()
		}
		v = v.FieldByIndex(fieldOf(v.Type(), step).Index)
	}
	return int(v.Int())
}
