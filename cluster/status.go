package cluster

import (
	"fmt"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/internal/peer"
)

// Status is what a node knows of the cluster, as JSON in the words of GET /cluster.
type Status struct {
	Node    string   `json:"node"`
	Live    int      `json:"live"`    // nodes, this one included
	Homes   bool     `json:"homes"`   // logins of this node are told to homes only
	Members []Member `json:"members"` // by name; this node among them, and those that are gone and not forgotten
	Counts  Counts   `json:"counts"`
}

// Member is a node as this one knows it.
type Member struct {
	Node      string  `json:"node"`
	Self      bool    `json:"self,omitempty"` // it is the one that tells
	State     string  `json:"state"`          // serving, draining, left, or gone: nothing was heard of it for too long
	Epoch     string  `json:"epoch"`          // of its process, 16 hexadecimal digits
	Address   string  `json:"address"`        // where clients find it; empty: they do not
	Version   string  `json:"version"`
	Sessions  int     `json:"sessions"`
	Places    int     `json:"free_places"`       // for more clients
	AdmitRate float64 `json:"admit_rate"`        // clients a second that it can let in
	Lag       float64 `json:"loop_late_seconds"` // how late its slowest loop is
	For       float64 `json:"in_state_seconds"`  // since it came, or went
	Heard     float64 `json:"heard_seconds"`     // since it was last heard
	Behind    uint64  `json:"claims_behind"`     // logins and logouts that it has made and this node has not seen
	Listing   bool    `json:"listing,omitempty"` // its sessions are being asked for
	Deaf      bool    `json:"deaf,omitempty"`    // it is heard, but says that it does not hear this node
}

// Counts are counts since the start, but for the ints, which are of now.
type Counts struct {
	Sessions       int    `json:"sessions" help:"logins of this node that are claimed now"`
	Listed         int    `json:"listed" help:"client ids whose home this node is, and which it knows: above a number of nodes, and those of all nodes"`
	Followed       int    `json:"followed" help:"users of whose logins elsewhere this node wants to know"`
	Claimed        uint64 `json:"claimed" help:"logins of this node that were told to others"`
	ClaimsSeen     uint64 `json:"claims_seen" help:"logins and logouts of other nodes"`
	ClaimsLost     uint64 `json:"claims_lost" help:"logins and logouts of other nodes that did not come and were asked for"`
	Replaced       uint64 `json:"replaced" help:"sessions that a later login of another client at another node has ended"`
	Superseded     uint64 `json:"superseded" help:"sessions whose client has a later one at another node"`
	Moved          uint64 `json:"moved" help:"clients that were to be handed over to another node with fewer"`
	Downs          uint64 `json:"downs" help:"times that another node was gone, and had not left"`
	Leaves         uint64 `json:"leaves" help:"times that another node left: it ended in order, and said so"`
	Published      uint64 `json:"published" help:"messages of the machine to others; those of hubs, while nothing else waits, are not counted"`
	PublishedBytes uint64 `json:"published_bytes" help:"their bytes"`
	Received       uint64 `json:"received" help:"messages of others"`
	Unsent         uint64 `json:"unsent" help:"messages that the bus did not take"`
	Malformed      uint64 `json:"malformed" help:"messages that were none of the cluster's"`
	Unknown        uint64 `json:"unknown" help:"messages and records of kinds that this version does not know"`
	Stale          uint64 `json:"stale" help:"messages of a process that is gone, or not known to live"`
}

var stateNames = map[peer.State]string{peer.Serving: "serving", peer.Draining: "draining", peer.Left: "left"}

// Status returns it.
func (n *Node) Status() Status {
	n.mu.Lock()
	peers, stats, own := n.machine.Peers(nil), n.machine.Stats(), n.machine.Self()
	now := n.since()
	n.mu.Unlock()
	st := Status{Node: n.cfg.Node, Live: len(n.members.Load().Names()), Homes: stats.Homes, Counts: Counts{
		Sessions: stats.Sessions, Listed: stats.HomeOf, Followed: stats.Followed, Claimed: stats.Claimed, ClaimsSeen: stats.ClaimsSeen, ClaimsLost: stats.ClaimsLost,
		Replaced: stats.Replaced, Superseded: stats.Superseded, Moved: stats.Moved, Downs: stats.Downs, Leaves: stats.Leaves,
		Published: stats.Published, PublishedBytes: stats.PublishedBytes, Received: stats.Received, Unsent: n.unsent.Load(),
		Malformed: stats.Malformed, Unknown: stats.Unknown, Stale: stats.Stale,
	}}
	for _, p := range append(peers, own) {
		st.Members = append(st.Members, memberOf(p, now, p.Node == n.cfg.Node))
	}
	slices.SortFunc(st.Members, func(a, b Member) int {
		if a.Node < b.Node {
			return -1
		}
		return 1
	})
	return st
}

func memberOf(p peer.Peer, now time.Duration, self bool) Member {
	m := Member{Node: p.Node, Self: self, State: stateNames[p.State], Epoch: fmt.Sprintf("%016x", p.Epoch), Address: p.Address, Version: p.Version,
		Sessions: p.Load.Sessions, Places: p.Load.Places, AdmitRate: p.Load.AdmitRate, Lag: p.Load.Lag.Seconds(),
		For: (now - p.Since).Seconds(), Heard: (now - p.Heard).Seconds(), Listing: p.Listing}
	switch {
	case self:
		m.Heard = 0
	case p.Live:
		m.Behind = p.Head - min(p.Head, p.Seen)
	case p.State != peer.Left:
		m.State = "gone"
		m.Deaf = !p.HearsUs && p.Heard > p.Since && now-p.Heard < 3*time.Second // it goes on, and was heard since it went
	}
	return m
}
