// Package link is the client half of the Stormwheel protocol as a pure state machine: no
// I/O, no clock, no goroutine, no lock. The client, the load generator and the simulator
// drive the same one.
//
// A Link has one owner, which makes all calls one after the other. Time comes in as a
// monotonic duration since an origin of the owner's choosing; what is to be done comes
// out as actions, to be carried out in order before the next call:
//
//	var l link.Link
//	l.Init(&config, number, seed)
//	l.Start(now, &out)
//	for {
//		for _, a := range out.Actions { ... } // dial, write, close, tell
//		out.Reset()
//		// wait for the network or for l.Deadline(), whichever is first, then call
//		// Connected, Received, Disconnected or Tick
//	}
//
// Every call about a connection names the attempt that opened it. Calls that name an
// older attempt are dropped, so that an owner need not unschedule what is in flight.
package link
