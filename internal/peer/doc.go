// Package peer is a node's half of the cluster as a pure state machine: who lives, which logins are
// where, which of two wins, which node keeps what, and who should hand clients over. No I/O, no clock,
// no chance, no goroutine, no lock: package cluster drives it, and so does a simulation.
//
// A Machine has one owner, which makes all calls one after the other. Time comes in as a value; what
// is to be done comes out as actions, to be carried out in order before the next call:
//
//	m := peer.New(peer.Config{Node: "a", Epoch: epoch, Address: "10.0.0.1:7000"}, now)
//	for {
//		for _, a := range out.Actions { ... } // publish, tell, close
//		out.Reset()
//		// wait for the bus, the server, or for m.Deadline(), whichever is first, then call Received,
//		// Open, Close, Send, SetLoad or Tick
//	}
//
// What the machine needs of the bus: messages may be lost, doubled, and late, and those of different
// senders come in any order. Those of one sender should come in the order in which they were sent,
// whatever their subject: where they do not, nothing breaks, but claims are asked for again.
//
// # Subjects
//
//	sw.n          Nodes  announcements, once a second a node, and when something changes
//	sw.all        All    claims of logins, and messages of a hub to all
//	sw.to.<node>  To     what is for one node
//
// docs/CLUSTER.md has the wire.
package peer
