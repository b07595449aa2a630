package main

import "time"

// effort is how much is measured.
type effort struct {
	Repeats int // of memory and lateness
	Rounds  int // of connects, which differ more and take a second each

	Conns     int           // clients of the process whose memory is measured, and of the lateness
	Few       int           // the same process with next to none
	Ramp      float64       // connects a second in both
	Heartbeat time.Duration // of the memory
	Connects  int           // how many connections are made as fast as can be

	Pings float64       // a second, of the lateness
	Hold  time.Duration // after the ramp
}

var efforts = map[string]effort{
	"full": {Repeats: 3, Rounds: 9, Conns: 15_000, Few: 100, Ramp: 4000, Heartbeat: 4 * time.Second, Connects: 10_000,
		Pings: 30_000, Hold: 30 * time.Second},
	"tiny": {Repeats: 1, Rounds: 1, Conns: 300, Few: 20, Ramp: 1000, Heartbeat: 200 * time.Millisecond, Connects: 200,
		Pings: 1000, Hold: 2200 * time.Millisecond},
}

// beat is the heartbeat at which all clients together send so many PINGs a second: a link
// waits for 0.8 to 1.0 of it.
func (e effort) beat() time.Duration {
	return time.Duration(float64(e.Conns) / e.Pings / 0.9 * float64(time.Second)).Round(time.Millisecond)
}

// settled is how long all clients have been there when their memory is read: each has had
// a heartbeat.
func (e effort) settled() time.Duration { return 2 * e.Heartbeat }
