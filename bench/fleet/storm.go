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
