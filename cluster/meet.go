package cluster

import (
	"context"

	"github.com/stormwheel/stormwheel/internal/peer"
)

// Meet waits until so many other nodes live, or ctx ends, whose error it then returns.
func (n *Node) Meet(ctx context.Context, others int) error {
	for {
		now := n.members.Load()
		if len(now.subjects) >= others {
			return nil
		}
		select {
		case <-now.next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Advertise changes Config.Advertise, for who knows his address when the server has started. The error says that it is no
// address.
func (n *Node) Advertise(addr string) error {
	if err := validAddress(addr); err != nil {
		return err
	}
	return n.local(func(now peer.Now, out *peer.Out) { n.machine.SetAddress(now, addr, out) })
}
