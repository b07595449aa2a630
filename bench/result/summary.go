package result

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// WriteSummary writes the result for people: one figure a line, with its unit.
func (r *Result) WriteSummary(w io.Writer) error {
	var s summary
	if r.Handshake == nil { // no clients, no heartbeats
		s.connections(r)
	}
	s.scenario(r)
	if r.Handshake == nil {
		s.heartbeats(r)
	}
	if r.Messages != nil {
		s.messages(r)
	}
	if r.Storm != nil {
		s.storm(r.Storm)
	}
	for _, c := range r.Cohorts {
		s.line("  cohort "+c.Policy, "%d of %d back, t50 %s  t95 %s  t99 %s  t100 %s s, %s attempts per success, busiest 100 ms at %.0f/s", c.Back, c.Clients,
			Number(c.T50S), Number(c.T95S), Number(c.T99S), Number(c.T100S), Number(c.AttemptsPerSuccess), c.PeakAttemptsPerS)
	}
	if p := r.Probes; p != nil {
		s.line("probes", "%d clients, %d sessions lost; rtt p50/p99/max %s before, %s ms from t0 on", p.Clients, p.Lost, p.RTTms.Before.brief(), p.RTTms.During.brief())
	}
	s.processes(r)
	for _, name := range slices.Sorted(maps.Keys(r.Scraped)) {
		s.line("scraped "+name, "%s", r.Scraped[name].Words())
	}
	for _, t := range r.Thresholds {
		name := t.Expr
		if t.Abort {
			name = "abort on " + name
		}
		if t.OK || t.Failed == nil {
			s.line("ok   "+name, "%s", Number(t.Actual))
		} else {
			s.line("FAIL "+name, "%s", t.Words())
		}
	}
	s.repeats(r)
	if !r.Promises {
		s.line("promises", "those of the scenario are not judged (--no-promises)")
	}
	interrupted := ""
	if r.Interrupted {
		interrupted = " (interrupted: the figures cover what ran)"
		if r.CutShort != nil { // the error says by what
			interrupted = " (cut short: the figures cover what ran)"
		}
	}
	_, err := fmt.Fprintf(w, "\n%s, %.1f s, seed %d\n%sverdict: %s%s\n", r.Scenario, r.WallS, r.Seed, s.table(), r.Verdict, interrupted)
	return err
}

// summary is a table of two columns: what, and its figures.
type summary struct{ rows [][2]string }

func (s *summary) line(name, format string, args ...any) {
	s.rows = append(s.rows, [2]string{name, fmt.Sprintf(format, args...)})
}

func (s *summary) table() string {
	width := 0
	for _, row := range s.rows {
		width = max(width, len(row[0]))
	}
	var b strings.Builder
	for _, row := range s.rows {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, row[0], row[1])
	}
	return b.String()
}

func (s *summary) connections(r *Result) {
	s.line("clients", "%d of %d at the end, peak %d", r.Conns.End, r.Conns.Target, r.Conns.Peak)
	rate := ""
	if r.Connect.RatePerS != nil {
		rate = fmt.Sprintf(", ramp %.0f/s", *r.Connect.RatePerS)
	}
	s.line("connects", "%d attempts, %d welcomed%s%s", r.Connect.Attempts, r.Connect.Established, rate, r.Connect.Failures.Words())
	if held := r.Connect.HeldBackS; held > 0 {
		s.line("  held back", "%.1f s at most, since the load test was late: the ramp was slower than asked for", held)
	}
	if p := r.Connect.LatencyMs; p != nil {
		s.line("connect latency", "%s ms, from connect to WELCOME", p.words())
	}
	if words := r.Conns.Losses.words(); words != "" {
		s.line("sessions lost", "%s", words)
	}
	if p := r.Conns.OfflineMs; p != nil {
		s.line("  offline", "%s ms, from the loss to the next WELCOME", p.words())
	}
}

