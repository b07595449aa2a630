package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// monitor shows a second after the other until ctx ends, and samples the servers.
func (r *runner) monitor(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var before counters
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		counts, recent := r.clients.Progress()
		now := row{Second: secondOf(r.clients.Now(), r.clients.Ready(), &counts, &before), started: counts.Started}
		now.p50, now.p99 = recentMs(recent.RTT.ValueAtQuantile(50)), recentMs(recent.RTT.ValueAtQuantile(99))
		if now.Pongs > 0 {
			now.RTTp50, now.RTTp99 = new(now.p50), new(now.p99)
		}
		before = counts
		r.display.show(now)
		r.servers.sample(ctx)
		now.Servers = serverSeconds(r.servers.observed())
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
	r.display.line(fmt.Sprintf("%6.1fs  * %s", r.clients.Now().Seconds(), event))
	r.tell(event, nil)
}

// begin names the part of the scenario that begins.
func (r *runner) begin(name string, atMost time.Duration) {
	r.mu.Lock()
	r.phase = Phase{Name: name, Since: r.clients.Now(), AtMost: atMost}
	r.phases = append(r.phases, PhaseSeen{Name: name, T: r.phase.Since.Seconds()})
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
	u := Update{Scenario: r.Scenario, Kind: r.Kind, Target: r.Conns, At: r.clients.Now(), Event: event, Status: s}
	r.mu.Lock()
	u.Phase = r.phase
	r.mu.Unlock()
	r.watch(u)
}

// status is that of a second which has just ended. Only the monitor may call it: it keeps
// the sums.
func (r *runner) status(counts *counters, second Second, recent *recents) *Status {
	r.sofar.merge(recent)
	soFar := &Result{WallS: second.T, Conns: Conns{Target: r.Conns, Peak: r.clients.Peak(), End: second.Ready}, Server: r.servers.all()}
	soFar.Generator.Workers, soFar.Generator.LostWorkers = r.Workers, len(r.clients.Lost())
	counts.fill(soFar)
	r.sofar.fill(soFar)
	g := &soFar.Generator
	g.Valid = g.LostWorkers == 0 && counts.Faults == 0 && counts.Failures.lacking() == "" && (g.LateMs == nil || g.LateMs.P99 <= ms(r.LateLimit))
	if own, err := proc.Process(os.Getpid()); err == nil {
		workers := r.clients.use()
		g.RSSBytes = new(own.Resident + workers.Resident)
		g.CPUS = new((own.CPU() - r.cpu + workers.CPU()).Seconds())
	}
	s := &Status{Second: second, Failures: counts.Failures, RTT: soFar.Heartbeat.RTTms, Lateness: soFar.Eviction.LatenessMs,
		Recovery: r.recovery(), Servers: soFar.Server, Generator: *g, LateSecond: lateOf(recent.Late)}
	var since time.Duration // t0
	if s.Recovery != nil {
		since = time.Duration(second.T*float64(time.Second)) - s.Recovery.Since
		s.Recovery.fill(soFar, counts)
	}
	s.Outlook = foresee(soFar, r.thresholds, since)
	return s
}

// recovery is nil before a storm.
func (r *runner) recovery() *Recovery {
	v, ok := r.clients.Recovery()
	if !ok {
		return nil
	}
	pace := r.drainPace()
	if pace == 0 {
		pace = r.Capacity
	}
	begin := r.outage()
	if r.Kind == "freeze" {
		begin = v.noticed
	}
	if pace > 0 && v.Clients > 0 && begin != nil {
		v.Ideal = new(*begin + time.Duration(float64(v.Clients)/pace*float64(time.Second)))
	}
	return &v
}
