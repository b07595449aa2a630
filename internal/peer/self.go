package peer

// Self is this node as its peers are told of it. Since and Heard are not set.
func (m *Machine) Self() Peer {
	return Peer{Node: m.cfg.Node, Address: m.cfg.Address, Version: m.cfg.Version, Epoch: m.cfg.Epoch, Number: m.number,
		State: m.State(), Live: true, HearsUs: true, Load: m.load, Head: m.log.head, Seen: m.log.head}
}

// SetAddress changes Config.Address, for an owner that listens later than it is in the cluster. Peers are told at
// once.
func (m *Machine) SetAddress(now Now, address string, out *Out) {
	m.observe(now)
	if address == m.cfg.Address || m.left {
		return
	}
	m.cfg.Address = address
	m.announce(now, out)
}
