package gate

import "time"

// Pace is a generic cell rate algorithm (ITU-T I.371): one event each Gap, and as many of those
// that did not happen at once as Burst holds. It is a value without a state: its users keep
// when the coming event is due, each in its own way.
type Pace struct {
	Gap   time.Duration // between two events
	Burst time.Duration // as many gaps as events may be made up for
}

// Next takes when the coming event is due. It returns how long to wait for it at now, zero
// if it may happen at once, and when the one after it is due.
func (p Pace) Next(due, now time.Duration) (next, wait time.Duration) {
	due = max(due, now-p.Burst)
	return due + p.Gap, max(0, due-now)
}