// scenario has the lines of churn, soak and find-max.
func (s *summary) scenario(r *Result) {
	if c := r.Churn; c != nil {
		s.line("churn", "%d sessions ended by BYE after %g s on average, %d others came, %d are missing", c.Departures, c.LifetimeS, c.Returns, c.Missing)
	}
	if g := r.Soak; g != nil {
		s.line("growth", "memory %s, descriptors %s, CPU %s, rtt p99 %s, from the second quarter to the last", percent(g.RSSGrowth), percent(g.FDsGrowth), percent(g.CPUGrowth), percent(g.RTTp99Growth))
	}
	if h := r.Handshake; h != nil {
		s.handshakes(h)
	}
	if f := r.FindMax; f != nil {
		s.line("find-max", "%s holds up to %s %.0f%s", f.Goal, f.Vary, f.Best, f.Limit())
		for i, t := range f.Trials {
			why := ""
			if t.Why != nil {
				why = ": " + *t.Why
			}
			s.line(fmt.Sprintf("  trial %d", i+1), "%s %.0f: %s, %s%s", f.Vary, t.Load, Number(t.Actual), t.Verdict, why)
		}
	}
}

func (s *summary) handshakes(h *Handshake) {
	s.line("handshakes", "%d ended, %d of them resumed, %d failed, %d at a time, %s/s", h.Ended, h.Resumed, h.Failed, h.Open, Number(h.PerS))
	if h.LatencyMs != nil {
		s.line("  latency", "%s ms, from the ClientHello until the client may speak", h.LatencyMs.words())
	}
	if h.ServerCPUUs != nil {
		s.line("  servers' cpu", "%.0f us for one", *h.ServerCPUUs)
	}
}

// heartbeats has what the nodes and the clients thought of each other.
func (s *summary) heartbeats(r *Result) {
	if g := r.Conns.Ghosts; g != nil && *g > 0 {
		s.line("ghosts", "%d connections that the nodes hold and nobody has", *g)
	}
	h := &r.Heartbeat
	s.line("heartbeats", "%d sent, %d answered, %d unanswered%s", h.Sent, h.Answered, h.Unanswered,
		named(": ", map[string]int{"given up": h.Missed, "waited for at the end": h.Pending}))
	if p := h.RTTms; p != nil {
		s.line("rtt", "%s ms, from the write to the answer", p.words())
	}
	if p := h.IntendedRTTms; p != nil {
		s.line("rtt, from due time", "%s ms", p.words())
	}
	if e := r.Eviction; e.Expected > 0 || e.False > 0 || e.GeneratorFault > 0 {
		s.line("evictions", "%d of %d silent clients, %d early, %d false%s", e.Observed, e.Expected, e.Early, e.False,
			named("; ", map[string]int{"closed for another reason": e.Other, "overlooked": e.Overlooked}))
		if l := e.LatenessMs; l != nil {
			s.line("  lateness", "min %.1f  p50 %.1f  p99 %.1f  max %.1f ms after the timeout", l.Min, l.P50, l.P99, l.Max)
		}
	}
}

func (s *summary) storm(t *Storm) {
	s.line("storm ("+t.Kind+", "+t.Policy+")", "%d of %d clients are back", t.Back, t.Clients)
	ideal := ""
	if t.IdealS != nil {
		ideal = ", ideal " + Number(t.IdealS) + " s"
	}
	s.line("  recovery", "t50 %s  t95 %s  t99 %s  t100 %s s%s", Number(t.T50S), Number(t.T95S), Number(t.T99S), Number(t.T100S), ideal)
	if t.OutageS == nil {
		s.line("  outage", "no node ever came back")
	} else if *t.OutageS > 0 {
		s.line("  outage", "%.1f s until a node could accept: the first part of the ideal", *t.OutageS)
	}
	switch t.T0By {
	case T0ByLosses:
		s.line("  t0", "when the clients began to lose their sessions: nobody told")
	case T0ByClock:
		s.line("  t0", "by the clock (--storm-at): somebody else struck")
	}
	if c := t.Command; c != nil && c.Failed == nil {
		s.line("  command", "ended well, after %.1f s", c.TookS)
	} else if c != nil {
		s.line("  command", "%s", *c.Failed)
	}
	if t.DrainS != nil {
		s.line("  drain", "the node ended %.1f s after SIGTERM", *t.DrainS)
	}
	s.line("  goodput", "%s", t.flowWords())
	s.line("  attempts", "%s per success, busiest 100 ms at %.0f/s", Number(t.AttemptsPerSuccess), t.PeakAttemptsPerS)
	if t.PacePerS != nil {
		s.line("  accepted", "%s, pace %.0f/s; %d clients were offline", t.accepted(), *t.PacePerS, t.Offline)
	}
	if t.CutBy != nil {
		s.line("  cut", "%s", map[string]string{CutSilently: "without FIN and RST: the nodes were told nothing", CutByReset: "by RST (no CAP_NET_ADMIN)", CutByClose: "by a close, which is all that a unix socket has"}[*t.CutBy])
	}
	if t.GhostsGoneS != nil {
		s.line("  ghosts", "the nodes held none after %.1f s", *t.GhostsGoneS)
	}
	s.line("  time lost", "%.1f connection-seconds", t.LostConnectionSeconds)
}

