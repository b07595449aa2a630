package fleet

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// Cut ends up to count of the sessions on an endpoint, or on any if it is "", as a network
// does that fails. silent of the n were ended without a word to the server.
func (f *Fleet) Cut(endpoint string, count int) (n, silent int) {
	counts := f.speaking(endpoint)
	for _, a := range f.askEach(func(i int) swarm.Order {
		return swarm.Order{Op: swarm.Cut, Endpoint: endpoint, Count: quota(counts, count, i)}
	}) {
		n, silent = n+a.Count, silent+a.Silent
	}
	return n, silent
}

// BeginStorm says that the endpoints are about to be struck. It must come just before the
// blow, so that no loss is taken for an eviction; the moment is t0.
func (f *Fleet) BeginStorm(victims ...string) {
	on := 0
	for _, v := range victims {
		on += f.On(v)
	}
	f.begin(on, swarm.Order{Op: swarm.Storm, Victims: victims})
}

// BeginFlood says that so many clients are about to arrive, and that they are the storm.
func (f *Fleet) BeginFlood(clients int) { f.begin(clients, swarm.Order{Op: swarm.Storm, Flood: true}) }

// WatchStorm has losses from now on count as those of a storm that somebody else is about to bring about, to the
// endpoints. FindStorm tells when it has begun; until then there is no t0.
func (f *Fleet) WatchStorm(victims ...string) (since time.Duration) {
	since = f.Now()
	f.ask(swarm.Order{Op: swarm.Storm, Victims: victims, T0: since, Watch: true})
	return since
}

// FindStorm looks whether the storm that is watched for since then has begun, of so many clients, and makes
// that moment t0. It asks every swarm.
func (f *Fleet) FindStorm(since time.Duration, clients int) (t0 time.Duration, found bool) {
	sum := tally.NewStorm()
	for _, a := range f.ask(swarm.Order{Op: swarm.Losses}) {
		sum.AddLosses(&tally.Storm{LostPerBin: a.Bins})
	}
	after, found := tally.MassLoss(sum.LostPerBin, clients)
	if !found {
		return 0, false
	}
	t0 = since + after
	f.mu.Lock()
	f.storm = &tally.Recovery{Since: t0}
	f.mu.Unlock()
	f.ask(swarm.Order{Op: swarm.FoundStorm, T0: t0})
	return t0, true
}

func (f *Fleet) begin(clients int, o swarm.Order) {
	o.T0 = f.Now()
	f.mu.Lock()
	f.storm = &tally.Recovery{Since: o.T0, Clients: clients}
	f.mu.Unlock()
	f.ask(o)
}

// StormAt is t0, if there was a storm.
func (f *Fleet) StormAt() (t0 time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.storm == nil {
		return 0, false
	}
	return f.storm.Since, true
}

// Recovery is how the storm goes, if there was one. It is up to PublishEvery old.
func (f *Fleet) Recovery() (v tally.Recovery, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.storm == nil {
		return v, false
	}
	return *f.storm, true
}

// EndStorm has what happens to clients from now on be no part of the storm.
func (f *Fleet) EndStorm() { f.ask(swarm.Order{Op: swarm.EndStorm}) }
