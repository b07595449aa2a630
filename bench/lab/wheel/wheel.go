package wheel

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// wheel is ours. Its IDs are the numbers of the connections: they are dense,
// and whenever the driver arms some again it arms all that were freed.
type wheel struct {
	kept
	conns  uint32
	wheel  *timingwheel.Wheel
	budget timingwheel.Budget
	slice  time.Time // when this Advance began; zero until it is asked
}

// maxSlice is how long one Advance may take: the server's own bound.
const maxSlice = time.Millisecond

func newWheel(slots int) subject {
	w, err := timingwheel.New(timingwheel.Config{Tick: tick, Slots: slots})
	if err != nil {
		panic(err)
	}
	s := &wheel{wheel: w}
	s.budget.Stop = func() bool {
		if s.slice.IsZero() { // 64 visits so far: a few microseconds
			s.slice = time.Now()
		}
		return time.Since(s.slice) > maxSlice*9/10
	}
	return s
}

func (s *wheel) arm(ids []uint32, ttl time.Duration) {
	conns := s.conns
	for _, id := range ids {
		if id == conns {
			conns++
		}
		if got := uint32(s.wheel.Add(ttl)); got >= conns {
			panic("wheel: an ID that is no connection's")
		}
	}
	s.conns = conns
}

func (s *wheel) refresh(ids []uint32, _ time.Duration) {
	for _, id := range ids {
		s.wheel.Touch(timingwheel.ID(id))
	}
}

func (s *wheel) cancel(ids []uint32) {
	for _, id := range ids {
		s.wheel.Remove(timingwheel.ID(id))
	}
}

func (s *wheel) over1(timingwheel.ID) time.Duration {
	s.over++
	return timingwheel.Done
}

func (s *wheel) advance(now time.Duration) (int, bool) {
	s.slice = time.Time{}
	p := s.wheel.Advance(now, s.budget, s.over1)
	return p.Visited, p.More
}

func (s *wheel) outside() int64 { return s.wheel.Stats().Bytes }
func (s *wheel) close()         { s.wheel.Close() }