// flowWords are how steadily clients came back.
func (t *Storm) flowWords() string {
	words := "longest time without a return while many waited " + Number(t.LongestGapS) + " s"
	if g := t.GoodputPerS; g != nil {
		return fmt.Sprintf("best second %.0f, median %.0f clients; %s", g.Best, g.Median, words)
	}
	return words
}

// processes has what nodes, load test and kernel took.
func (s *summary) processes(r *Result) {
	for _, node := range r.Server {
		name := node.Addr
		if node.Node != nil {
			name = *node.Node
		}
		if words := node.words(); words != "" {
			s.line("server "+name, "%s", words)
		}
	}
	if g := r.Generator; g.LateMs != nil {
		cost := ""
		if g.RSSBytes != nil && g.CPUS != nil {
			cost = fmt.Sprintf(", %.1f MB rss, %.2f s cpu", float64(*g.RSSBytes)/1e6, *g.CPUS)
		}
		if g.Workers > 1 {
			cost += ", " + Plural(g.Workers, "process")
		}
		if g.StolenS != nil && r.WallS > 0 && *g.StolenS > 0.01*r.WallS {
			cost += fmt.Sprintf("; the host took %.1f s of its machine's processors", *g.StolenS)
		}
		s.line("generator", "late p50 %.2f  p99 %.2f  max %.2f ms%s", g.LateMs.P50, g.LateMs.P99, g.LateMs.Max, cost)
		if words := r.SpoiledPhases(); words != "" {
			s.line("  beware", "%s", words)
		}
	}
	if m := r.Memory; m.KernelBytesPerConn != nil || m.GeneratorBytesPerConn != nil {
		s.line("memory a connection", "server %s, generator %s, kernel %s (whole machine)",
			bytesOf(m.ServerBytesPerConn), bytesOf(m.GeneratorBytesPerConn), bytesOf(m.KernelBytesPerConn))
	}
	if k := r.Kernel; k.ListenOverflows != nil && k.ListenDrops != nil && *k.ListenOverflows+*k.ListenDrops > 0 {
		s.line("kernel", "%d listen overflows, %d listen drops", *k.ListenOverflows, *k.ListenDrops)
	}
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
	}{{s.Conns, "conns"}, {s.FDs, "fds"}, {s.Evictions, "evictions"}, {s.TLSFull, "full handshakes"}, {s.TLSResumed, "resumed"}, {s.Sends, "SENDs"}, {s.Delivers, "DELIVERs"}} {
		if n.count != nil && (*n.count > 0 || n.noun == "conns" || n.noun == "fds") {
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
	if s.AcceptRatePerS == nil || float64(s.Clients) < *s.PacePerS*Burst.Seconds() {
		return fmt.Sprintf("a burst of %d clients (too few for a rate)", s.Clients)
	}
	return fmt.Sprintf("%.0f/s", *s.AcceptRatePerS)
}

// Limit says why a search found no more.
func (f *FindMax) Limit() string {
	switch f.LimitedBy {
	case "most":
		return ", the most that was asked for"
	case "interrupted":
		return ", as far as the search went"
	case "generator":
		return fmt.Sprintf("; at %.0f the generator's figures do not count, so the server may do more", *f.Missed)
	case "server":
		return fmt.Sprintf("; at %.0f not everybody got in or was answered", *f.Missed)
	default:
		return fmt.Sprintf(", and not at %.0f", *f.Missed)
	}
}

// Burst is how long a drain lasts at most that is over before its rate can be told from
// chance.
const Burst = 2 * time.Second
