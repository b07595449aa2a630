package reactor

// InUse is what a loop keeps for its connections. All of it is zero when they have ended: tests
// and simulations look.
type InUse struct {
	Slots     int // connections
	Deadlines int // in the wheel
	Extras    int // what few connections have at a time
	Bounds    int // sessions with limits of their own
	Kept      int // sessions that are paused, or not read up to the present
	Awaits    int // sessions with an outstanding DELIVER
	Senders   int // sessions that have sent something with a number
	NameBytes int // of ids; less than a block at the end of each chunk is not counted
}

// InUse adds up what is in use. On the loop, or when it has ended.
func (r *Reactor) InUse() (u InUse) {
	for _, chunk := range r.sessions {
		for i := range chunk {
			if !chunk[i].Free() {
				u.Slots++
			}
		}
	}
	u.Bounds = r.special.inUse()
	u.Kept = r.kept.inUse()
	u.Deadlines = r.wheel.Len()
	u.Extras = int(r.extras.used) - len(r.extras.free)
	u.Awaits = r.awaits.inUse()
	u.Senders = r.senders.inUse()
	u.NameBytes = r.names.inUse()
	return u
}

// CheckWheel says what does not add up among the deadlines.
func (r *Reactor) CheckWheel() error { return r.wheel.Validate() }

// WheelBytes is the memory that the deadlines take, in use or not.
func (r *Reactor) WheelBytes() int64 { return r.wheel.Stats().Bytes }

// inUse is how many bytes of names are not free, give or take the ends of full chunks, which
// are less than a block each.
func (a *names) inUse() (bytes int) {
	if len(a.chunks) == 0 {
		return 0
	}
	full := len(a.chunks) - 1
	bytes = full*nameChunk + int(a.used)
	for class, ref := range a.free {
		size := (class + 1) * nameUnit
		if double := class - (exactNames/nameUnit - 1); double > 0 {
			size = exactNames << double
		}
		for ; ref != 0; ref = a.next(ref) {
			bytes -= size
		}
	}
	if bytes < full*256 {
		return 0
	}
	return bytes
}
