package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// What the seconds show, in words.

// stretch is rows that belong together, from the first to the last.
type stretch struct{ first, last int }

// stretches are the rows in which something is so; those with up to two others between them are one.
func stretches(rows []result.Second, so func(result.Second) bool) (all []stretch) {
	for i, s := range rows {
		if !so(s) {
			continue
		}
		if n := len(all) - 1; n >= 0 && i-all[n].last <= 3 {
			all[n].last = i
		} else {
			all = append(all, stretch{i, i})
		}
	}
	return all
}

// happens is from the begin of the first row to the end of the last.
func (s stretch) happens(rows []result.Second, format string, args ...any) happening {
	first := rows[s.first]
	return happening{At: max(first.T-first.Span, 0), Until: rows[s.last].T, known: first.T, Text: fmt.Sprintf(format, args...)}
}

// sum is a count of the stretch.
func (s stretch) sum(rows []result.Second, of func(result.Second) int) (n int) {
	for _, row := range rows[s.first : s.last+1] {
		n += of(row)
	}
	return n
}

// worst is the greatest figure of the stretch, and when it was.
func (s stretch) worst(rows []result.Second, of func(result.Second) *float64) (v, at float64) {
	for _, row := range rows[s.first : s.last+1] {
		if one := of(row); one != nil && *one > v {
			v, at = *one, row.T
		}
	}
	return v, at
}

// mostTold bounds how many stretches of a kind are told of, the largest.
const mostTold = 4

// largest are the mostTold stretches with the greatest counts, in the order of time, and the rest in one sum.
func largest(rows []result.Second, all []stretch, of func(result.Second) int) (told []stretch, rest int) {
	told = slices.Clone(all)
	slices.SortStableFunc(told, func(a, b stretch) int { return b.sum(rows, of) - a.sum(rows, of) })
	for len(told) > mostTold {
		rest += told[len(told)-1].sum(rows, of)
		told = told[:len(told)-1]
	}
	return told, rest
}

// losses are sessions that ended, and whether their clients came back.
func losses(r Run, rows []result.Second) (all []happening) {
	rows = unasked(r, rows)
	lost := func(s result.Second) int { return s.Lost }
	told, rest := largest(rows, stretches(rows, func(s result.Second) bool { return s.Lost > 0 }), lost)
	for _, s := range told {
		n, before := s.sum(rows, lost), 0
		if s.first > 0 {
			before = rows[s.first-1].Ready
		}
		of := ""
		if before >= n {
			of = " of " + whole(before)
		}
		// The reading behind the stretch: the one at its end may be of a moment before.
		whose := r.whose(rows[s.first].T-rows[s.first].Span, rows[min(s.last+1, len(rows)-1)].T)
		h := s.happens(rows, "%s%s sessions are lost%s%s%s", whole(n), of, whose, because(unaskedLosses(r.Result), n), back(r, rows, s, before))
		h.weight = trace
		if t0 := r.Result.Detail.StormAtS; t0 != nil && h.At < *t0 && *t0 <= h.known { // within its first second: not before what it follows from
			h.At = *t0
		}
		if before > 0 && n*100 >= before {
			h.Label = whole(n) + " lost"
		}
		all = append(all, h)
	}
	if rest > 0 {
		all = append(all, happening{At: 0, Until: r.length(), Text: fmt.Sprintf("%s more sessions are lost now and then", whole(rest))})
	}
	return all
}

// unasked are rows without the sessions of silent clients that were evicted for it: that is what the scenario wants.
func unasked(r Run, rows []result.Second) []result.Second {
	if !silenced(r.Result) {
		return rows
	}
	all := slices.Clone(rows)
	before := 0
	for i := range all {
		all[i].Lost = max(all[i].Lost-max(all[i].Evicted-before, 0), 0)
		before = rows[i].Evicted
	}
	return all
}

// silenced: the scenario had clients with sessions fall silent, and the server evicted some. Those that are half-open have none.
func silenced(x *result.Result) bool {
	return x.Eviction.Observed > 0 && x.Scenario != "halfopen" && x.Scenario != "trickle"
}

// unaskedLosses are why sessions ended, without theirs.
func unaskedLosses(x *result.Result) result.Losses {
	l := x.Conns.Losses
	if silenced(x) {
		l.Silence = max(l.Silence-x.Eviction.Observed, 0)
	}
	return l
}

// back says how many of those who were there before are there again.
func back(r Run, rows []result.Second, s stretch, before int) string {
	if before == 0 {
		return ""
	}
	for _, row := range rows[s.last:] {
		if row.Ready >= before {
			return fmt.Sprintf("; all are back by %s s%s", plot.Number(row.T, .1), r.whither(rows[s.first].T-rows[s.first].Span, row.T+1))
		}
	}
	if end := rows[len(rows)-1].Ready; end > 0 {
		return fmt.Sprintf("; %s are online at the end", whole(end))
	}
	return "; nobody is back at the end"
}

