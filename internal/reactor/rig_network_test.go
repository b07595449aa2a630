package reactor

import (
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// peer is the far end of one simulated connection.
type peer struct {
	in        []byte // what the reactor wrote
	held      int
	unread    int
	waited    time.Duration // since its last bytes came
	left      bool          // FIN came
	blocked   bool          // takes nothing
	reset     bool          // RST came, as the next write finds
	queued    int
	unsent    int  // in our kernel
	finished  bool // FIN seen
	closed    bool
	aborted   bool
	writes    int
	meanwhile func()     // what happens elsewhere while the next write is on its way
	farewell  codec.Code // of the last words
	addr      netip.Addr
}

// network is a transport in memory.
type network struct {
	r     *Reactor
	peers map[Slot]*peer

	aborts int
}

func (n *network) Write(slot Slot, b []byte) (sent, queued int) {
	p := n.peers[slot]
	if p.reset {
		n.r.Closed(slot, ReasonPeerReset)
		return 0, 0
	}
	p.in = append(p.in, b...)
	p.writes++
	if p.blocked {
		p.queued += len(b)
	}
	if meanwhile := p.meanwhile; meanwhile != nil {
		p.meanwhile = nil
		meanwhile()
	}
	return len(b), p.queued
}

func (n *network) Farewell(slot Slot, code codec.Code) { n.peers[slot].farewell = code }

func (n *network) Queued(slot Slot) int { return n.peers[slot].queued }

func (n *network) Unsent(slot Slot) int { return n.peers[slot].unsent }

func (n *network) Held(slot Slot) int { return n.peers[slot].held }

func (n *network) RemoteAddr(slot Slot) netip.Addr { return n.peers[slot].addr }

func (n *network) Unread(slot Slot) int { return n.peers[slot].unread }

func (n *network) Waited(slot Slot) (time.Duration, bool) {
	p := n.peers[slot]
	if p == nil {
		return 0, true
	}
	return p.waited, !p.left
}

func (n *network) FinishWrite(slot Slot) { n.peers[slot].finished = true }

func (n *network) Close(slot Slot) {
	n.peers[slot].closed = true
	n.r.Closed(slot, ReasonShutdown)
}

func (n *network) Abort(slot Slot) {
	n.aborts++
	n.peers[slot].aborted = true
	n.r.Closed(slot, ReasonShutdown)
}
