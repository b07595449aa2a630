package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// monitor shows a second after the other until ctx ends, and samples the servers.
func (r *runner) monitor(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		counts, recent := r.Clients.Progress()
		spent := r.readSpent() // of this second; the servers may take their time to be asked
		now := r.second(spent.at, r.Clients.Ready(), &counts, recent)
		r.spend(&now, spent)
		r.Servers.Sample(ctx)
		r.keep(now)
		r.tellOfEnds()
		sofar := r.soFar()
		if r.watch != nil {
			r.tell("", r.status(&counts, now, recent, sofar))
		}
		if why := r.Aborts.Take(&sofar); why != "" {
			r.tellEvent("--abort-on: %s", why)
			r.end(abortedError{why})
		}
	}
}

// soFar is what is known second by second.
func (r *runner) soFar() result.Detail {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := result.Detail{Phases: r.phases, Seconds: r.seconds}
	if at, stormed := r.Clients.StormAt(); stormed {
		d.StormAtS = new(at.Seconds())
	}
	return d
}

// noteErr keeps what could not be written down of a second.
func (r *runner) noteErr(err error) {
	if r.unwritten == nil {
		r.unwritten = err
	}
}

// abortedError is a rule of --abort-on that ended the run.
type abortedError struct{ why string }

func (e abortedError) Error() string { return "--abort-on: " + e.why }

// second shows the second, or the last part of one, that ends with these counts.
func (r *runner) second(at time.Duration, ready int, counts *tally.Counters, recent *tally.Recent) result.Second {
	now := row{Second: tally.Second(r.counted, at, ready, counts, &r.before, recent), started: counts.Started}
	r.noteErr(recent.SetTimes(&now.Second))
	if r.Shakes() {
		r.noteErr(now.shaken(r.Shaking.Take()))
	}
	r.counted, r.before = at, *counts
	r.display.show(now)
	return now.Second
}

// spent are readings of processor time that only grow.
type spent struct {
	at    time.Duration // of the run
	load  time.Duration // of all processes of the load test
	known bool
	all   proc.Processors // of its machine
}

func (r *runner) readSpent() spent {
	own, err := proc.Process(os.Getpid())
	return spent{r.Clients.Now(), own.CPU() + r.Clients.Use().CPU(), err == nil, proc.ReadProcessors()}
}

// passed is whether another reading, which began beside this one, belongs behind it: what was spent between them is not known.
func (s spent) passed(other spent) bool { return other.at >= s.at || other.load > s.load }

// spend notes in a second what it took of processors, by a reading at its end. A worker that is lost takes what it had
// spent with it.
func (r *runner) spend(second *result.Second, now spent) {
	before := r.spent
	r.spent = now
	if now.known && before.known && now.load >= before.load {
		second.GeneratorCPUS = new((now.load - before.load).Seconds())
	}
	if now.all.Known() && before.all.Known() {
		all := now.all.Since(before.all)
		second.MachineCPUS, second.StolenS = new(all.Busy.Seconds()), new(all.Stolen.Seconds())
	}
}

// keep has a second in the result, with the latest sample of the servers.
func (r *runner) keep(second result.Second) {
	second.Servers = tally.ServerSeconds(r.Servers.Observed())
	r.mu.Lock()
	r.seconds = append(r.seconds, second)
	r.mu.Unlock()
}

// tellEvent tells of an event, with its time.
func (r *runner) tellEvent(format string, args ...any) {
	event := fmt.Sprintf(format, args...)
	r.display.line(fmt.Sprintf("%6.1fs  * %s", r.Clients.Now().Seconds(), event))
	r.tell(event, nil)
}

// begin names the part of the scenario that begins.
func (r *runner) begin(name string, atMost time.Duration) {
	r.mu.Lock()
	r.phase = Phase{Name: name, Since: r.Clients.Now(), AtMost: atMost}
	r.phases = append(r.phases, result.PhaseSeen{Name: name, T: r.phase.Since.Seconds()})
	r.mu.Unlock()
	r.tell("", nil)
}

// tell hands an update to whoever watches.
func (r *runner) tell(event string, s *Status) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.watch == nil {
		return
	}
	u := Update{Scenario: r.Scenario, Kind: r.Kind, Target: r.Conns, At: r.Clients.Now(), Event: event, Status: s}
	r.mu.Lock()
	u.Phase = r.phase
	r.mu.Unlock()
	r.watch(u)
}

// status is that of a second which has just ended. Only the monitor may call it: it keeps
// the sums.
func (r *runner) status(counts *tally.Counters, second result.Second, recent *tally.Recent, known result.Detail) *Status {
	r.sofar.Add(recent)
	soFar := &result.Result{WallS: second.T, Conns: result.Conns{Target: r.Conns, Peak: r.Clients.Peak(), End: second.Ready}, Server: r.Servers.All()}
	soFar.Generator.Workers, soFar.Generator.LostWorkers = r.Workers, len(r.Clients.Lost())
	counts.Fill(soFar)
	r.sofar.Fill(soFar)
	g := &soFar.Generator
	g.Valid = g.LostWorkers == 0 && counts.Faults == 0 && counts.Failures.Lacking() == "" && (g.LateMs == nil || g.LateMs.P99 <= result.Millis(r.LateLimit))
	if own, err := proc.Process(os.Getpid()); err == nil {
		workers := r.Clients.Use()
		g.RSSBytes = new(own.Resident + workers.Resident)
		g.CPUS = new((own.CPU() - r.cpu + workers.CPU()).Seconds())
	}
	s := &Status{Second: second, Failures: counts.Failures, Messages: soFar.Messages, RTT: soFar.Heartbeat.RTTms, Lateness: soFar.Eviction.LatenessMs,
		Recovery: r.recovery(), Servers: soFar.Server, Generator: *g, LateSecond: recent.LateMs()}
	var since time.Duration // t0
	if s.Recovery != nil {
		since = time.Duration(second.T*float64(time.Second)) - s.Recovery.Since
		s.Recovery.Fill(soFar, counts)
	}
	soFar.Detail = known
	s.Outlook = r.forecast.Foresee(soFar, since)
	r.mu.Lock()
	s.Phases, s.Events = slices.Clone(r.phases), slices.Clone(r.events)
	r.mu.Unlock()
	return s
}

// recovery is nil before a storm.
func (r *runner) recovery() *tally.Recovery {
	v, ok := r.Clients.Recovery()
	if !ok {
		return nil
	}
	pace := r.DrainPace()
	if pace == 0 {
		pace = r.Capacity
	}
	begin := r.outage()
	if r.Kind == "freeze" {
		begin = v.Noticed
	}
	if pace > 0 && v.Clients > 0 && begin != nil {
		v.Ideal = new(*begin + time.Duration(float64(v.Clients)/pace*float64(time.Second)))
	}
	return &v
}
