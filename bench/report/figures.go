package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// figure is a row of the summary.
type figure struct {
	Name, Value, Unit string
	Quantiles         []string // p50, p99, p99.9 and max of a time in ms, which Value has, too; "": it is not known
}

// figures are the main ones of a run; those that make no sense for it are not there.
func (r Run) figures() []figure {
	var t figures
	if h := r.Result.Handshake; h != nil {
		t.handshakes(h)
	} else {
		t.connections(r.Result)
		t.heartbeats(r.Result)
	}
	if r.Result.Messages != nil {
		t.messages(r.Result.Messages)
	}
	if r.Result.Storm != nil {
		t.storm(r.Result.Storm)
	}
	for _, c := range r.Result.Cohorts {
		t.add("cohort "+c.Policy+": clients hit, back, half, 99 %, all after", "s", whole(c.Clients), whole(c.Back), orNever(c.T50S), orNever(c.T99S), orNever(c.T100S))
	}
	if r.Result.Probes != nil {
		t.probes(r.Result.Probes)
	}
	t.processes(r.Result)
	return t
}

// figures is the table as it grows.
type figures []figure

// add adds a row of several values, as its name lists them.
func (t *figures) add(name, unit string, values ...string) {
	*t = append(*t, figure{Name: name, Value: strings.Join(values, ", "), Unit: unit})
}

// columns are the quantiles of the row added last.
func (t *figures) columns(p50, p99, p999, most string) {
	(*t)[len(*t)-1].Quantiles = []string{p50, p99, p999, most}
}

// maybe adds a figure if it is known.
func (t *figures) maybe(name, unit string, v *float64, step float64) {
	if v != nil {
		t.add(name, unit, plot.Number(*v, step))
	}
}

// quantiles adds those of p in milliseconds, if there are any.
func (t *figures) quantiles(name string, p *result.Percentiles, step float64) {
	if p != nil {
		t.add(name+": p50, p99, p99.9, max", "ms", plot.Number(p.P50, step), plot.Number(p.P99, step), plot.Number(p.P999, step), plot.Number(p.Max, step))
		t.columns(plot.Number(p.P50, step), plot.Number(p.P99, step), plot.Number(p.P999, step), plot.Number(p.Max, step))
	}
}

func (t *figures) connections(x *result.Result) {
	t.add("clients at the end, of those asked for", "", whole(x.Conns.End)+" of "+whole(x.Conns.Target))
	t.add("most at once", "", whole(x.Conns.Peak))
	t.add("connects: attempts, welcomed", "", whole(x.Connect.Attempts), whole(x.Connect.Established))
	t.quantiles("from the intended arrival to WELCOME", x.Connect.IntendedLatencyMs, .1)
	if c := x.Churn; c != nil {
		t.add("churn: mean lifetime", "s", plot.Number(c.LifetimeS, .1))
		t.add("churn: departures, clients in their place, missing", "", whole(c.Departures), whole(c.Returns), whole(c.Missing))
	}
	if x.Conns.Lost > 0 {
		t.add("sessions lost", "", whole(x.Conns.Lost))
	}
	if g := x.Conns.Ghosts; g != nil && *g > 0 {
		t.add("connections that only the nodes still hold", "", whole(*g))
	}
	t.maybe("rate of the opening ramp", "1/s", x.Connect.RatePerS, 1)
}

func (t *figures) heartbeats(x *result.Result) {
	t.add("heartbeats: sent, answered, unanswered", "", whole(x.Heartbeat.Sent), whole(x.Heartbeat.Answered), whole(x.Heartbeat.Unanswered))
	t.quantiles("round trip from the write", x.Heartbeat.RTTms, .01)
	t.quantiles("round trip from the due time", x.Heartbeat.IntendedRTTms, .01)
	e := x.Eviction
	if e.Expected == 0 && e.False == 0 && e.GeneratorFault == 0 {
		return
	}
	t.add("evictions: of silent clients, early, false", "", whole(e.Observed)+" of "+whole(e.Expected), whole(e.Early), whole(e.False))
	if e.Other > 0 || e.Overlooked > 0 {
		t.add("silent clients closed for another reason, not closed", "", whole(e.Other), whole(e.Overlooked))
	}
	if l := e.LatenessMs; l != nil {
		t.add("lateness of evictions: min, p50, p99, max", "ms", plot.Number(l.Min, .1), plot.Number(l.P50, .1), plot.Number(l.P99, .1), plot.Number(l.Max, .1))
	}
}

