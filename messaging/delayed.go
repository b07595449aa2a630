package messaging

import (
	"cmp"
	"slices"
)

// delayedRecord is one that is not due yet, in memory.
type delayedRecord struct {
	memoryRecord
	user  string
	due   int64 // ms
	index int   // in the heap
}

// delayedHeap has the one that is due next at its top: container/heap.
type delayedHeap []*delayedRecord

func (h delayedHeap) Len() int           { return len(h) }
func (h delayedHeap) Less(i, j int) bool { return h[i].compare(h[j].due, h[j].key) < 0 }
func (h delayedHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push and Pop are for container/heap.
func (h *delayedHeap) Push(x any) {
	r := x.(*delayedRecord)
	r.index = len(*h)
	*h = append(*h, r)
}

func (h *delayedHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return r
}

func (r *delayedRecord) compare(due int64, key Key) int {
	return cmp.Or(cmp.Compare(r.due, due), cmp.Compare(r.key, key))
}

// until returns those that are due, in order, from behind after on. It looks at those that are due,
// and at their children.
func (h delayedHeap) until(due int64, after Moment) (all []*delayedRecord) {
	afterDue := int64(0)
	if !after.Due.IsZero() {
		afterDue = after.Due.UnixMilli()
	}
	for next := []int{0}; len(next) > 0; {
		i := next[len(next)-1]
		next = next[:len(next)-1]
		if i >= len(h) || h[i].due > due {
			continue
		}
		if h[i].compare(afterDue, after.Key) > 0 {
			all = append(all, h[i])
		}
		next = append(next, 2*i+1, 2*i+2)
	}
	slices.SortFunc(all, func(a, b *delayedRecord) int { return a.compare(b.due, b.key) })
	return all
}
