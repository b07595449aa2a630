package bench

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// fleet is the clients of a run: one swarm in this process, or one in each of several
// worker processes. A worker that is lost takes its clients with it; the fleet goes on
// with the others and remembers why. After Start its methods may be called from any
// goroutine.
type fleet struct {
	cfg   swarmConfig
	start time.Duration // on the clock of monotonic
	ramp  time.Duration // from then until the last client is due

	mu      sync.Mutex
	members []member
	latest  []answer // of each member
	counted time.Duration
	peak    int
	storm   *Recovery
	lost    []error
}

// member is one swarm of a fleet. An error means that it is gone for good.
type member interface {
	do(order) (answer, error)
	// use is what its process costs beyond this one; zero in this process.
	use() proc.Use
	close()
}

// own is a swarm in this process.
type own struct{ *swarm }

func (o own) do(what order) (answer, error) { return o.swarm.do(what), nil }
func (o own) use() proc.Use                 { return proc.Use{} }
func (o own) close()                        { o.swarm.abandon() }

// newFleet prepares the clients in so many worker processes, each started by work; with
// one, in this process.
func newFleet(cfg swarmConfig, workers int, work child.Program) (*fleet, error) {
	f := &fleet{cfg: cfg, latest: make([]answer, workers), ramp: cfg.arrivals().length()}
	if cfg.Told {
		f.ramp = 0
	}
	if workers == 1 {
		s, err := newSwarm(cfg)
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
			f.close()
			return nil, err
		}
	}
	return f, nil
}

// headStart is how long before the first arrival workers are told of it.
const headStart = 200 * time.Millisecond

// Start begins the ramp, at the same moment in all processes.
func (f *fleet) Start() {
	f.start = monotonic()
	if len(f.members) > 1 {
		f.start += headStart
	}
	f.ask(order{Op: opStart, At: f.start})
}

// Now is the fleet's clock: the time since the start of the ramp.
func (f *fleet) Now() time.Duration { return monotonic() - f.start }

// RampTime is when the last client is due.
func (f *fleet) RampTime() time.Duration { return f.ramp }

// Ready is how many sessions there are.
func (f *fleet) Ready() int {
	f.refresh()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready()
}

func (f *fleet) ready() int {
	n := 0
	for i := range f.latest {
		n += f.latest[i].Ready
	}
	return n
}

// On is how many sessions an endpoint has.
func (f *fleet) On(endpoint string) int {
	n := 0
	for _, a := range f.ask(order{Op: opOn, Endpoint: endpoint}) {
		n += a.Count
	}
	return n
}

// LongestTimeout is the longest of what the servers said in the terms of the sessions.
func (f *fleet) LongestTimeout() time.Duration { return f.longest(opTimeout) }

// LongestInterval is the longest time that a session goes without a PING.
func (f *fleet) LongestInterval() time.Duration { return f.longest(opInterval) }

func (f *fleet) longest(op orderOp) (longest time.Duration) {
	for _, a := range f.ask(order{Op: op}) {
		longest = max(longest, a.Longest)
	}
	return longest
}

// Mute silences count of the ready clients, chosen by the seed, and returns how many it
// became.
func (f *fleet) Mute(count int) int {
	counts := f.speaking("")
	n := 0
	for _, a := range f.askEach(func(i int) order {
		return order{Op: opMute, Count: quota(counts, count, i)}
	}) {
		n += a.Count
	}
	return n
}

// RollCall has some of the clients ask at once: those of a round, of RollCallRounds.
func (f *fleet) RollCall(round int) { f.ask(order{Op: opRollCall, Count: round}) }

// CloseCount has the PINGs that are sent from now on count for nothing, so that all others can
// be waited for.
func (f *fleet) CloseCount() { f.ask(order{Op: opCloseCount}) }

// Speaking is how many clients are ready, neither silent nor probes.
func (f *fleet) Speaking() (n int) {
	for _, count := range f.speaking("") {
		n += count
	}
	return n
}

// speaking are those on an endpoint, or on any if it is "", of each member.
func (f *fleet) speaking(endpoint string) (counts []int) {
	for _, a := range f.ask(order{Op: opSpeaking, Endpoint: endpoint}) {
		counts = append(counts, a.Count)
	}
	return counts
}

// quota is member i's part of count, in proportion to what each member has, such that the
// parts add up; to all that there are, if they are fewer.
func quota(counts []int, count int, i int) int {
	before, all := 0, 0
	for j, n := range counts {
		all += n
		if j < i {
			before += n
		}
	}
	upTo := func(n int) int { return n * min(count, all) / max(all, 1) }
	return upTo(before+counts[i]) - upTo(before)
}

// Cut ends up to count of the sessions on an endpoint, or on any if it is "", as a network
// does that fails. silent of the n were ended without a word to the server.
func (f *fleet) Cut(endpoint string, count int) (n, silent int) {
	counts := f.speaking(endpoint)
	for _, a := range f.askEach(func(i int) order {
		return order{Op: opCut, Endpoint: endpoint, Count: quota(counts, count, i)}
	}) {
		n, silent = n+a.Count, silent+a.Silent
	}
	return n, silent
}

