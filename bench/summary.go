package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// WriteSummary writes the result for people: one figure a line, with its unit.
func (r *Result) WriteSummary(w io.Writer) error {
	var rows [][2]string
	line := func(name, format string, args ...any) {
		rows = append(rows, [2]string{name, fmt.Sprintf(format, args...)})
	}
	line("clients", "%d of %d at the end, peak %d", r.Conns.End, r.Conns.Target, r.Conns.Peak)
	rate := ""
	if r.Connect.RatePerS != nil {
		rate = fmt.Sprintf(", ramp %.0f/s", *r.Connect.RatePerS)
	}
	line("connects", "%d attempts, %d welcomed%s%s", r.Connect.Attempts, r.Connect.Established, rate, r.Connect.Failures.words())
	if p := r.Connect.LatencyMs; p != nil {
		line("connect latency", "p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms, from the intended time to WELCOME", p.P50, p.P90, p.P99, p.P999, p.Max)
	}
	if words := r.Conns.Losses.words(); words != "" {
		line("sessions lost", "%s", words)
	}
	if c := r.Churn; c != nil {
		line("churn", "%d sessions ended by BYE after %g s on average, %d others came, %d are missing", c.Departures, c.LifetimeS, c.Returns, c.Missing)
	}
	if s := r.Soak; s != nil {
		line("growth", "memory %s, descriptors %s, CPU %s, rtt p99 %s, from the second quarter to the last", percent(s.RSSGrowth), percent(s.FDsGrowth), percent(s.CPUGrowth), percent(s.RTTp99Growth))
	}
	if f := r.FindMax; f != nil {
		line("find-max", "%s holds up to %s %.0f%s", f.Goal, f.Vary, f.Best, f.limit())
		for i, t := range f.Trials {
			line(fmt.Sprintf("  trial %d", i+1), "%s %.0f: %s, %s", f.Vary, t.Load, number(t.Actual), t.Verdict)
		}
	}
	if g := r.Conns.Ghosts; g != nil && *g > 0 {
		line("ghosts", "%d connections that the nodes hold and nobody has", *g)
	}
	line("heartbeats", "%d sent, %d answered, %d missed", r.Heartbeat.Sent, r.Heartbeat.Answered, r.Heartbeat.Missed)
	if p := r.Heartbeat.RTTms; p != nil {
		line("rtt, from due time", "p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms", p.P50, p.P90, p.P99, p.P999, p.Max)
	}
	if e := r.Eviction; e.Expected > 0 || e.False > 0 || e.GeneratorFault > 0 {
		line("evictions", "%d of %d silent clients, %d early, %d false%s", e.Observed, e.Expected, e.Early, e.False,
			named("; ", map[string]int{"closed for another reason": e.Other, "overlooked": e.Overlooked}))
		if l := e.LatenessMs; l != nil {
			line("  lateness", "min %.1f  p50 %.1f  p99 %.1f  max %.1f ms after the timeout", l.Min, l.P50, l.P99, l.Max)
		}
	}
	if s := r.Storm; s != nil {
		line("storm ("+s.Kind+", "+s.Policy+")", "%d of %d clients are back", s.Back, s.Clients)
		line("  recovery", "t50 %s  t95 %s  t99 %s  t100 %s s, ideal %s s", number(s.T50S), number(s.T95S),
			number(s.T99S), number(s.T100S), number(s.IdealS))
		line("  attempts", "%s per success, busiest 100 ms at %.0f/s", number(s.AttemptsPerSuccess), s.PeakAttemptsPerS)
		if s.PacePerS != nil {
			line("  accepted", "%s, pace %.0f/s; %d clients were offline", s.accepted(), *s.PacePerS, s.Offline)
		}
		if s.CutBy != nil {
			line("  cut", "%s", map[string]string{cutSilently: "without FIN and RST: the nodes were told nothing", cutByReset: "by RST (no CAP_NET_ADMIN)"}[*s.CutBy])
		}
		if s.GhostsGoneS != nil {
			line("  ghosts", "the nodes held none after %.1f s", *s.GhostsGoneS)
		}
		line("  time lost", "%.1f connection-seconds", s.LostConnectionSeconds)
	}
	for _, c := range r.Cohorts {
		line("  cohort "+c.Policy, "%d of %d back, t50 %s  t95 %s  t99 %s  t100 %s s, %s attempts per success, busiest 100 ms at %.0f/s", c.Back, c.Clients,
			number(c.T50S), number(c.T95S), number(c.T99S), number(c.T100S), number(c.AttemptsPerSuccess), c.PeakAttemptsPerS)
	}
	if p := r.Probes; p != nil {
		line("probes", "%d clients, %d sessions lost; rtt p50/p99/max %s before, %s ms from t0 on", p.Clients, p.Lost, p.RTTms.Before.brief(), p.RTTms.During.brief())
	}
	for _, s := range r.Server {
		name := s.Addr
		if s.Node != nil {
			name = *s.Node
		}
		if words := s.words(); words != "" {
			line("server "+name, "%s", words)
		}
	}
	if g := r.Generator; g.LateMs != nil {
		cost := ""
		if g.RSSBytes != nil && g.CPUS != nil {
			cost = fmt.Sprintf(", %.1f MB rss, %.2f s cpu", float64(*g.RSSBytes)/1e6, *g.CPUS)
		}
		if g.Workers > 1 {
			cost += ", " + plural(g.Workers, "process")
		}
		line("generator", "late p50 %.2f  p99 %.2f  max %.2f ms%s", g.LateMs.P50, g.LateMs.P99, g.LateMs.Max, cost)
	}
	if m := r.Memory; m.KernelBytesPerConn != nil || m.GeneratorBytesPerConn != nil {
		line("memory a connection", "server %s, generator %s, kernel %s (whole machine)",
			bytesOf(m.ServerBytesPerConn), bytesOf(m.GeneratorBytesPerConn), bytesOf(m.KernelBytesPerConn))
	}
	if k := r.Kernel; k.ListenOverflows != nil && k.ListenDrops != nil && *k.ListenOverflows+*k.ListenDrops > 0 {
		line("kernel", "%d listen overflows, %d listen drops", *k.ListenOverflows, *k.ListenDrops)
	}
	for _, t := range r.Thresholds {
		mark := "ok  "
		if !t.OK {
			mark = "FAIL"
		}
		line(mark+" "+t.Expr, "%s", number(t.Actual))
	}
	interrupted := ""
	if r.Interrupted {
		interrupted = " (interrupted: the figures cover what ran)"
	}
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, %.1f s, seed %d\n", r.Scenario, r.WallS, r.Seed)
	for _, row := range rows {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, row[0], row[1])
	}
	fmt.Fprintf(&b, "verdict: %s%s\n", r.Verdict, interrupted)
	_, err := io.WriteString(w, b.String())
	return err
}

