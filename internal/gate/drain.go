package gate

import (
	"math"
	"sync/atomic"
	"time"
)

// drainBurst is how much of its pace a drain makes up for at once when it was late. More
// would meet the receiving nodes as a burst.
const drainBurst = 100 * time.Millisecond

// Drain is the pace at which sessions are told to go, shared by all loops. Any goroutine
// may use it.
type Drain struct {
	on  atomic.Bool  // new clients are sent away
	gap atomic.Int64 // between two sessions, a time.Duration; 0: none is told yet
	due atomic.Int64 // when the next may be told, since the server's start
}

// Begin has new clients sent away.
func (d *Drain) Begin() { d.on.Store(true) }

// On says whether the node drains.
func (d *Drain) On() bool { return d.on.Load() }

// SetPace has sessions told at rate a second, or at what tells untold ones within left.
func (d *Drain) SetPace(rate float64, untold int64, left time.Duration) {
	gap := float64(time.Second) / rate
	if untold > 0 {
		gap = min(gap, float64(max(left, 0))/float64(untold))
	}
	d.gap.Store(int64(min(max(gap, 1), math.MaxInt64/2)))
}

// Take says whether one more session may be told now.
func (d *Drain) Take(now time.Duration) bool {
	pace := Pace{Gap: time.Duration(d.gap.Load()), Burst: drainBurst}
	if pace.Gap == 0 {
		return false
	}
	for {
		due := d.due.Load()
		next, wait := pace.Next(time.Duration(due), now)
		if wait > 0 {
			return false
		}
		if d.due.CompareAndSwap(due, int64(next)) {
			return true
		}
	}
}
