package scenario

import (
	"github.com/stormwheel/stormwheel/bench/result"
)

// What the result says of what a run was told.

// Load is what the clients were told to do.
func (c *Config) Load() result.Load {
	l := result.Load{Protocol: c.Protocol, PongTimeoutMs: result.Millis(c.PongTimeout), Policy: c.Policy, Profile: c.Profile, Steps: c.Steps,
		LifetimeS: c.Lifetime.Seconds(), Fraction: c.Fraction, DeadlineMs: result.Millis(c.Deadline), Trickle: c.Trickle,
		TrickleIntervalMs: result.Millis(c.TrickleInterval), FreezeS: c.Freeze.Seconds(), OutageS: c.Outage.Seconds(), Slow: c.Slow,
		SendBytes: int(c.Send.Dice().Mean() + .5), SendSizes: c.sendSizes(), DeliverBytes: int(c.Deliver), EveryS: c.Every.Seconds(), ProxyProtocol: c.ProxyProtocol, TLSResume: c.TLSResume,
		Rooms: c.Rooms, RoomSize: c.RoomSize, Speakers: c.Speakers, Devices: c.Devices, Messages: c.Messages, Cluster: c.Cluster,
		KillAfterS: c.KillAfter.Seconds(), DrainAfterS: c.DrainAfter.Seconds(), RestartAfterS: c.RestartAfter.Seconds(),
		Rolling: c.Rolling, SplitAfterS: c.SplitAfter.Seconds(), SplitForS: c.SplitFor.Seconds()}
	if c.Transport != "tcp" {
		l.Transport = c.Transport
	}
	if c.Spawn == 0 {
		l.HeartbeatMs, l.TimeoutMs = result.Millis(c.Heartbeat), result.Millis(c.Timeout)
	}
	return l
}

// Terms are null for a target that was not spawned: it may have others for each client.
func (c *Config) Terms() *result.Terms {
	if c.Spawn == 0 {
		return nil
	}
	return &result.Terms{HeartbeatMs: result.Millis(c.nodeDuration("heartbeat", c.Heartbeat)),
		TimeoutMs: result.Millis(c.nodeDuration("timeout", c.Timeout)), TickMs: result.Millis(c.nodeDuration("tick", c.Tick))}
}

// sendSizes is --send where it is more than one size.
func (c *Config) sendSizes() string {
	if d := c.Send.Dice(); d.Least() == d.Most() {
		return ""
	}
	return string(c.Send)
}
