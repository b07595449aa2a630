package cluster

import (
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/peer"
	"github.com/stormwheel/stormwheel/internal/pulse"
	"github.com/stormwheel/stormwheel/server"
)

// loadTime is how often the others are told how this node is doing: with each announcement.
const loadTime = time.Second - pulse.Time/2

// tellLoad tells the machine how the server is doing, when it is time. It is the runner's.
func (n *Node) tellLoad() {
	now := n.since()
	if now < n.loadAt {
		return
	}
	n.loadAt = now + loadTime
	st := n.srv.Stats()
	load := peer.Load{Sessions: int(st.Sessions), Places: max(0, st.MaxConns-int(st.Conns)), AdmitRate: st.Pace, Lag: st.LoopLate}
	if st.MaxConns == 0 { // it has not started
		load.Places, load.AdmitRate = 0, 0
	}
	_ = n.local(func(now peer.Now, out *peer.Out) { n.machine.SetLoad(now, load, out) }) // the next announcement says it again
}

// retune tells the server what the live nodes mean for its clients.
func (n *Node) retune(t peer.Terms) {
	alternates := fitting(t.Alternates)
	err := n.srv.Update(func(u *server.Tunable) {
		if !n.cfg.OwnAlternates {
			u.Alternates = alternates
		}
		if !n.cfg.OwnRate {
			u.FailoverRate = t.FailoverRate
		}
	})
	if err != nil {
		n.log.Error("cluster: the server does not take what the live nodes mean for it", "err", err)
	}
}

// fitting is the beginning of all that a frame holds.
func fitting(all []string) []string {
	length := 0
	for i, a := range all {
		if length += len(a) + 1; length > codec.MaxAlternates {
			return slices.Clone(all[:i])
		}
	}
	return slices.Clone(all)
}
