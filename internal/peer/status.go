package peer

import "time"

// State is what a node does with its clients.
type State uint8

// The states.
const (
	Serving  State = iota + 1
	Draining       // it hands them over
	Left           // it has ended of its own accord
)

// Peer is a node as this one knows it.
type Peer struct {
	Node, Address, Version string
	Epoch                  uint64
	Number                 uint16 // the low bits of its stamps
	State                  State
	Live                   bool          // it was heard, and hears us
	HearsUs                bool          // it says so, or cannot say for too many nodes
	Since                  time.Duration // when it became live or ceased to be
	Heard                  time.Duration // when its latest announcement came
	Load                   Load
	Head                   uint64 // of its claims, how many it has made
	Seen                   uint64 // of them, how many were seen here in order
	Listing                bool   // its sessions are being asked for
}

// Stats are counts since the start, but for the last ones, which are of now.
type Stats struct {
	Claimed, Released uint64 // own logins and logouts
	Published         uint64 // messages sent
	PublishedBytes    uint64
	Received          uint64 // messages, own ones not counted
	ClaimsSeen        uint64 // logins and logouts of others, in order
	ClaimsLost        uint64 // that did not come, and were asked for
	Asked, Answered   uint64 // questions for claims or sessions
	Listed            uint64 // sessions told in answers to others
	Replaced          uint64 // own sessions that ended for another client's later login elsewhere
	Superseded        uint64 // for the same client's
	Again             uint64 // own logins told again to a node that had an earlier one
	Malformed         uint64 // messages that were none of this protocol
	Unknown           uint64 // messages and records of kinds that this version does not know
	Stale             uint64 // messages of a node's earlier process, or of one that is not live
	Downs             uint64 // times that a peer was gone without having said so
	Leaves            uint64 // that one ended of its own accord
	Moved             uint64 // sessions that Move asked for

	Homes    bool // own logins are told to homes only
	HomeOf   int  // client ids that are known as a home
	Followed int  // users

	Sessions int // own ones
	Peers    int // that are known
	LogBytes int // of claims that are kept
}

// Peers appends what is known of the others to all, by name.
func (m *Machine) Peers(all []Peer) []Peer {
	for _, p := range m.nodes {
		all = append(all, Peer{Node: p.name, Address: p.address, Version: p.version, Epoch: p.epoch, Number: p.number,
			State: p.state, Live: p.live, HearsUs: p.hears, Since: p.since, Heard: p.heardAt, Load: p.load,
			Head: p.claims.head, Seen: p.claims.next - 1, Listing: p.live && !p.silent && (p.claims.listing || p.claims.full)})
		if p.silent { // what is missing of its claims is with homes
			all[len(all)-1].Seen = p.claims.head
		}
	}
	return all
}

// Stats counts what happened.
func (m *Machine) Stats() Stats {
	s := m.stats
	s.Homes, s.HomeOf, s.Followed = m.homing.silent, len(m.directory.ids), len(m.follows)
	s.Sessions, s.Peers, s.LogBytes = m.table.count, len(m.nodes), m.log.bytes
	return s
}
