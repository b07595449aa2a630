package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// why says what stands behind the verdict, a sentence a line, what weighs most first.
func why(x *result.Result) (all []string) {
	switch {
	case x.CutShort != nil:
		all = append(all, "Cut short, so that the figures cover what ran: "+*x.CutShort)
	case x.Interrupted:
		all = append(all, "Interrupted: the figures cover what ran.")
	case x.Generator.WhyInvalid != nil:
		all = append(all, "The figures prove nothing about the server: "+*x.Generator.WhyInvalid+".")
	}
	if said := x.SpoiledPhases(); said != "" {
		all = append(all, "Beware: "+said+".")
	}
	if held := x.Connect.HeldBackS; held > 0 {
		all = append(all, fmt.Sprintf("The ramp was adaptive, and the load test put arrivals off by up to %s s, since it was late itself.", plot.Number(held, .1)))
	}
	if said := idle(x); said != "" {
		all = append(all, said)
	}
	failed, judged := 0, 0
	for _, t := range x.Thresholds {
		if t.Abort { // said above, if it ended the run
			continue
		}
		if judged++; !t.OK {
			failed++
		}
	}
	switch {
	case failed > 0:
		all = append(all, fmt.Sprintf("%s of %s promises and thresholds %s broken:", whole(failed), whole(judged), are(failed)))
	case judged > 0 && x.Verdict == result.Invalid:
		all = append(all, fmt.Sprintf("All %s promises and thresholds hold, which does not count here.", whole(judged)))
	case judged > 0 && x.Verdict == result.Pass:
		all = append(all, fmt.Sprintf("All %s promises and thresholds hold.", whole(judged)))
	case x.Verdict == result.Pass:
		all = append(all, "Nothing was promised, or asked for.")
	}
	for _, t := range x.Thresholds {
		if t.OK || t.Abort {
			continue
		}
		text := t.Expr
		if t.Failed != nil {
			text = *t.Failed + " (" + strings.TrimSpace(t.Expr) + ")"
		}
		if t.BrokeAtS != nil {
			text += ", broken at " + plot.Number(*t.BrokeAtS, .1) + " s"
		}
		all = append(all, "– "+text)
	}
	if !x.Promises && !x.Old() {
		all = append(all, "The scenario's own promises are not judged (--no-promises).")
	}
	return all
}

// idle says that the load test was late without being busy; empty: it was not, or nobody knows.
func idle(x *result.Result) string {
	g := x.Generator
	limit, _, _ := lateLimit(x)
	if g.CPUS == nil || x.WallS <= 0 || g.LateMs == nil || g.LateMs.P99 <= limit {
		return ""
	}
	took := *g.CPUS / x.WallS
	if took > float64(max(g.Workers, 1))/2 {
		return ""
	}
	return fmt.Sprintf("The load test was late (p99 %s ms), but took %s %% of a processor on the whole: not its own work made it late, but what else ran on its machine, or a machine that stood still.",
		short(g.LateMs.P99), plot.Number(100*took, 1))
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// summary is the run in a line.
func summary(r Run) string {
	x := r.Result
	words := []string{whole(x.Conns.Target) + " clients"}
	if x.Handshake != nil {
		words = []string{whole(x.Conns.Target) + " handshakes at a time"}
	}
	if n := len(x.Server); n == 1 {
		words[0] += ", 1 server"
	} else if n > 1 {
		words[0] += fmt.Sprintf(", %s servers", whole(n))
	}
	if x.Load.Protocol != "" {
		words = append(words, x.Load.Protocol)
	}
	if rtt := x.Heartbeat.RTTms; rtt != nil {
		words = append(words, fmt.Sprintf("round trips from the write p50 %s, p99 %s, max %s ms", short(rtt.P50), short(rtt.P99), short(rtt.Max)))
		if due := x.Heartbeat.IntendedRTTms; due != nil && x.Verdict == result.Invalid {
			words = append(words, fmt.Sprintf("from the due time p99 %s ms", short(due.P99)))
		}
	}
	if !x.Started.IsZero() {
		words = append(words, x.Started.UTC().Format(time.DateTime)+" UTC")
	}
	words = append(words, plot.Number(x.WallS, .1)+" s")
	if x.Verdict == result.Invalid {
		words = append(words, "these figures do not count")
	}
	return strings.Join(words, " · ")
}
