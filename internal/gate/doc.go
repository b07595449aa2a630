// Package gate is what the loops of a node share (Node): who may come in, waits or goes, who has a
// session under which id (Roster), and which messages were taken of whom (Senders).
// It is pure: time, randomness and what was observed
// come in, decisions come out; it reads no clock and does no I/O.
//
//	n := gate.NewNode(cfg, rand.Reader)
//	n.Conns.Enter()                                 // the first gate: is there a place?
//	n.Queue.Ask(now, gate.MaxWait)                  // the second: whose turn is it?
//	n.Load.Observe(now, gate.Sample{Taken: t, Waited: w, Late: l}, nil, nil) // once a tick
//	n.Load.Pace()                                   // what the node can really take in
//	n.Senders.Join(id, incarnation).Take(number, session, attempt) // is this SEND new?
package gate
