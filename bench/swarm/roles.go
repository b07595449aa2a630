package swarm

// Takes reports whether a client is one of k that are taken from n, evenly over the nodes
// that the clients are placed on in turn; none from the first node if it is spared. It is
// exact, and the same in every process.
func Takes(number, n, nodes, k int, spareFirst bool) bool {
	nodes = max(nodes, 1)
	first := 0
	if spareFirst && nodes > 1 {
		first = 1
	}
	node, at, all := number%nodes, number/nodes, 0
	if node < first {
		return false
	}
	for other := first; other < nodes; other++ {
		on := (n - other + nodes - 1) / nodes
		if other < node {
			at += on
		}
		all += on
	}
	k = min(k, all)
	return (at+1)*k/max(all, 1) > at*k/max(all, 1)
}

// role is what a client is from its start.
func (c *Config) role(number int) (flags clientFlags) {
	if c.ProbesFirst && number < c.Probes || !c.ProbesFirst && Takes(number, c.Conns, c.targets(), c.Probes, true) {
		flags |= flagProbe
	}
	if Takes(number, c.Conns, c.targets(), c.HalfOpen, false) {
		flags |= flagHalfOpen
	}
	if Takes(number, c.Conns, c.targets(), c.Tricklers, false) {
		flags |= flagTrickle
	}
	if t := c.Talk; t != nil && t.Deaf > 0 && t.deaf(t.user(number), t.user(c.Conns)) {
		flags |= flagDeaf
	}
	return flags
}
