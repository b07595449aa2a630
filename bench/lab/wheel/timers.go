package wheel

import (
	"sync/atomic"
	"time"

	russell "github.com/RussellLuo/timingwheel"
)

// timers is a runtime timer a connection, as most servers do it. The callback
// knows its connection, so each has a closure.
type timers struct {
	timers []*time.Timer
	over   atomic.Int64
}

func newTimers(int) subject { return &timers{} }

func (s *timers) arm(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		t := time.AfterFunc(ttl, func() { s.expire(id) })
		if int(id) == len(s.timers) {
			s.timers = append(s.timers, t)
		} else {
			s.timers[id] = t
		}
	}
}

func (s *timers) expire(uint32) { s.over.Add(1) }

func (s *timers) refresh(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		s.timers[id].Reset(ttl)
	}
}

func (s *timers) cancel(ids []uint32) {
	for _, id := range ids {
		s.timers[id].Stop()
	}
}

func (s *timers) advance(time.Duration) (int, bool) { return 0, false }
func (s *timers) expired() int64                    { return s.over.Load() }
func (s *timers) outside() int64                    { return 0 }
func (s *timers) close() {
	for _, t := range s.timers {
		t.Stop()
	}
}

// russellWheel is RussellLuo/timingwheel: Kafka's hierarchical wheel with a
// delay queue of buckets. A timer can't be reset: a heartbeat is stop + start.
// Its tick is 1 ms, the least it takes, because the compressed time of the
// fleet needs it; its buckets are as many as Kafka's.
type russellWheel struct {
	wheel  *russell.TimingWheel
	timers []*russell.Timer
	over   atomic.Int64
}

func newRussell(int) subject {
	s := &russellWheel{wheel: russell.NewTimingWheel(time.Millisecond, 20)}
	s.wheel.Start()
	return s
}

func (s *russellWheel) start(id uint32, ttl time.Duration) *russell.Timer {
	return s.wheel.AfterFunc(ttl, func() { s.expire(id) })
}

func (s *russellWheel) expire(uint32) { s.over.Add(1) }

func (s *russellWheel) arm(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		t := s.start(id, ttl)
		if int(id) == len(s.timers) {
			s.timers = append(s.timers, t)
		} else {
			s.timers[id] = t
		}
	}
}

func (s *russellWheel) refresh(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		s.timers[id].Stop()
		s.timers[id] = s.start(id, ttl)
	}
}

func (s *russellWheel) cancel(ids []uint32) {
	for _, id := range ids {
		s.timers[id].Stop()
	}
}

func (s *russellWheel) advance(time.Duration) (int, bool) { return 0, false }
func (s *russellWheel) expired() int64                    { return s.over.Load() }
func (s *russellWheel) outside() int64                    { return 0 }
func (s *russellWheel) close()                            { s.wheel.Stop() }