func (t *figures) storm(s *result.Storm) {
	t.add("storm: clients hit, back, offline at some time", "", whole(s.Clients), whole(s.Back), whole(s.Offline))
	if s.OutageS != nil && *s.OutageS > 0 {
		t.maybe("until a node could accept", "s", s.OutageS, .01)
	}
	t.maybe("the node ended after", "s", s.DrainS, .01)
	t.maybe("ideal", "s", s.IdealS, .01)
	t.add("half, 95 %, 99 %, all are back after", "s", orNever(s.T50S), orNever(s.T95S), orNever(s.T99S), orNever(s.T100S))
	t.maybe("attempts per success", "", s.AttemptsPerSuccess, .01)
	if g := s.GoodputPerS; g != nil {
		t.add("goodput: best second, median", "1/s", plot.Number(g.Best, 1), plot.Number(g.Median, 1))
	}
	t.maybe("longest time without a return while many waited", "s", s.LongestGapS, .1)
	t.add("busiest 100 ms of attempts", "1/s", whole(int(s.PeakAttemptsPerS)))
	t.add("time lost", "connection-seconds", plot.Number(s.LostConnectionSeconds, .1))
	t.maybe("pace of the drain", "1/s", s.PacePerS, 1)
	t.maybe("accepted by the others", "1/s", s.AcceptRatePerS, 1)
	t.maybe("nodes held connections that nobody had any more for", "s", s.GhostsGoneS, .01)
}

func (t *figures) probes(p *result.Probes) {
	t.add("probes, sessions of theirs that were lost", "", whole(p.Clients), whole(p.Lost))
	for _, when := range []struct {
		name string
		rtt  *result.Percentiles
	}{{"before the blow", p.RTTms.Before}, {"from then on", p.RTTms.During}} {
		if when.rtt != nil {
			t.add("  round trip "+when.name+": p50, p99, max", "ms", plot.Number(when.rtt.P50, .01), plot.Number(when.rtt.P99, .01), plot.Number(when.rtt.Max, .01))
			t.columns(plot.Number(when.rtt.P50, .01), plot.Number(when.rtt.P99, .01), "", plot.Number(when.rtt.Max, .01))
		}
	}
}

// processes are the nodes, the load test itself, and what a connection takes of memory.
func (t *figures) processes(x *result.Result) {
	for _, s := range x.Server {
		if s.RSSBytes == nil || s.CPUS == nil {
			continue
		}
		name := s.Addr
		if s.Node != nil {
			name = *s.Node
		}
		if s.Killed {
			name += ", before the blow"
		}
		t.add("server "+name+": memory, processor time", "MB, s", plot.Number(float64(*s.RSSBytes)/1e6, .1), plot.Number(*s.CPUS, .01))
	}
	t.maybe("memory of the nodes by connection", "bytes", x.Memory.ServerBytesPerConn, 1)
	t.maybe("memory of the load test by connection", "bytes", x.Memory.GeneratorBytesPerConn, 1)
	t.maybe("memory of the kernel by connection, both ends if they are here", "bytes", x.Memory.KernelBytesPerConn, 1)
	if g := x.Generator; g.RSSBytes != nil && g.CPUS != nil {
		t.add("the load test: memory, processor time", "MB, s", plot.Number(float64(*g.RSSBytes)/1e6, .1), plot.Number(*g.CPUS, .01))
	}
	if g := x.Generator; g.LateMs != nil {
		t.add("lateness of the load test itself: p50, p99, max", "ms", plot.Number(g.LateMs.P50, .01), plot.Number(g.LateMs.P99, .01), plot.Number(g.LateMs.Max, .01))
		t.columns(plot.Number(g.LateMs.P50, .01), plot.Number(g.LateMs.P99, .01), "", plot.Number(g.LateMs.Max, .01))
	}
}