// because is why so many sessions ended, as far as the sums of the run tell.
func because(l result.Losses, n int) string {
	return reasons(n, []reason{
		{l.Closed, "closed by the server without a word"}, {l.Reset, "their connections are reset"}, {l.Silence, "the server evicts them for their silence"},
		{l.GoAway, "the server sends them away"}, {l.PongTimeout, "their clients get no answer, and give up"},
		{l.Protocol, "the server says what is not the protocol"}, {l.Cut, "the scenario cuts them"}})
}

// whyFailed is why so many attempts failed.
func whyFailed(f result.Failures, n int) string {
	return reasons(n, []reason{
		{f.Ports, "this machine has no free local port left"}, {f.Descriptors, "the load test has no free descriptor left"}, {f.Memory, "this machine has no memory for a socket"},
		{f.Refused, "nobody listens there (connection refused)"}, {f.Reset, "reset"}, {f.TLS, "the TLS handshake fails"}, {f.Closed, "closed before WELCOME"},
		{f.ConnectTimeout, "nobody answers the connect in time"}, {f.WelcomeTimeout, "connected, but no WELCOME in time"}, {f.Busy, "the server is busy, and says when to come again"},
		{f.GoAway, "the server sends them away"}, {f.Protocol, "the server says what is not the protocol"}, {f.Other, "no way there, or another error"}})
}

// reason is how often something was the cause in the whole run.
type reason struct {
	n    int
	text string
}

// reasons are those of n, if these are most of all there were in the run: of a few it is not known which.
func reasons(n int, all []reason) string {
	total := 0
	for _, one := range all {
		total += one.n
	}
	if total == 0 || n*10 < total*9 {
		return ""
	}
	slices.SortStableFunc(all, func(a, b reason) int { return b.n - a.n })
	var words []string
	for _, one := range all {
		switch {
		case one.n == total:
			return ": " + one.text
		case one.n > 0:
			words = append(words, whole(one.n)+": "+one.text)
		}
	}
	return " (" + strings.Join(words, "; ") + ")"
}

// waits are PINGs that nobody answers.
func waits(r Run, rows []result.Second) (all []happening) {
	told, _ := largest(rows, stretches(rows, func(s result.Second) bool { return s.Unanswered > 0 }), func(s result.Second) int { return s.Unanswered })
	for _, s := range told {
		most, _ := s.worst(rows, counted(func(s result.Second) int { return s.Unanswered }))
		silence := ""
		if mute := longestSilence(rows[s.first : s.last+1]); mute > 0 {
			silence = fmt.Sprintf("; for %s s nobody gets any", plot.Number(mute, 1))
		}
		h := s.happens(rows, "up to %s PINGs at a time wait for longer than %s for an answer%s", plot.Number(most, 1), r.longWait(), silence)
		h.Label, h.weight = "PINGs wait", trace
		all = append(all, h)
	}
	return all
}

// longestSilence is for how long clients were there and not one PONG came, in seconds.
func longestSilence(rows []result.Second) (longest float64) {
	now := 0.0
	for _, s := range rows {
		if now += s.Span; s.Pongs > 0 {
			now = 0
		}
		longest = max(longest, now)
	}
	return longest
}

// longWait is what a PING waits before it counts as unanswered.
func (r Run) longWait() string {
	if patience := r.Result.Load.PongTimeoutMs; patience > 0 && patience < 2000 {
		return plot.Number(patience/2, 1) + " ms"
	}
	return "a second"
}

// failures are attempts that did not get in.
func failures(r Run, rows []result.Second) (all []happening) {
	failed := func(s result.Second) int { return s.Failed }
	told, _ := largest(rows, stretches(rows, func(s result.Second) bool { return s.Failed > 0 }), failed)
	for _, s := range told {
		n := s.sum(rows, failed)
		h := s.happens(rows, "%s of %s attempts to connect fail%s", whole(n), whole(max(n, s.sum(rows, func(s result.Second) int { return s.Attempts }))), whyFailed(r.Result.Connect.Failures, n))
		if f := r.Result.Connect.Failures; f.Ports+f.Descriptors+f.Memory > 0 {
			h.Bad, h.Label, h.weight = true, "connects fail", ours
		}
		all = append(all, h)
	}
	return all
}

// missing are messages that did not arrive.
func missing(_ Run, rows []result.Second) (all []happening) {
	undelivered := func(s result.Second) int { return s.Undelivered }
	told, _ := largest(rows, stretches(rows, func(s result.Second) bool { return s.Undelivered > 0 }), undelivered)
	for _, s := range told {
		all = append(all, s.happens(rows, "%s messages are found missing", whole(s.sum(rows, undelivered))))
	}
	return all
}

// falselyEvicted are living clients that the server took for dead.
func falselyEvicted(_ Run, rows []result.Second) (all []happening) {
	before := 0
	for i, s := range rows {
		if n := s.False - before; n > 0 {
			h := stretch{i, i}.happens(rows, "%s living clients are evicted", whole(n))
			h.Bad, h.Label, h.weight = true, whole(n)+" falsely evicted", trace
			if all = append(all, h); len(all) == mostTold {
				break
			}
		}
		before = s.False
	}
	return all
}