// Settle ends all departures.
func (f *fleet) Settle() { f.ask(order{Op: opSettle}) }

// Unsettle has the clients leave after lifetimes that begin now.
func (f *fleet) Unsettle() { f.ask(order{Op: opUnsettle}) }

// Arrive begins a ramp.
func (f *fleet) Arrive(a arrivals) {
	begin := f.Now()
	if len(f.members) > 1 {
		begin += headStart
	}
	f.ask(order{Op: opArrive, Ramp: &a, T0: begin})
}

// BeginStorm says that the endpoints are about to be struck. It must come just before the
// blow, so that no loss is taken for an eviction; the moment is t0.
func (f *fleet) BeginStorm(victims ...string) {
	on := 0
	for _, v := range victims {
		on += f.On(v)
	}
	f.begin(on, order{Op: opStorm, Victims: victims})
}

// BeginFlood says that so many clients are about to arrive, and that they are the storm.
func (f *fleet) BeginFlood(clients int) { f.begin(clients, order{Op: opStorm, Flood: true}) }

func (f *fleet) begin(clients int, o order) {
	o.T0 = f.Now()
	f.mu.Lock()
	f.storm = &Recovery{Since: o.T0, Clients: clients}
	f.mu.Unlock()
	f.ask(o)
}

// StormAt is t0, if there was a storm.
func (f *fleet) StormAt() (t0 time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.storm == nil {
		return 0, false
	}
	return f.storm.Since, true
}

// Recovery is how the storm goes, if there was one. It is up to publishEvery old.
func (f *fleet) Recovery() (v Recovery, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.storm == nil {
		return v, false
	}
	return *f.storm, true
}

// Peak is how many sessions there were at most.
func (f *fleet) Peak() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peak
}

// Progress sums what the members count, and takes the times since the last call.
func (f *fleet) Progress() (counters, *recents) {
	recent := newRecents()
	for _, a := range f.ask(order{Op: opProgress}) {
		if a.Recent != nil {
			recent.merge(a.Recent.recents())
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sum(), recent
}

// Counts is Progress without the times. It is up to publishEvery old.
func (f *fleet) Counts() counters {
	f.refresh()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sum()
}

func (f *fleet) sum() counters {
	var sum counters
	for i := range f.latest {
		sum.add(&f.latest[i].Counters)
	}
	return sum
}

// refresh asks for the counts if the latest are older than those of the loops themselves.
func (f *fleet) refresh() {
	f.mu.Lock()
	stale := monotonic()-f.counted >= publishEvery || len(f.members) == 1
	f.mu.Unlock()
	if stale {
		f.ask(order{Op: opCounts})
	}
}

// Finish ends all clients, and sums up. The counts are those of the moment before. It is
// called once.
func (f *fleet) Finish() tally {
	f.refresh()
	total := newTally()
	answers := f.ask(order{Op: opFinish})
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range answers {
		if a.Tally != nil {
			total.merge(a.Tally)
		} else { // lost: its histograms are, its counts are not
			total.Counters.add(&f.latest[i].Counters)
		}
	}
	total.Peak = f.peak
	return total
}

// Lost are the reasons of the workers that ended before they should.
func (f *fleet) Lost() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// use is what all worker processes cost.
func (f *fleet) use() proc.Use {
	f.mu.Lock()
	defer f.mu.Unlock()
	var sum proc.Use
	for _, m := range f.members {
		sum = sum.Plus(m.use())
	}
	return sum
}

// ask has every member carry out the same order.
func (f *fleet) ask(o order) []answer { return f.askEach(func(int) order { return o }) }

// askEach has every member carry out its order, all at the same time. A lost member's
// answer is empty.
func (f *fleet) askEach(o func(i int) order) []answer {
	f.mu.Lock()
	members := slices.Clone(f.members)
	f.mu.Unlock()
	answers := make([]answer, len(members))
	errs := make([]error, len(members))
	var asking sync.WaitGroup
	for i, m := range members {
		asking.Go(func() { answers[i], errs[i] = m.do(o(i)) })
	}
	asking.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range answers {
		switch {
		case errs[i] == nil:
			f.latest[i] = answer{Counters: a.Counters, Ready: a.Ready, Peak: a.Peak}
		case f.members[i] != member(gone{}):
			f.lost = append(f.lost, fmt.Errorf("worker %d was lost: %w", i+1, errs[i]))
			f.members[i].close()
			f.members[i] = gone{}
			f.latest[i].Ready = 0
		}
	}
	f.counted = monotonic()
	if f.storm != nil {
		c := f.sum()
		f.storm.update(f.counted-f.start, c.StormClients, c.StormBack)
	}
	if len(f.members) == 1 {
		f.peak = f.latest[0].Peak
	} else { // the members' peaks need not be at one time
		f.peak = max(f.peak, f.ready())
	}
	return answers
}

// gone stands for a member that was lost.
type gone struct{}

func (gone) do(order) (answer, error) { return answer{}, errGone }
func (gone) use() proc.Use            { return proc.Use{} }
func (gone) close()                   {}

var errGone = errors.New("it is gone")

// close ends the worker processes.
func (f *fleet) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if m != nil {
			m.close()
		}
	}
}