// setting says where, when and of what the figures are.
func (r Run) setting() (all []figure) {
	x := r.Result
	all = append(all, figure{Name: "started", Value: x.Started.UTC().Format(time.DateTime) + " UTC, ran " + plot.Number(x.WallS, .1) + " s"},
		figure{Name: "seed", Value: strconv.FormatUint(x.Seed, 10)},
		figure{Name: "version", Value: x.Build.Version}, figure{Name: "Go", Value: x.Build.Go}, figure{Name: "kernel", Value: x.Build.Kernel})
	for i, p := range x.Parts {
		all = append(all, figure{Name: fmt.Sprintf("part %d", i+1), Value: fmt.Sprintf("%s clients, %s, began %s UTC, ran %s s, seed %d",
			whole(p.Clients), p.Verdict, p.Started.UTC().Format(time.DateTime), plot.Number(p.WallS, .1), p.Seed)})
	}
	machine := []string{}
	if x.Build.Processor != "" {
		machine = append(machine, x.Build.Processor)
	}
	machine = append(machine, fmt.Sprintf("%d processors", x.Build.CPUs))
	if m := x.Build.MemoryBytes; m != nil {
		machine = append(machine, plot.Number(float64(*m)/(1<<30), .1)+" GiB")
	}
	all = append(all, figure{Name: "machine", Value: strings.Join(machine, ", ")})
	all = append(all, r.load()...)
	if names := r.serverNames(); names != "" {
		all = append(all, figure{Name: "servers", Value: names})
	}
	if names := r.unwatched(); names != "" {
		all = append(all, figure{Name: "not watched", Value: names + ": its process is not known (--pid), so that its memory and processor time are not, either"})
	}
	if t := x.Terms; t != nil {
		all = append(all, figure{Name: "terms of the nodes", Value: fmt.Sprintf("heartbeat %s ms, timeout %s ms, tick %s ms", plot.Number(t.HeartbeatMs, 1), plot.Number(t.TimeoutMs, 1), plot.Number(t.TickMs, 1))})
	}
	return all
}

// unwatched are the servers whose process was not read in any second.
func (r Run) unwatched() string {
	var names []string
	for i, server := range r.Result.Server {
		seen := server.RSSBytes != nil
		for k := range r.Result.Detail.Seconds {
			c := r.cost(i, k)
			seen = seen || c != nil && c.RSSBytes != nil
		}
		if !seen && len(r.Result.Detail.Seconds) > 0 {
			names = append(names, server.Addr)
		}
	}
	return strings.Join(names, ", ")
}

// load is what the clients were told to do.
func (r Run) load() (all []figure) {
	x := r.Result
	add := func(name, value string) { all = append(all, figure{Name: name, Value: value}) }
	protocol := x.Load.Protocol
	if t := x.Load.Transport; t != "" && protocol != "" {
		protocol += " over " + t
	}
	if protocol != "" {
		add("protocol", protocol)
	}
	clients := whole(x.Conns.Target)
	if rate := x.Connect.TargetPerS; rate != nil {
		clients += ", " + plot.Number(*rate, 1) + " connects per second"
	}
	if x.Load.Policy != "" {
		clients += "; back by the policy " + x.Load.Policy
	}
	add("clients", clients)
	if ms := x.Heartbeat.IntervalMs; ms != nil {
		add("heartbeat", "a PING each "+plot.Number(*ms, 1)+" ms")
	}
	if ms := x.Load.PongTimeoutMs; ms > 0 {
		add("patience for an answer", plot.Number(ms, 1)+" ms")
	}
	if n := x.Generator.Workers; n > 0 {
		add("processes of the load test", whole(n))
	}
	return all
}

// command is how the run was started, as a shell reads it.
func (r Run) command() string {
	var words []string
	for _, w := range r.Result.Detail.Command {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-", r)
		}) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func whole(n int) string { return plot.Number(float64(n), 1) }

func orNever(v *float64) string {
	if v == nil {
		return "never"
	}
	return plot.Number(*v, .01)
}
