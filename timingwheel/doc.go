// Package timingwheel tells which of very many deadlines have passed, when
// nearly all of them are moved again before they do: the read timeouts of a
// server with a million connections, leases, sessions, caches.
//
// It is a flat hashed wheel (G. Varghese and A. Lauck, "Hashed and Hierarchical
// Timing Wheels", doi:10.1109/90.650142) with lazy re-arming. An entry's slot
// means only "look again". A heartbeat is one store of the current tick. When
// the wheel comes to an entry and finds last + ttl still ahead, it files the
// entry there; otherwise it calls the owner. So there are no rounds, no
// hierarchy and no cascade, and any ttl fits.
//
// It is not a scheduler: no goroutine, no lock, no clock of its own. Time comes
// in as an argument, as a [time.Duration] since an origin of the caller's
// choosing. It must be monotonic; time.Since(start) is.
//
// # Accuracy
//
// An entry touched at observed time last, with timeout ttl, is handed to its
// owner by an Advance whose now satisfies
//
//	last + ttl <= now < last + ttl + 2*Tick + lag
//
// where lag is the time from the beginning of the tick in which it fell due to
// the Advance that reached it: the caller's own cadence and, under a budget, the
// debt that [Progress] reports. It is never early, whatever the caller does. If
// ttl is a whole number of ticks, 1*Tick stands for 2*Tick; an owner that
// advances once a tick then sees no more than two ticks in all. A [Wheel.Pull]
// is met within one tick + lag.
//
// # Use
//
//	wheel, err := timingwheel.New(timingwheel.Config{Tick: 250 * time.Millisecond})
//	id := wheel.Add(75 * time.Second)           // a connection came
//	wheel.Observe(time.Since(start))            // once a read
//	wheel.Touch(id)                             // for each frame in it
//	wheel.Advance(time.Since(start), timingwheel.Budget{Expiries: 256},
//		func(id timingwheel.ID) time.Duration { // nothing came for 75 s
//			closeConnection(id)
//			return timingwheel.Done
//		})
//
// # Ownership
//
// A wheel has one owner: every method must be called from one goroutine at a
// time. A callback may call every method but Advance and Close, for any entry,
// its own included. An [ID] is valid until its entry is removed; what outlives
// a callback keeps a [Handle], which tells when it is stale.
//
// # Memory
//
// An entry costs 19 bytes, and 4.3 more in the slot it is filed in, or in the
// queue of free ones: below 24 for a million. On Linux all of it is mapped
// outside the Go heap, so it is neither scanned by the garbage collector nor
// multiplied by GOGC; elsewhere it is heap without pointers. It grows in blocks
// of 304 KiB and 64 KiB that are never copied, and shrinks only in [Wheel.Close]:
// a wheel that is dropped without Close leaks it.
package timingwheel
