package swarm

import (
	"math"
	"math/rand/v2"
	"time"
)

// Profiles are the shapes of a ramp.
var Profiles = []string{"linear", "step", "poisson", Adaptive}

// DefaultSteps are the plateaus of a ramp in steps unless told otherwise.
const DefaultSteps = 5

// Arrivals is a ramp: when the clients with numbers from From up to To are to connect. The
// times are fixed before it begins and owe nothing to what the server does (open loop).
//
// linear has one at random in each 1/rate of a second. step does the same at a rate that
// climbs to Rate in plateaus of equal length. poisson has exponential gaps of the mean
// 1/rate, as independent users have. Those of Adaptive are linear; the load test may put them off.
type Arrivals struct {
	From, To int
	Rate     float64 // per second
	Profile  string  // "": linear
	Steps    int     // of the profile step
	Seed     uint64
}

// Arrivals are those of all clients in one ramp.
func (c *Config) Arrivals() Arrivals {
	return Arrivals{To: c.Conns, Rate: c.Rate, Profile: c.Profile, Steps: c.Steps, Seed: c.Seed}
}

// Each calls f for every client in order, with when it is due after the begin.
func (a Arrivals) Each(f func(number int, due time.Duration)) {
	rng := rand.New(rand.NewPCG(a.Seed, uint64(a.From)+1))
	n := a.To - a.From
	sum := 0.0
	for i := range n {
		var s float64
		switch a.Profile {
		case "poisson":
			sum += rng.ExpFloat64()
			s = sum / a.Rate
		case "step":
			s = stepTime(float64(i)+rng.Float64(), float64(n), a.Rate, float64(a.Steps))
		default:
			s = (float64(i) + rng.Float64()) / a.Rate
		}
		f(a.From+i, time.Duration(s*float64(time.Second)))
	}
}

// Length is from the begin until the last client is due, at the latest.
func (a Arrivals) Length() (last time.Duration) {
	a.Each(func(_ int, due time.Duration) { last = max(last, due) })
	if a.Profile == Adaptive {
		return last * mostStretched
	}
	return last
}

// each calls f for every client of a ramp that is this swarm's.
func (s *Swarm) each(a Arrivals, f func(l *loop, i uint32, due time.Duration)) {
	a.Each(func(number int, due time.Duration) {
		if number%s.cfg.Of == s.cfg.First {
			loop, i := s.place(number)
			f(s.loops[loop], i, due)
		}
	})
}

// Arrive has the clients of a ramp connect, which begins at a time of the swarm's clock.
func (s *Swarm) Arrive(a Arrivals, begin time.Duration) {
	type arrival struct {
		client uint32
		at     time.Duration
	}
	of := make([][]arrival, len(s.loops))
	s.each(a, func(l *loop, i uint32, due time.Duration) {
		of[l.index] = append(of[l.index], arrival{i, begin + due})
	})
	s.eachLoop(func(l *loop) {
		for _, one := range of[l.index] {
			l.expect(one.client, one.at, a.Profile)
		}
	})
}

// stepTime is when, in seconds, k of n clients have arrived if the rate climbs in steps
// plateaus of equal length: after j of them, a share of j(j+1) / steps(steps+1) has.
func stepTime(k, n, rate, steps float64) float64 {
	length := 2 * n / (rate * (steps + 1))
	unit := 2 * n / (steps * (steps + 1)) // the clients of the first plateau
	j := math.Floor((math.Sqrt(1+8*k/unit) - 1) / 2)
	return length * (j + (k-unit*j*(j+1)/2)/(unit*(j+1)))
}

// pick chooses k of the ids by the seed.
func pick(ids []int, k int, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 2))
	chosen := make([]int, len(ids))
	for i, j := range rng.Perm(len(ids)) {
		chosen[i] = ids[j]
	}
	return chosen[:min(k, len(chosen))]
}
