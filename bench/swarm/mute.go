package swarm

// stayHalfOpen is what a half-open client does when it is connected: nothing more.
func (l *loop) stayHalfOpen(c *client) {
	c.flags |= flagMute
	c.last.setTimeout(l.swarm.cfg.Deadline)
	l.counted.Muted++
}
