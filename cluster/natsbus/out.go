package natsbus

import (
	"encoding/binary"
	"sync"

	"github.com/stormwheel/stormwheel/cluster"
)

// batchBytes is how much of one subject leaves as one NATS message, if more waits. Larger bodies leave alone.
const batchBytes = 64 << 10

// batch is a NATS message.
type batch struct {
	subject string
	body    []byte
}

// out is what waits to leave, in order. A goroutine takes it all at once, so that what came meanwhile leaves together.
type out struct {
	max int

	mu     sync.Mutex
	all    []batch
	spare  [][]byte // memory of batches that have left
	bytes  int
	closed bool

	wake chan struct{}
}

func newOut(max int) *out { return &out{max: max, wake: make(chan struct{}, 1)} }

// put queues body, which it copies.
func (o *out) put(subject string, body []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := len(body) + binary.MaxVarintLen32
	switch {
	case o.closed:
		return cluster.ErrClosed
	case o.bytes+size > o.max:
		return cluster.ErrBusy
	}
	o.bytes += size
	last := len(o.all) - 1
	if last < 0 || o.all[last].subject != subject || len(o.all[last].body)+size > batchBytes {
		o.all = append(o.all, batch{subject: subject, body: o.room()})
		last++
	}
	b := &o.all[last]
	b.body = binary.AppendUvarint(b.body, uint64(len(body)))
	b.body = append(b.body, body...)
	if last == 0 {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// waiting is how many bytes wait to leave.
func (o *out) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

// room is memory of a batch that has left, or none.
func (o *out) room() []byte {
	n := len(o.spare) - 1
	if n < 0 {
		return nil
	}
	b := o.spare[n]
	o.spare = o.spare[:n]
	return b
}

// maxSpare bounds the batches whose memory is kept, 2 MiB.
const maxSpare = 32

// take returns all that waits; left is what take returned before, whose memory is of use again.
func (o *out) take(left []batch) []batch {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range left {
		if b := left[i].body; cap(b) <= 2*batchBytes && len(o.spare) < maxSpare {
			o.spare = append(o.spare, b[:0])
		}
	}
	clear(left)
	taken := o.all
	o.all, o.bytes = left[:0], 0
	return taken
}

// close refuses what comes from now on; what waits is still to be taken.
func (o *out) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		close(o.wake)
	}
}
