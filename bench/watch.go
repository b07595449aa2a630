package bench

import (
	"os"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// Update is what a run shows of itself while it runs: one a second, and one whenever
// something happens. It is a copy that the receiver may keep.
type Update struct {
	Scenario string
	Kind     string // of the storm; empty: there is none
	Target   int    // clients
	At       time.Duration
	Phase    Phase
	Event    string // what has just happened; empty: a second has passed
	// Status is nil with an event.
	Status *Status
}

// Phase is a part of a scenario.
type Phase struct {
	Name  string // empty: the scenario does not tell
	Since time.Duration
	// AtMost is how long it may last; 0: nobody knows.
	AtMost time.Duration
}

// Status is the state of a run at the end of a second. What could not be measured, or has
// not occurred, is nil. Percentiles are good to two digits.
type Status struct {
	Second
	Failures   Failures     // so far
	RTT        *Percentiles // so far; those of the second are in Second
	Lateness   *Lateness    // of the evictions so far
	Recovery   *Recovery
	Servers    []Server // in the order of Result.Server
	Generator  Generator
	LateSecond *GeneratorLate // of this second; that of the run is in Generator
	Outlook    []Outlook
}

// enter names the part of the scenario that begins.
func (r *runner) enter(name string, atMost time.Duration) {
	r.mu.Lock()
	r.phase = Phase{Name: name, Since: r.fleet.Now(), AtMost: atMost}
	r.phases = append(r.phases, PhaseSeen{name, r.phase.Since.Seconds()})
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
	u := Update{Scenario: r.plan.Scenario, Kind: r.plan.Kind, Target: r.plan.Conns, At: r.fleet.Now(), Event: event, Status: s}
	r.mu.Lock()
	u.Phase = r.phase
	r.mu.Unlock()
	r.watch(u)
}

// status is that of a second which has just ended. Only the monitor may call it: it keeps
// the sums.
func (r *runner) status(now row, second Second, recent *recents) *Status {
	r.sofar.merge(recent)
	s := &Status{Second: second, Failures: now.counts.Failures,
		RTT: percentilesOf(r.sofar.RTT), LateSecond: lateOf(recent.Late), Recovery: r.recovery()}
	if h := r.sofar.Lateness; h.TotalCount() > 0 {
		s.Lateness = &Lateness{Min: recentMs(h.Min()), P50: recentMs(h.ValueAtQuantile(50)),
			P99: recentMs(h.ValueAtQuantile(99)), Max: recentMs(h.Max())}
	}
	s.Generator = Generator{Workers: r.plan.Workers, LostWorkers: len(r.fleet.Lost()), LateMs: lateOf(r.sofar.Late)}
	s.Generator.Valid = s.Generator.LostWorkers == 0 && now.counts.Faults == 0 && s.Failures.lacking() == "" &&
		(s.Generator.LateMs == nil || s.Generator.LateMs.P99 <= ms(r.plan.lateLimit))
	if own, err := proc.Process(os.Getpid()); err == nil {
		workers := r.fleet.use()
		s.Generator.RSSBytes = new(own.Resident + workers.Resident)
		s.Generator.CPUS = new((own.CPU() - r.cpu + workers.CPU()).Seconds())
	}
	r.mu.Lock()
	s.Servers = slices.Clone(r.servers)
	r.mu.Unlock()
	s.Outlook = r.outlook(now, s)
	return s
}

// recovery is nil before a storm.
func (r *runner) recovery() *Recovery {
	v, ok := r.fleet.Recovery()
	if !ok {
		return nil
	}
	pace := r.plan.drainPace()
	if pace == 0 {
		pace = r.plan.Capacity
	}
	begin := r.outageSeen()
	if r.plan.Kind == "freeze" {
		begin = v.noticed
	}
	if pace > 0 && v.Clients > 0 && begin != nil {
		v.Ideal = new(*begin + time.Duration(float64(v.Clients)/pace*float64(time.Second)))
	}
	return &v
}

// recents are coarse histograms of the last moments, for the live view: two digits, 10 us
// to 1 min.
type recents struct{ RTT, Late, Lateness *hdrhistogram.Histogram }

func newRecents() *recents {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, recentMax, 2) }
	return &recents{RTT: h(), Late: h(), Lateness: h()}
}

const recentMax = 6_000_000 // of 10 us

func recordRecent(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds()/10, 0), recentMax)) // within range by construction
}

func recentMs(v int64) float64 { return float64(v) / 100 }

func (r *recents) merge(from *recents) {
	r.RTT.Merge(from.RTT)
	r.Late.Merge(from.Late)
	r.Lateness.Merge(from.Lateness)
}

func (r *recents) reset() {
	r.RTT.Reset()
	r.Late.Reset()
	r.Lateness.Reset()
}

// recentsWire is recents on their way between processes.
type recentsWire struct{ RTT, Late, Lateness *hdrhistogram.Snapshot }

func (r *recents) export() *recentsWire {
	return &recentsWire{r.RTT.Export(), r.Late.Export(), r.Lateness.Export()}
}

func (w *recentsWire) recents() *recents {
	return &recents{hdrhistogram.Import(w.RTT), hdrhistogram.Import(w.Late), hdrhistogram.Import(w.Lateness)}
}

func percentilesOf(h *hdrhistogram.Histogram) *Percentiles {
	if h.TotalCount() == 0 {
		return nil
	}
	q := func(percent float64) float64 { return recentMs(h.ValueAtQuantile(percent)) }
	return &Percentiles{P50: q(50), P90: q(90), P99: q(99), P999: q(99.9), Max: recentMs(h.Max())}
}

func lateOf(h *hdrhistogram.Histogram) *GeneratorLate {
	if h.TotalCount() == 0 {
		return nil
	}
	return &GeneratorLate{P50: recentMs(h.ValueAtQuantile(50)), P99: recentMs(h.ValueAtQuantile(99)), Max: recentMs(h.Max())}
}
