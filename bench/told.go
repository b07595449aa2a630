package bench

// What the result says of what a run was told.

// load is what the clients were told to do.
func (c *Config) load() Load {
	l := Load{Protocol: c.Protocol, PongTimeoutMs: ms(c.PongTimeout), Policy: c.Policy, Profile: c.Profile, Steps: c.Steps,
		LifetimeS: c.Lifetime.Seconds(), Fraction: c.Fraction, DeadlineMs: ms(c.Deadline), Trickle: c.Trickle,
		TrickleIntervalMs: ms(c.TrickleInterval), FreezeS: c.Freeze.Seconds(), OutageS: c.Outage.Seconds(), Slow: c.Slow}
	if c.Spawn == 0 {
		l.HeartbeatMs, l.TimeoutMs = ms(c.Heartbeat), ms(c.Timeout)
	}
	return l
}

// terms are null for a target that was not spawned: it may have others for each client.
func (c *Config) terms() *Terms {
	if c.Spawn == 0 {
		return nil
	}
	return &Terms{HeartbeatMs: ms(c.nodeDuration("heartbeat", c.Heartbeat)),
		TimeoutMs: ms(c.nodeDuration("timeout", c.Timeout)), TickMs: ms(c.nodeDuration("tick", c.Tick))}
}
