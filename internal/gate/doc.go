// Package gate decides who may come into a node, for all of its loops together: what they share
// about who comes in, waits or goes (Node). It is pure: time, randomness and what was observed
// come in, decisions come out; it reads no clock and does no I/O.
//
//	n := gate.NewNode(cfg, rand.Reader)
//	n.Conns.Enter()                                 // the first gate: is there a place?
//	n.Queue.Ask(now, gate.MaxWait)                  // the second: whose turn is it?
//	n.Load.Observe(now, gate.Sample{Taken: t, Waited: w, Late: l}, nil, nil) // once a tick
//	n.Load.Pace()                                   // what the node can really take in
package gate
