package link

import (
	"math/bits"
	"time"
)

// rng is SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
// Generators", 2014): eight bytes of state, and neighbouring seeds give unrelated
// streams. It is for jitter, not for secrets.
type rng uint64

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below draws uniformly from [0, d), 0 if that is empty.
func (r *rng) below(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	high, _ := bits.Mul64(r.next(), uint64(d))
	return time.Duration(high)
}
