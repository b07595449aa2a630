package bench

import (
	"math"
	"math/rand/v2"
	"time"
)

// profiles are the shapes of a ramp.
var profiles = []string{"linear", "step", "poisson"}

const defaultSteps = 5

// arrivals are the intended connect times of this swarm's clients, in order, from the start
// of the run. They are drawn for all clients, so that the workers' shares add up; they are fixed before the run and owe nothing to what the server does (open loop).
//
// linear has one at random in each 1/rate of a second. step does the same at a rate that
// climbs to Rate in plateaus of equal length. poisson has exponential gaps of the mean
// 1/rate, as independent users have.
func (c *swarmConfig) arrivals() []time.Duration {
	rng := rand.New(rand.NewPCG(c.Seed, 1))
	of := max(c.Of, 1)
	at := make([]time.Duration, 0, c.Conns/of+1)
	sum := 0.0
	for i := range c.Conns {
		var s float64
		switch c.Profile {
		case "poisson":
			sum += rng.ExpFloat64()
			s = sum / c.Rate
		case "step":
			s = stepTime(float64(i)+rng.Float64(), float64(c.Conns), c.Rate, float64(c.Steps))
		default:
			s = (float64(i) + rng.Float64()) / c.Rate
		}
		if i%of == c.First {
			at = append(at, time.Duration(s*float64(time.Second)))
		}
	}
	return at
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
