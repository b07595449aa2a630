package report

import (
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// What made a run fail, as far as its seconds tell: who, when, then what.

// cause is the first happening that others follow from; nil: nothing is known to.
func cause(r Run, all []happening) *happening {
	if r.Result.Verdict == result.Pass {
		return nil
	}
	for _, weight := range []weight{ours, theirs, trace} {
		for i := range all {
			if all[i].weight == weight {
				return &all[i]
			}
		}
	}
	return nil
}

// weight is what a happening explains.
type weight int

const (
	effect weight = iota
	trace         // it is only seen in the clients: sessions lost, answers slow
	theirs        // a server's, or the scenario's
	ours          // the load test's own, or its machine's: all else may follow from it
)

// causeInWords has what the clients felt of it behind it.
func causeInWords(r Run, all []happening) string {
	c := cause(r, all)
	if c == nil {
		return ""
	}
	said := *c
	text := strings.ToUpper(c.Text[:1]) + c.Text[1:]
	if c.weight == theirs {
		for _, h := range all {
			if h.weight == trace && h.At <= c.Until+2 && h.Until >= c.At {
				text += "; " + h.Text
				said.Until = max(said.Until, h.Until)
				break
			}
		}
	}
	return said.When() + ": " + text + "."
}

// died is when a process ended: in the second before it was found.
func (r Run) died(e result.Event, rows []result.Second) happening {
	h := happening{At: e.T, Until: e.T, Label: r.shortAddr(e.Target) + " ended", Text: fmt.Sprintf("the process of server %s ends", e.Target), weight: theirs}
	for _, s := range rows {
		if s.T <= e.T {
			h.At, h.Until, h.known = max(s.T-s.Span, 0), s.T, s.T
		}
	}
	return h
}

// causes are the kinds of events that clients suffer from.
var causes = map[result.EventKind]weight{result.EventKill: theirs, result.EventFreeze: theirs, result.EventSlow: theirs, result.EventOutage: theirs,
	result.EventCut: theirs, result.EventDrain: theirs, result.EventFlood: theirs, result.EventCommand: theirs, result.EventWorkerLost: ours}

// whither are the servers that have more connections when clients are back than when they were lost; "": it
// is not known, or there is but one.
func (r Run) whither(from, to float64) string {
	if len(r.Result.Server) < 2 {
		return ""
	}
	var names []string
	for i := range r.Result.Server {
		before, after := r.connsUpTo(i, from), r.connsUpTo(i, to)
		if before != nil && after != nil && *after > *before {
			names = append(names, fmt.Sprintf("%s has %s more", r.serverName(i), whole(*after-*before)))
		}
	}
	if len(names) == 0 || len(names) > 3 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// whose are the servers at which the sessions of a stretch were lost: those that have less than half of their connections behind
// it, or say nothing any more; "": it is not known, or it is all of them.
func (r Run) whose(from, to float64) string {
	var names []string
	for i := range r.Result.Server {
		before, after := r.connsUpTo(i, from), r.connsAt(i, to)
		if before != nil && *before > 0 && (after == nil || *after < *before/2) {
			names = append(names, r.serverName(i))
		}
	}
	if len(names) == 0 || len(names) > 3 || len(names) == len(r.Result.Server) {
		return ""
	}
	return " at " + strings.Join(names, ", ")
}

// connsAt is the count of a server's connections in the first reading from then on; nil: it said nothing.
func (r Run) connsAt(server int, at float64) *int {
	for i, s := range r.Result.Detail.Seconds {
		if s.T < at {
			continue
		}
		if c := r.cost(server, i); c != nil {
			return c.Conns
		}
		return nil
	}
	return nil
}

// connsUpTo is the last count of a server's connections that is not later than that.
func (r Run) connsUpTo(server int, at float64) (n *int) {
	for i, s := range r.Result.Detail.Seconds {
		if c := r.cost(server, i); s.T <= at && c != nil && c.Conns != nil {
			n = c.Conns
		}
	}
	return n
}

// meanwhile is what took the processors of the servers in a stretch, beside what is usual; "": nobody read it.
func (r Run) meanwhile(from, to float64) string {
	var words []string
	for i := range r.Result.Server {
		var in, out []float64
		for k, s := range r.Result.Detail.Seconds {
			if v := r.cpuOf(i, k); v != nil && s.T-1 >= from && s.T <= to+.01 {
				in = append(in, *v)
			} else if v != nil {
				out = append(out, *v)
			}
		}
		if len(in) > 0 && len(out) > 0 {
			words = append(words, fmt.Sprintf("%s takes %s %% of a processor then, %s %% else", r.serverName(i), plot.Number(mean(in), 1), plot.Number(mean(out), 1)))
		}
	}
	if len(words) == 0 || len(words) > 3 {
		return ""
	}
	return "; server " + strings.Join(words, ", ")
}

func mean(all []float64) (m float64) {
	for _, v := range all {
		m += v / float64(len(all))
	}
	return m
}
