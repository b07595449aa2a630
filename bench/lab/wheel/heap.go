package wheel

import (
	"container/heap"
	"sync"
	"time"
)

// heapTimers is a binary heap under a mutex (goim's way, without its sharding).
type heapTimers struct {
	kept
	mu     sync.Mutex
	now    int64
	timers []*heapTimer // by connection
	queue  heapQueue
}

type heapTimer struct {
	due   int64
	index int
	id    uint32
}

type heapQueue []*heapTimer

func (h heapQueue) Len() int           { return len(h) }
func (h heapQueue) Less(i, j int) bool { return h[i].due < h[j].due }
func (h heapQueue) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *heapQueue) Push(x any)        { t := x.(*heapTimer); t.index = len(*h); *h = append(*h, t) }
func (h *heapQueue) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return t
}

func newHeap(int) subject { return &heapTimers{} }

func (s *heapTimers) arm(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		s.mu.Lock()
		t := &heapTimer{id: id, due: s.now + 1 + int64(ttl/tick)}
		put(&s.timers, id, t)
		heap.Push(&s.queue, t)
		s.mu.Unlock()
	}
}

func (s *heapTimers) refresh(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		s.mu.Lock()
		t := s.timers[id]
		t.due = s.now + 1 + int64(ttl/tick)
		heap.Fix(&s.queue, t.index)
		s.mu.Unlock()
	}
}

func (s *heapTimers) cancel(ids []uint32) {
	for _, id := range ids {
		s.mu.Lock()
		heap.Remove(&s.queue, s.timers[id].index)
		s.mu.Unlock()
	}
}

func (s *heapTimers) advance(now time.Duration) (visited int, more bool) {
	s.mu.Lock()
	s.now = int64(now / tick)
	for len(s.queue) > 0 && s.queue[0].due <= s.now {
		heap.Pop(&s.queue)
		s.over++
		visited++
	}
	s.mu.Unlock()
	return visited, false
}
