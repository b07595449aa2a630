package result

import (
	"fmt"
	"slices"
	"strings"
)

// within is the figure of a threshold in its span. The error says why there is none.
func (t Threshold) within(r *Result) (*float64, error) {
	if r.Scenario == Talk && slices.Contains(ledger, strings.Join(t.path, ".")) {
		return nil, errLedger
	}
	if t.ofScraped() {
		return t.scrapedWithin(r)
	}
	rows, err := t.span.rows(r)
	if err != nil {
		return nil, err
	}
	m := meterOf(t.path)
	for _, i := range rows {
		if err := m.take(before(r.Detail.Seconds, i), &r.Detail.Seconds[i]); err != nil {
			return nil, err
		}
	}
	if m.total() == nil {
		return nil, fmt.Errorf("there was none in %s", t.span.text)
	}
	return m.total(), nil
}

var errLedger = fmt.Errorf("only the end of a talk tells what became of messages: it is of the whole run")

// CheckSpans returns a usage error about the first span that a run of a scenario cannot have: phases are
// those that it may enter, nil if nobody knows.
func CheckSpans(all []Threshold, scenario string, storms bool, phases []string) error {
	for _, t := range all {
		switch {
		case t.span == nil:
		case scenario == Talk && slices.Contains(ledger, strings.Join(t.path, ".")):
			return Usage("threshold %q: %w", t.Expr, errLedger)
		case t.span.name == "" || phases == nil || slices.Contains(phases, t.span.name) || storms && t.span.name == stormSpan:
		case storms:
			return Usage("threshold %q: this run has no phase %q; there are %s, and storm", t.Expr, t.span.name, strings.Join(phases, ", "))
		default:
			return Usage("threshold %q: this run has no phase %q; there are %s", t.Expr, t.span.name, strings.Join(phases, ", "))
		}
	}
	return nil
}

// failing says in which of the seconds taken a figure failed: as it stood by then, or by that second
// alone.
type failing struct {
	at       float64
	all, one bool
}

// brokeAt is when a threshold that failed broke, nil if only the end tells. From the last second on in which
// the figure, as it stood, still held, it is the first second that by itself did not.
func (t Threshold) brokeAt(r *Result) *float64 {
	if at := t.overdue(r); at != nil {
		return at
	}
	m, path := meterOf(t.path), strings.Join(t.path, ".")
	if path == "connect.rate_per_s" && t.span == nil { // that of the ramp
		return nil
	}
	if m == nil || r.Scenario == Talk && slices.Contains(ledger, path) {
		return nil
	}
	rows, err := t.span.rows(r)
	if err != nil {
		return nil
	}
	fails := func(v *float64) bool { return v != nil && !t.holds(*v) }
	var seen []failing
	for _, i := range rows {
		s := &r.Detail.Seconds[i]
		if m.take(before(r.Detail.Seconds, i), s) != nil {
			return nil
		}
		f := failing{at: s.T, all: fails(m.total()), one: fails(m.latest())}
		waiting := s.Unanswered > 0 // PINGs that will be given up tell before they are
		if m.sums() {               // it fails when it has gone beyond, and not while it has yet to get there
			f.all, f.one = m.total() != nil && t.exceeded(*m.total()), waiting && path == "heartbeat.unanswered"
		} else if waiting && strings.HasPrefix(path, "heartbeat.rtt_ms.") {
			f.one = f.one || fails(s.RTTMax)
		}
		seen = append(seen, f)
	}
	k := len(seen)
	for k > 0 && seen[k-1].all {
		k--
	}
	if _, state := m.(*reading); k == len(seen) || k == 0 && state && !m.sums() { // it never held
		return nil
	}
	for k > 0 && seen[k-1].one {
		k--
	}
	return &seen[k].at
}

// overdue is when a time that counts from t0 had passed; nil of other figures, and if the run ended before.
func (t Threshold) overdue(r *Result) *float64 {
	t0 := r.Detail.StormAtS
	if t0 == nil || len(t.path) != 2 || t.path[0] != "storm" || !slices.Contains([]string{"t50_s", "t95_s", "t99_s", "t100_s", "outage_s", "ghosts_gone_s"}, t.path[1]) ||
		t.op != "<" && t.op != "<=" || *t0+t.want > r.WallS {
		return nil
	}
	return new(*t0 + t.want)
}