// words are what is known of a server.
func (s *Server) words() string {
	var words []string
	if s.RSSBytes != nil && s.CPUS != nil {
		words = append(words, fmt.Sprintf("%.1f MB rss, %.2f s cpu", float64(*s.RSSBytes)/1e6, *s.CPUS))
	}
	for _, n := range []struct {
		count *int
		noun  string
	}{{s.Conns, "conns"}, {s.FDs, "fds"}, {s.Evictions, "evictions"}} {
		if n.count != nil && (*n.count > 0 || n.noun != "evictions") {
			words = append(words, fmt.Sprintf("%d %s", *n.count, n.noun))
		}
	}
	if s.Killed && len(words) > 0 {
		words = append(words, "before its end")
	}
	return strings.Join(words, ", ")
}

// accepted is the rate of a drain, if there were enough clients to tell one.
func (s *Storm) accepted() string {
	if s.AcceptRatePerS == nil || float64(s.Clients) < *s.PacePerS*burst.Seconds() {
		return fmt.Sprintf("a burst of %d clients (too few for a rate)", s.Clients)
	}
	return fmt.Sprintf("%.0f/s", *s.AcceptRatePerS)
}

// limit says why a search found no more.
func (f *FindMax) limit() string {
	switch f.LimitedBy {
	case "most":
		return ", the most that was asked for"
	case "interrupted":
		return ", as far as the search went"
	case "generator":
		return fmt.Sprintf("; at %.0f the generator was too late, so the server may do more", *f.Missed)
	default:
		return fmt.Sprintf(", and not at %.0f", *f.Missed)
	}
}

// percent shows a growth.
func percent(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%+.1f %%", *v*100)
}

// brief is p50, p99 and max; "none" if there are none.
func (p *Percentiles) brief() string {
	if p == nil {
		return "none"
	}
	return fmt.Sprintf("%.2f/%.2f/%.2f", p.P50, p.P99, p.Max)
}

// number shows a figure that may be missing.
func number(v *float64) string {
	if v == nil {
		return "none"
	}
	return strconv.FormatFloat(*v, 'f', decimals(*v), 64)
}

// bytesOf shows a number of bytes that may be unknown.
func bytesOf(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f B", *v)
}

func decimals(v float64) int {
	if v == float64(int64(v)) {
		return 0
	}
	return 2
}

// words lists the classes that occurred.
func (f *Failures) words() string {
	return named(", failed: ", map[string]int{"refused": f.Refused, "reset": f.Reset, "closed": f.Closed,
		"connect timeout": f.ConnectTimeout, "welcome timeout": f.WelcomeTimeout, "busy": f.Busy, "goaway": f.GoAway,
		"protocol": f.Protocol, "no port": f.Ports, "no descriptor": f.Descriptors, "other": f.Other})
}

// String is empty when there were none.
func (f Failures) String() string { return strings.TrimPrefix(f.words(), ", failed: ") }

func (l *Losses) words() string {
	return named("", map[string]int{"closed": l.Closed, "reset": l.Reset, "evicted": l.Silence, "goaway": l.GoAway,
		"no pong": l.PongTimeout, "protocol": l.Protocol, "cut": l.Cut})
}

// plural is n with its noun, one that ends in a hiss.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "es"
}

func named(prefix string, counts map[string]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[name]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, name))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return prefix + strings.Join(words, ", ")
}
