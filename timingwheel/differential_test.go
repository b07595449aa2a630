package timingwheel

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// heapTimer is the other way to do it: every heartbeat moves the entry.
type heapTimer struct {
	id    ID
	due   int64 // tick
	index int
}

type timerHeap []*heapTimer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *timerHeap) Push(x any)        { t := x.(*heapTimer); t.index = len(*h); *h = append(*h, t) }
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}

func TestExpiresTheSameAsAHeapInEveryTick(t *testing.T) {
	const tick = 5 * ms
	for _, start := range []time.Duration{0, 1<<32 - 500, 1<<31 - 500} {
		t.Run(fmt.Sprint(start), func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, uint64(start)))
			w := newWheel(t, Config{Tick: tick, Slots: 128, Start: start * tick, Spread: 20 * tick})
			timers, ttls, h := map[ID]*heapTimer{}, map[ID]int64{}, &timerHeap{}
			for now := int64(start); now < int64(start)+2000; now++ {
				w.Observe(time.Duration(now) * tick)
				for range random.IntN(40) {
					ttl := random.Int64N(400)
					id := w.Add(time.Duration(ttl) * tick)
					timers[id], ttls[id] = &heapTimer{id: id, due: now + 1 + ttl}, ttl
					heap.Push(h, timers[id])
				}
				for range 20 {
					id := ID(random.IntN(len(timers) + 1))
					timer := timers[id]
					switch {
					case timer == nil: // gone
					case random.IntN(10) == 0:
						w.Remove(id)
						heap.Remove(h, timer.index)
						delete(timers, id)
					default:
						w.Touch(id)
						timer.due = now + 1 + ttls[id]
						heap.Fix(h, timer.index)
					}
				}
				now += random.Int64N(3) // ticks are skipped too
				var want []ID
				for h.Len() > 0 && (*h)[0].due <= now {
					timer := heap.Pop(h).(*heapTimer)
					want = append(want, timer.id)
					delete(timers, timer.id)
				}
				slices.Sort(want)
				if got := expire(w, time.Duration(now)*tick); !slices.Equal(got, want) {
					t.Fatalf("tick %d: got %v, want %v", now, got, want)
				}
			}
			if w.Stats().Expired < 10_000 {
				t.Fatalf("only %d expired: the trace proves little", w.Stats().Expired)
			}
		})
	}
}
