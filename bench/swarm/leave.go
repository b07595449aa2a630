package swarm

import (
	"math/rand/v2"
	"time"
)

// lifetime is how long the client that arrives at the given time stays, drawn from the seed
// alone.
func (c *Config) lifetime(number int, arrival time.Duration) time.Duration {
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
	return !unsent && c.ready() && !l.owes(i, c)
}

// depart ends a client's session with BYE, and has another client arrive in its place at
// the moment when this one was to leave. It is another one to the server too.
func (l *loop) depart(i uint32, c *client) {
	// One that was welcomed, or answered, only after its time was up leaves at once.
	at := max(l.leave[i], c.known)
	l.wasLate(at)
	l.counted.Departures++
	l.swarm.nowReady(-1)
	l.leaveMessages(i)
	c.link.Stop(l.now, &l.out)
	l.perform(i, c)
	c.arrival, c.began = at, 0
	c.tenant++
	l.leave[i] = at + l.swarm.cfg.lifetime(l.number(i), l.leave[i])
	c.flags = c.flags&^flagWelcomed | flagNext
	l.start(i, c)
}

// Settle ends all departures.
func (s *Swarm) Settle() {
	s.onLoops(func(l *loop) { l.leave = nil })
}

// Unsettle has the clients leave after lifetimes that begin now.
func (s *Swarm) Unsettle() {
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
