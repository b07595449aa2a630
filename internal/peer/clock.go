package peer

// A stamp is the time of a login, in milliseconds, and in its low bits the number of the node that took
// it: of two logins anywhere, the greater stamp is the later. The clock is a hybrid one (Kulkarni and
// others, 2014): it is that of the wall, but never behind what was seen, so that a login that knows of
// another comes after it whatever the clocks of the two nodes say.
const (
	numberBits = 16
	// maxClock is the greatest time that is believed, in the year 6429: nobody can bring the clock to
	// its end.
	maxClock = 1<<47 - 1
)

// clock is the greatest time that was seen or given, in ms.
type clock uint64

// seen is told of a time in a message.
func (c *clock) seen(ms uint64) {
	if ms <= maxClock {
		*c = max(*c, clock(ms))
	}
}

// now is the time that may be told to others.
func (c *clock) now(wall int64) uint64 {
	c.seen(uint64(max(wall, 0)))
	return uint64(*c)
}

// next is a stamp above all that were seen, given or told, and above after. Two in one ms have successive times: a
// node that takes more than a thousand logins a second runs ahead of the wall, which does no harm.
func (c *clock) next(wall int64, after uint64, number uint16) uint64 {
	c.now(wall)
	c.seen(after >> numberBits)
	*c++
	return uint64(*c)<<numberBits | uint64(number)
}

// draw is the next of a row of random numbers: SplitMix64 (Steele, Lea, Flood 2014).
type draw uint64

func (d *draw) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// mix spreads what its bits say over all of them.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
