package scenario

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
)

// OnDemand: clients come when a phase has them come, or not at all.
func (c *Config) OnDemand() bool {
	return len(c.Phases) > 0 || c.floods() || c.Scenario == handshake{}.Name()
}

// Swarm is what the swarms are told.
func (p *Plan) Swarm() swarm.Config {
	s := swarm.Config{
		Endpoints: p.endpoints, Sockets: p.sockets, Sources: p.sources, PlaceAll: p.Place == "first",
		Conns: p.Conns, Rate: p.Rate, Profile: p.Profile, Steps: p.Steps, Lifetime: p.Lifetime, OnDemand: p.OnDemand(), Seed: p.Seed, Policy: p.policy,
		Cohorts: p.cohorts, Probes: p.ProbeCount(), ProbesFirst: p.floods(), ProbeInterval: p.probeBeat(),
		Interval: p.clientInterval(), PongTimeout: p.PongTimeout, Grid: p.PingGrid(), AnyAddress: p.IOwnTheTarget,
		WebSocket: p.way.Path, TLS: p.secure, ProxyProtocol: p.ProxyProtocol,
		Protocol: p.Protocol, Timeout: p.Timeout, Username: p.Username, Password: p.Password,
		Send: p.Send, Deliver: p.Deliver > 0, Every: p.Every, Secret: p.secret, IgnoreAlternates: p.IgnoreAlternates,
	}
	p.Plays.Roles(&p.Config, &s)
	return s
}

// clientInterval: spawned nodes say --heartbeat themselves; to a foreign target it is the
// clients' own.
func (c *Config) clientInterval() time.Duration {
	if c.Spawn > 0 && !c.foreign() {
		return 0
	}
	return c.Heartbeat
}
