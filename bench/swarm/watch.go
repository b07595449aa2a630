package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
)

// A storm that somebody else brings about may begin without a word. Then losses count as its own from when it
// is watched for, and when it is found, t0 is moved to where they began.

// losses are the sessions that ended, or were told to move, in bins since the storm is watched for.
func (s *Swarm) losses() []uint32 {
	bins := make(chan []uint32, len(s.loops))
	s.eachLoop(func(l *loop) {
		sum := tally.NewStorm()
		for _, one := range l.storms {
			sum.AddLosses(&one)
		}
		bins <- sum.LostPerBin
	})
	sum := tally.NewStorm()
	for range s.loops {
		sum.AddLosses(&tally.Storm{LostPerBin: <-bins})
	}
	return sum.LostPerBin
}

// found moves t0 of the storm that is watched for. What is counted in bins is moved at the end.
func (s *Swarm) found(t0 time.Duration) {
	if storm := s.storm.Load(); storm != nil && storm.watched {
		storm.found.Store(int64(t0 - storm.t0))
		s.struck.Store(true)
	}
}
