package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// happening is something that befell a run, on the clock of its seconds.
type happening struct {
	At, Until float64 // Until is At of a moment
	Label     string  // on the axis; empty: it is told of in words alone
	Text      string
	Bad       bool    // a promise broke, or the figures prove nothing
	known     float64 // found by the end of a second, if not at At
	weight    weight  // what it explains
	Cause     bool    // it is what the others follow from
}

// When is its time in words.
func (h happening) When() string {
	if h.Until <= h.At {
		return plot.Number(h.At, .1) + " s"
	}
	return plot.Number(h.At, .1) + " to " + plot.Number(h.Until, .1) + " s"
}

// story is what happened, in the order of time: what the scenario did, what the seconds show, and which
// promise broke.
func (r Run) story() (all []happening) {
	rows := r.rows()
	all = r.told(rows)
	for _, find := range []func(Run, []result.Second) []happening{arrivals, losses, waits, slowness, failures, missing, falselyEvicted, late, broken} {
		all = append(all, find(r, rows)...)
	}
	all = append(all, r.ending(rows)...)
	all = slices.DeleteFunc(all, func(h happening) bool { return !plot.Drawable(h.At) })
	slices.SortStableFunc(all, func(a, b happening) int { return cmp.Compare(max(a.At, a.known), max(b.At, b.known)) })
	if c := cause(r, all); c != nil {
		c.Cause = true
	}
	return all
}

// told are the events that the run kept.
func (r Run) told(rows []result.Second) (all []happening) {
	for _, e := range r.Result.Detail.Events {
		if e.Kind == result.EventDied {
			all = append(all, r.died(e, rows))
			continue
		}
		h := happening{At: e.T, Until: e.T, Text: e.Name, Label: shortly(e), weight: causes[e.Kind], Bad: e.Kind == result.EventAbort || e.Kind == result.EventWorkerLost}
		if e.Until != nil {
			h.Until = *e.Until
		} else if lasts[e.Kind] {
			h.Until = r.length()
		}
		all = append(all, h)
	}
	if t0 := r.Result.Detail.StormAtS; len(all) == 0 && t0 != nil && r.Result.Storm != nil { // an older result
		h := happening{At: *t0, Until: *t0, Label: r.blowWord(), Text: r.blowWord(), weight: theirs}
		if out := deref(r.Result.Storm.OutageS); out > 0 {
			h.Until = *t0 + out
		}
		all = append(all, h)
	}
	return all
}

// lasts are the kinds that last to the end if nothing else is known.
var lasts = map[result.EventKind]bool{result.EventDrain: true, result.EventFreeze: true, result.EventSlow: true, result.EventOutage: true}

// shortly is an event in a few words, for the axis.
func shortly(e result.Event) string {
	node := "node " + e.Target
	if e.Target == "" {
		node = "all nodes"
	}
	switch e.Kind {
	case result.EventKill:
		return node + " killed"
	case result.EventDrain:
		return node + " told to end"
	case result.EventFreeze:
		return node + " stopped"
	case result.EventSlow:
		return "nodes slowed"
	case result.EventOutage:
		return "no node runs"
	case result.EventBack:
		return node + " back"
	case result.EventDied:
		return e.Target + " ended"
	case result.EventCut:
		return "connections cut"
	case result.EventFlood:
		return "flood"
	case result.EventSilence:
		return "clients fall silent"
	case result.EventCommand:
		return "command runs"
	case result.EventStorm:
		return "storm begins"
	case result.EventWorkerLost:
		return "load process lost"
	case result.EventAbort:
		return "run cut short"
	default:
		return e.Name
	}
}

// arrivals is when all were in for the first time.
func arrivals(r Run, rows []result.Second) []happening {
	x := r.Result
	if x.Handshake != nil || x.Conns.Target == 0 || len(rows) == 0 {
		return nil
	}
	begin := happening{Text: fmt.Sprintf("%s clients begin to connect", whole(x.Conns.Target))}
	if rate := x.Connect.TargetPerS; rate != nil {
		begin.Text += fmt.Sprintf(", %s a second", plot.Number(*rate, 1))
	}
	all := []happening{begin}
	for _, s := range rows {
		if s.Ready >= x.Conns.Target {
			return append(all, happening{At: s.T, Until: s.T, Text: fmt.Sprintf("all %s are online", whole(s.Ready))})
		}
	}
	return all
}

// ending is how it stood when the run was over.
func (r Run) ending(rows []result.Second) []happening {
	x := r.Result
	if x.Handshake != nil || len(rows) == 0 {
		return nil
	}
	at := rows[len(rows)-1].T
	return []happening{{At: at, Until: at, Text: fmt.Sprintf("the run ends: %s of %s clients are online", whole(x.Conns.End), whole(x.Conns.Target))}}
}

// broken are the thresholds of which it is known when they broke, those of a moment together.
func broken(r Run, rows []result.Second) (all []happening) {
	when := map[float64][]string{}
	for _, t := range r.Result.Thresholds {
		switch {
		case t.OK || t.BrokeAtS == nil:
		case t.Abort: // the end itself is told, too
			all = append(all, happening{At: *t.BrokeAtS, Until: *t.BrokeAtS, Text: t.Expr + " is so from here on: --abort-on"})
		default:
			when[*t.BrokeAtS] = append(when[*t.BrokeAtS], t.Expr)
		}
	}
	for at, exprs := range when {
		h := happening{At: at, Until: at, known: at, Bad: true, Label: "broken: " + exprs[0], Text: "broken: " + strings.Join(exprs, ", ")}
		if len(exprs) > 1 {
			h.Label = fmt.Sprintf("%d promises broken", len(exprs))
		}
		for _, s := range rows { // found by the end of a row: it broke somewhere in it
			if s.T == at {
				h.At = max(s.T-s.Span, 0)
			}
		}
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b happening) int { return cmp.Compare(a.At, b.At) })
	return all
}
