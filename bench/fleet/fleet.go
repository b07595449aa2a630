package fleet

import (
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// Fleet is the clients of a run: one swarm in this process, or one in each of several
// worker processes. A worker that is lost takes its clients with it; the fleet goes on
// with the others and remembers why. After Start its methods may be called from any
// goroutine.
type Fleet struct {
	cfg   swarm.Config
	start time.Duration // on the clock of swarm.Monotonic
	ramp  time.Duration // from then until the last client is due, at the latest

	mu      sync.Mutex
	members []member
	latest  []swarm.Answer // of each member
	counted time.Duration
	peak    int
	storm   *tally.Recovery
	lost    []error
}

// New prepares the clients in so many worker processes, each started by work; with
// one, in this process.
func New(cfg swarm.Config, workers int, work child.Program) (*Fleet, error) {
	f := &Fleet{cfg: cfg, latest: make([]swarm.Answer, workers), ramp: cfg.Arrivals().Length()}
	if cfg.OnDemand {
		f.ramp = 0
	}
	if workers == 1 {
		s, err := swarm.New(cfg)
		if err != nil {
			return nil, err
		}
		f.members = []member{own{s}}
		return f, nil
	}
	f.members = make([]member, workers)
	failed := make([]error, workers)
	var starting sync.WaitGroup
	for i := range workers {
		starting.Go(func() {
			share := cfg
			share.First, share.Of = i, workers
			var w *worker
			if w, failed[i] = startWorker(work, i, share); failed[i] == nil {
				f.members[i] = w
			}
		})
	}
	starting.Wait()
	for _, err := range failed {
		if err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// HeadStart is how long before the first arrival workers are told of it.
const HeadStart = 200 * time.Millisecond

// Start begins the ramp, at the same moment in all processes.
func (f *Fleet) Start() {
	f.start = swarm.Monotonic()
	if len(f.members) > 1 {
		f.start += HeadStart
	}
	f.ask(swarm.Order{Op: swarm.Start, At: f.start})
}

// Now is the fleet's clock: the time since the start of the ramp.
func (f *Fleet) Now() time.Duration { return swarm.Monotonic() - f.start }

// RampTime is when the last client is due, at the latest.
func (f *Fleet) RampTime() time.Duration { return f.ramp }

// Ready is how many sessions there are.
func (f *Fleet) Ready() int {
	f.refresh()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready()
}

// On is how many sessions an endpoint has.
func (f *Fleet) On(endpoint string) int {
	n := 0
	for _, a := range f.ask(swarm.Order{Op: swarm.On, Endpoint: endpoint}) {
		n += a.Count
	}
	return n
}

// LongestTimeout is the longest of what the servers said in the terms of the sessions.
func (f *Fleet) LongestTimeout() time.Duration { return f.longest(swarm.Timeout) }

// LongestInterval is the longest time that a session goes without a PING.
func (f *Fleet) LongestInterval() time.Duration { return f.longest(swarm.Interval) }

func (f *Fleet) longest(op swarm.Op) (longest time.Duration) {
	for _, a := range f.ask(swarm.Order{Op: op}) {
		longest = max(longest, a.Longest)
	}
	return longest
}

// Mute silences count of the ready clients, chosen by the seed, and returns how many it
// became.
func (f *Fleet) Mute(count int) int {
	counts := f.speaking("")
	n := 0
	for _, a := range f.askEach(func(i int) swarm.Order {
		return swarm.Order{Op: swarm.Mute, Count: quota(counts, count, i)}
	}) {
		n += a.Count
	}
	return n
}

// RollCall has some of the clients ask at once: those of a round, of RollCallRounds.
func (f *Fleet) RollCall(round int) { f.ask(swarm.Order{Op: swarm.RollCall, Count: round}) }

// CloseCount has the PINGs that are sent from now on count for nothing, so that all others can
// be waited for.
func (f *Fleet) CloseCount() { f.ask(swarm.Order{Op: swarm.CloseCount}) }

// Speaking is how many clients are ready, neither silent nor probes.
func (f *Fleet) Speaking() (n int) {
	for _, count := range f.speaking("") {
		n += count
	}
	return n
}

// speaking are those on an endpoint, or on any if it is "", of each member.
func (f *Fleet) speaking(endpoint string) (counts []int) {
	for _, a := range f.ask(swarm.Order{Op: swarm.Speaking, Endpoint: endpoint}) {
		counts = append(counts, a.Count)
	}
	return counts
}

// Settle ends all departures.
func (f *Fleet) Settle() { f.ask(swarm.Order{Op: swarm.Settle}) }

// Unsettle has the clients leave after lifetimes that begin now.
func (f *Fleet) Unsettle() { f.ask(swarm.Order{Op: swarm.Unsettle}) }

// Arrive begins a ramp.
func (f *Fleet) Arrive(a swarm.Arrivals) {
	begin := f.Now()
	if len(f.members) > 1 {
		begin += HeadStart
	}
	f.ask(swarm.Order{Op: swarm.Arrive, Ramp: &a, T0: begin})
}

// Peak is how many sessions there were at most.
func (f *Fleet) Peak() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peak
}

// Progress sums what the members count, and takes the times since the last call.
func (f *Fleet) Progress() (tally.Counters, *tally.Recent) {
	recent := tally.NewRecent()
	for _, a := range f.askInTurn(swarm.Order{Op: swarm.Progress}) {
		if a.Recent != nil {
			recent.Add(a.Recent)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sum(), recent
}

// Counts is Progress without the times. It is up to PublishEvery old.
func (f *Fleet) Counts() tally.Counters {
	f.refresh()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sum()
}

// Finish ends all clients, and sums up. The counts are those of the moment before. It is
// called once.
func (f *Fleet) Finish() tally.Tally {
	f.refresh()
	total := tally.New()
	answers := f.ask(swarm.Order{Op: swarm.Finish})
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range answers {
		if a.Tally != nil {
			total.Add(a.Tally)
		} else { // lost: its histograms are, its counts are not
			total.Counters.Add(&f.latest[i].Counters)
		}
	}
	total.Peak = f.peak
	if f.cfg.Talk != nil {
		total.Settle(f.cfg.Talk.Addressees)
	}
	return total
}

// Lost are the reasons of the workers that ended before they should.
func (f *Fleet) Lost() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// Use is what all worker processes cost.
func (f *Fleet) Use() proc.Use {
	f.mu.Lock()
	defer f.mu.Unlock()
	var sum proc.Use
	for _, m := range f.members {
		sum = sum.Plus(m.use())
	}
	return sum
}

// Close ends the worker processes.
func (f *Fleet) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if m != nil {
			m.close()
		}
	}
}
