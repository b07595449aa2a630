package proc

import "time"

// Use is what a process has and what it has taken since its start.
type Use struct {
	Resident     int64         // bytes; a few hundred KiB off where many threads run
	User, System time.Duration // of processors, in steps of 10 ms
	Descriptors  int
	Ended        bool // it is dead, and its parent has not looked
}

// CPU is the time that it has taken of processors.
func (u Use) CPU() time.Duration { return u.User + u.System }

// Plus is what both have together.
func (u Use) Plus(other Use) Use {
	u.Resident += other.Resident
	u.User += other.User
	u.System += other.System
	u.Descriptors += other.Descriptors
	return u
}
