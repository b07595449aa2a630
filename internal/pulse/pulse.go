// Package pulse has parts of a process that look again and again, whatever happens, do so at the same moments: a
// processor that does nothing else is then woken once for all of them. What is due sooner does not wait for it.
package pulse

import "time"

// Time is how long it is from one moment to the next.
const Time = time.Second / 6

// Origin is the latest moment that is not after t: all times since it that are multiples of Time are moments, whoever
// counts them.
func Origin(t time.Time) time.Time { return t.Add(-time.Duration(t.UnixNano()) % Time) }

// Next is the first moment after now, both since an origin.
func Next(now time.Duration) time.Duration { return Last(now) + Time }

// Last is the latest moment that is not after at, both since an origin.
func Last(at time.Duration) time.Duration { return at - at%Time }
