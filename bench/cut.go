package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errCut is the cause of a loss that the scenario brought about.
var errCut = errors.New("the scenario cut it")

// How a storm of the kind cut ended the connections.
const (
	cutSilently = "silence" // the nodes were told nothing
	cutByReset  = "rst"     // for want of CAP_NET_ADMIN
)

// cutCount is how many clients a cut hits.
func (c *Config) cutCount() int {
	if c.Fraction > 0 {
		return silentCount(c)
	}
	if max(c.Spawn, len(c.Targets)) == 1 { // the probes are there too
		return c.Conns - c.probeCount()
	}
	return c.onVictim()
}

func cutPromises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.cutCount()),
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"storm.attempts_per_success<=1.2",
		"eviction.false==0",
	}
	if c.Spawn > 0 {
		all = append(all, "conns.ghosts==0", fmt.Sprintf("storm.ghosts_gone_s<=%g", c.ghostTime().Seconds()))
	}
	return all
}

// ghostTime is within which nodes have evicted connections that nobody ended: the timeout,
// two ticks, and a second for what asks them.
func (c *Config) ghostTime() time.Duration { return c.Timeout + 2*c.Tick + time.Second }

// cutClients cuts the connections to the first target, or a share of all, and waits until
// the clients are back and the nodes have noticed.
func (r *runner) cutClients(ctx context.Context) error {
	victim := ""
	if r.plan.Fraction == 0 {
		victim = r.servers[0].Addr
	}
	r.sampleServers(ctx)
	r.fleet.BeginStorm() // the nodes are alive: what they close is for them to answer for
	hit := r.plan.cutCount()
	if of := (PhaseSpec{Fraction: r.plan.Fraction}); r.plan.Scenario == "phases" && of.Fraction > 0 {
		hit = of.silenced(r.fleet.Speaking()) // not all that later phases bring
	}
	n, silent := r.fleet.Cut(victim, hit)
	how := "without FIN and RST (TCP_REPAIR)"
	r.cutBy = cutSilently
	if silent < n {
		how = "by RST, since this process lacks CAP_NET_ADMIN"
		r.cutBy = cutByReset
	}
	r.ghostless = nil
	r.enter("recovery", max(r.plan.RecoveryTimeout, r.plan.ghostTime()))
	r.say("%d connections cut %s", n, how)
	return r.recover(ctx, n, r.fleet.Now(), r.plan.ghostTime()+ghostPatience)
}

// recover waits until so many clients were hit and all of them are back, and until the
// nodes hold no ghost, the time of which counts from since.
func (r *runner) recover(ctx context.Context, hit int, since, ghostBound time.Duration) error {
	back := func() bool {
		n := r.fleet.Counts()
		return n.StormClients >= hit && n.StormBack >= n.StormClients
	}
	var looked time.Time
	haunted := func() bool {
		if len(r.nodes) == 0 || r.ghostsGone != nil {
			return false
		}
		if time.Since(looked) >= publishEvery { // it asks every node
			looked = time.Now()
			if gone, sure := r.noGhosts(ctx); sure {
				r.ghostsGone = new(gone - since)
			}
		}
		return r.ghostsGone == nil
	}
	all, err := r.until(ctx, max(r.plan.RecoveryTimeout, ghostBound), func() bool { gone := !haunted(); return back() && gone })
	switch {
	case err != nil:
		return err
	case all:
		r.say("all of them are back")
		return r.passIn(ctx, "aftermath", r.heartbeatOr(0)) // a second wave would show here
	case back():
		r.say("all of them are back, but nodes hold connections that nobody has: the wait is over")
	default:
		r.say("not all of them are back: the wait is over")
	}
	return nil
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

// Cut does so for this swarm. The choice is the seed's.
func (s *swarm) Cut(endpoint string, count int) (n, silent int) {
	type cuts struct{ n, silent int }
	results := make(chan cuts, len(s.loops))
	shares := s.shares(pick(s.speaking(endpoint), count, s.cfg.Seed))
	s.eachLoop(func(l *loop) {
		var done cuts
		for _, i := range shares[l.index] {
			cut, silent := l.cut(i)
			if cut {
				done.n++
			}
			if silent {
				done.silent++
			}
		}
		l.publish()
		results <- done
	})
	for range s.loops {
		done := <-results
		n, silent = n+done.n, silent+done.silent
	}
	return n, silent
}

// cut ends a ready client's connection under it. To the client that is a loss of which it
// does not know the cause.
func (l *loop) cut(i uint32) (cut, silent bool) {
	c := &l.clients[i]
	if !c.ready() || c.flags.has(flagMute) || l.second[i] != nil {
		return false, false
	}
	attempt := c.attempt
	l.forget(i, &c.socket)
	silent = vanishSocket(int(c.fd))
	c.link.Disconnected(l.now, attempt, errCut, &l.out)
	l.act(i, c)
	return true, silent
}
