package swarm

import "time"

// waits counts the PINGs that wait for their PONG by the time when they were written, so that those
// that have waited for long are known without a look at each client. The zero value is not usable.
type waits struct {
	limit  time.Duration // who waits longer is overdue
	width  time.Duration // of a slot
	slots  [waitSlots]int32
	newest int64 // the slot of now; those that the ring has no room for any more are in older
	older  int
}

const (
	waitSlots     = 1024 // a hundred limits
	slotsPerLimit = 10

	// longWait is what is long for a PING, whatever the clients' patience.
	longWait = time.Second
)

// newWaits is for clients that give a server up after their patience.
func newWaits(patience time.Duration) *waits {
	limit := min(longWait, patience/2)
	return &waits{limit: limit, width: max(limit/slotsPerLimit, 1)}
}

// begin notes a PING that was written at a time which is not before the last one given, by much.
func (w *waits) begin(wrote time.Duration) { w.add(wrote, 1) }

// end notes that nobody waits for its PONG any more.
func (w *waits) end(wrote time.Duration) { w.add(wrote, -1) }

func (w *waits) add(wrote time.Duration, n int32) {
	slot := int64(wrote / w.width)
	w.reach(slot)
	if slot <= w.newest-waitSlots {
		w.older += int(n)
	} else {
		w.slots[slot%waitSlots] += n
	}
}

// reach has the ring end with a slot.
func (w *waits) reach(slot int64) {
	if slot-w.newest > waitSlots { // all of it is older
		w.newest = max(w.newest, slot-waitSlots)
		for i := range w.slots {
			w.older += int(w.slots[i])
			w.slots[i] = 0
		}
	}
	for w.newest < slot {
		w.newest++
		k := w.newest % waitSlots
		w.older += int(w.slots[k])
		w.slots[k] = 0
	}
}

// overdue is how many wait for longer than the limit, and for how long the first of them has, to a
// tenth of the limit, and up to a hundred limits.
func (w *waits) overdue(now time.Duration) (n int, oldest time.Duration) {
	w.reach(int64(now / w.width))
	n = w.older
	if n > 0 {
		oldest = waitSlots * w.width
	}
	for slot := max(w.newest-waitSlots+1, 0); slot < w.newest; slot++ {
		waiting := int(w.slots[slot%waitSlots])
		age := now - time.Duration(slot+1)*w.width // of the last that the slot can have
		if waiting == 0 {
			continue
		}
		if age < w.limit {
			break
		}
		n += waiting
		oldest = max(oldest, age)
	}
	return n, oldest
}
