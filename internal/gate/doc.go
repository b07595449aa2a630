// Package gate decides who may come into a node, for all of its loops together. It is pure:
// time and what was observed come in, decisions come out; it reads no clock and does no I/O.
//
//	p := gate.NewPacer(2000, now)                  // clients a second, at most
//	p.Observe(now, gate.Sample{Taken: n, Waited: w, Late: l}) // once a tick
//	p.Pace()                                       // what the node can really take in
package gate
