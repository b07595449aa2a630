package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

func churnDefaults(c *Config) {
	fill(&c.Duration, 30*time.Second)
	fill(&c.Lifetime, 10*time.Second)
}

// churnPromises: whoever comes is let in at once, nobody but ourselves ends a session, and
// the nodes keep nothing of those who left.
func churnPromises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		"churn.departures>0",
		"churn.missing==0",
		"connect.failed==0",
		fmt.Sprintf("connect.latency_ms.p99<=%d", rampLatencyMs),
		"conns.lost==0",
		"eviction.false==0",
		answeredPromise,
	}
	if c.Spawn > 0 {
		all = append(all, "conns.ghosts==0")
	}
	return all
}

// churn connects all; then sessions end by BYE after lifetimes drawn from the seed, and a
// new client arrives for each that left.
func churn(ctx context.Context, r *runner) error {
	if err := r.ramp(ctx); err != nil {
		return err
	}
	if err := r.passIn(ctx, "churn", r.plan.Duration); err != nil {
		return err
	}
	if err := r.settle(ctx, r.plan.Conns); err != nil {
		return err
	}
	return r.exorcise(ctx, ghostPatience)
}

// settle ends the departures, and waits until those who are on their way are in, and so
// many are ready.
func (r *runner) settle(ctx context.Context, ready int) error {
	r.fleet.Settle()
	r.enter("settle", rampPatience)
	all, err := r.until(ctx, rampPatience, func() bool {
		n := r.fleet.Counts()
		return n.Returns >= n.Departures && r.fleet.Ready() >= ready
	})
	if err != nil {
		return err
	}
	n := r.fleet.Counts()
	r.say("%d sessions ended, %d clients came for them", n.Departures, n.Returns)
	if !all {
		r.say("not all of them are in: the wait is over")
	}
	return nil
}

// lifetime is how long the client that arrives at the given time stays, drawn from the seed
// alone.
func (c *swarmConfig) lifetime(number int, arrival time.Duration) time.Duration {
	rng := rand.New(rand.NewPCG(c.Seed+uint64(number)<<20, uint64(arrival)))
	return time.Duration(rng.ExpFloat64() * float64(c.Lifetime))
}

// departures are when the clients are to leave first; nil if they stay.
func (l *loop) departures() []time.Duration {
	if l.swarm.cfg.Lifetime == 0 {
		return nil
	}
	leave := make([]time.Duration, len(l.clients))
	for i := range leave {
		arrival := l.clients[i].arrival
		leave[i] = arrival + l.swarm.cfg.lifetime(l.number(uint32(i)), arrival)
	}
	return leave
}

// mayLeave: it has a session, is not about to change it, waits for no answer, and nobody waits
// for it.
func (l *loop) mayLeave(i uint32, c *client) bool {
	if l.leave == nil || !c.flags.has(flagWelcomed) || c.flags.has(flagProbe) || c.flags.has(flagAsked) || c.outage.out || c.outage.moving || l.second[i] != nil {
		return false
	}
	_, unsent := l.unsent[connKey{i, c.attempt}]
	return !unsent && c.ready()
}

// depart ends a client's session with BYE, and has another client arrive in its place at
// the moment when this one was to leave. It is another one to the server too.
func (l *loop) depart(i uint32, c *client) {
	// One that was welcomed, or answered, only after its time was up leaves at once.
	at := max(l.leave[i], c.known)
	l.wasLate(at)
	l.counted.Departures++
	l.swarm.nowReady(-1)
	c.link.Stop(l.now, &l.out)
	l.act(i, c)
	c.arrival, c.began = at, 0
	c.tenant++
	l.leave[i] = at + l.swarm.cfg.lifetime(l.number(i), l.leave[i])
	c.flags = c.flags&^flagWelcomed | flagNext
	l.start(i, c)
}

// Settle ends all departures.
func (s *swarm) Settle() {
	s.onLoops(func(l *loop) { l.leave = nil })
}

// Settle ends all departures.
func (f *fleet) Settle() { f.ask(order{Op: opSettle}) }

// Unsettle has the clients leave after lifetimes that begin now.
func (s *swarm) Unsettle() {
	s.eachLoop(func(l *loop) {
		l.unsettled++ // or who stayed once would draw the same lifetime again, and stay
		l.leave = make([]time.Duration, len(l.clients))
		for i := range l.clients {
			c := &l.clients[i]
			l.leave[i] = l.now + l.swarm.cfg.lifetime(l.number(uint32(i)), c.arrival+l.unsettled)
			l.arm(uint32(i), c)
		}
	})
}

// Unsettle has the clients leave after lifetimes that begin now.
func (f *fleet) Unsettle() { f.ask(order{Op: opUnsettle}) }

// Churn counts the sessions that ended because their clients left, and those that came for
// them.
type Churn struct {
	LifetimeS  float64 `json:"lifetime_s"` // mean
	Departures int     `json:"departures"` // sessions ended by BYE
	Returns    int     `json:"returns"`    // clients that arrived instead and were welcomed
	Missing    int     `json:"missing"`    // that arrived and were not
}

func (r *runner) churned(n *counters) *Churn {
	if r.plan.Lifetime == 0 {
		return nil
	}
	return &Churn{LifetimeS: r.plan.Lifetime.Seconds(), Departures: n.Departures, Returns: n.Returns, Missing: n.Departures - n.Returns}
}
