package gate

import (
	"math"
	"sync/atomic"
	"time"
)

// Window is the reconnect window: how long clients should spread their return if the node
// died now. That is as long as the nodes that would take them need, plus a twentieth. Any
// goroutine may use it.
type Window struct {
	length atomic.Int64  // a time.Duration
	rate   atomic.Uint64 // clients a second of those nodes, as bits of a float64
}

// Length is the window as it was set.
func (w *Window) Length() time.Duration { return time.Duration(w.length.Load()) }

// Set makes it d.
func (w *Window) Set(d time.Duration) { w.length.Store(int64(d)) }

// Raise makes it d if that is longer.
func (w *Window) Raise(d time.Duration) {
	if int64(d) > w.length.Load() {
		w.length.Store(int64(d)) // what another goroutine does in between is not worth a lock
	}
}

// SetRate says how many clients a second would find a place elsewhere.
func (w *Window) SetRate(rate float64) { w.rate.Store(math.Float64bits(rate)) }

// For is the window of so many connections, at most limit.
func (w *Window) For(conns int64, limit time.Duration) time.Duration {
	seconds := float64(conns) / math.Float64frombits(w.rate.Load()) * 1.05
	return time.Duration(min(seconds*float64(time.Second), float64(limit)))
}
