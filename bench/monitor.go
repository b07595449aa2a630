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

// monitor shows a second after the other until ctx ends, and samples the servers.
func (r *runner) monitor(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var before tally.Counters
	for {
		select {
		case <-ctx.Done():
			return
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
		if r.Shakes() {
			now.shaken(r.Shaking.Take())
		}
		before = counts
		r.display.show(now)
		r.Servers.Sample(ctx)
		now.Servers = tally.ServerSeconds(r.Servers.Observed())
		r.mu.Lock()
		r.seconds = append(r.seconds, now.Second)
		r.mu.Unlock()
		if r.watch != nil {
			r.tell("", r.status(&counts, now.Second, recent))
		}
	}
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
func (r *runner) status(counts *tally.Counters, second result.Second, recent *tally.Recent) *Status {
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
	s.Outlook = result.Foresee(soFar, r.Judged, since)
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
