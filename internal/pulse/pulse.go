// Package pulse has parts of a process that look again and again, whatever happens, do so at the same moments: a
// processor that does nothing else is then woken once for all of them. What is due sooner does not wait for it.
package pulse

import "time"

const (
	// Time is how long it is from one moment to the next, to the ns.
	Time = time.Second / perSecond
	// perSecond is how many moments a second of the clock has. The third of them is half a second after the first, so that
	// what is done four times a second, as by a server's ticker, falls together with every other one of these.
	perSecond = 6
)

// Origin is the latest moment that is not after t. Times since it are of the same moments, to 1 ns, whoever counts them.
func Origin(t time.Time) time.Time {
	inSecond := t.Add(-time.Duration(t.UnixNano()) % time.Second)
	return inSecond.Add(Last(t.Sub(inSecond)))
}

// Next is the first moment after now, both since an origin.
func Next(now time.Duration) time.Duration { return moment(index(now) + 1) }

// Last is the latest moment that is not after at, both since an origin.
func Last(at time.Duration) time.Duration { return moment(index(at)) }

// index is the number of the latest moment that is not after at, since an origin.
func index(at time.Duration) time.Duration { return at * perSecond / time.Second }

// moment is the i-th since an origin. It is rounded each time: sixths of a second that were added up would be off by
// half a ms a day.
func moment(i time.Duration) time.Duration { return (i*time.Second + perSecond - 1) / perSecond }
