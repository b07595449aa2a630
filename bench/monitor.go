package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// monitor shows a second after the other until ctx ends, and samples the servers. It returns what had been
// counted by the last of them.
func (r *runner) monitor(ctx context.Context) (before tally.Counters) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return before
		case <-tick.C:
		}
		counts, recent := r.Clients.Progress()
		now := row{Second: tally.Second(r.Clients.Now(), r.Clients.Ready(), &counts, &before), started: counts.Started}
		now.p50, now.p99 = recent.RTTMillis()
		if now.Pongs > 0 {
			now.RTTp50, now.RTTp99 = new(now.p50), new(now.p99)
		}
		if p := recent.MessageMs(); p != nil {
			now.MessageP50, now.MessageP99 = &p.P50, &p.P99
		}
		if p := recent.DeliverMs(); p != nil {
			now.DeliverP50, now.DeliverP99 = &p.P50, &p.P99
		}
		r.noteErr(recent.SetTimes(&now.Second))
		if r.Shakes() {
			r.noteErr(now.shaken(r.Shaking.Take()))
		}
		before = counts
		r.display.show(now)
		r.Servers.Sample(ctx)
		now.Servers = tally.ServerSeconds(r.Servers.Observed())
		r.mu.Lock()
		r.seconds = append(r.seconds, now.Second)
		r.mu.Unlock()
		sofar := r.soFar()
		if r.watch != nil {
			r.tell("", r.status(&counts, now.Second, recent, sofar))
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
