package wheel

import (
	"sync/atomic"
	"time"

	russell "github.com/RussellLuo/timingwheel"
)

// timers is a runtime timer a connection, as most servers do it. The callback
// knows its connection, so each has a closure.
type timers struct {
	realtime
	timers []*time.Timer
}

// realtime is what subjects share that live in real time: callbacks count on goroutines of their own.
type realtime struct{ over atomic.Int64 }

func (r *realtime) expire(uint32)                   { r.over.Add(1) }
func (*realtime) advance(time.Duration) (int, bool) { return 0, false }
func (r *realtime) expired() int64                  { return r.over.Load() }
func (*realtime) outside() int64                    { return 0 }

func newTimers(int) subject { return &timers{} }

func (s *timers) arm(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		t := time.AfterFunc(ttl, func() { s.expire(id) })
		put(&s.timers, id, t)
	}
}

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
	realtime
	wheel  *russell.TimingWheel
	timers []*russell.Timer
}

func newRussell(int) subject {
	s := &russellWheel{wheel: russell.NewTimingWheel(time.Millisecond, 20)}
	s.wheel.Start()
	return s
}

func (s *russellWheel) start(id uint32, ttl time.Duration) *russell.Timer {
	return s.wheel.AfterFunc(ttl, func() { s.expire(id) })
}

func (s *russellWheel) arm(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		put(&s.timers, id, s.start(id, ttl))
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

func (s *russellWheel) close() { s.wheel.Stop() }
