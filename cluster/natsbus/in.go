package natsbus

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

// in is what has come and is not handled, in order. Two goroutines are between nats.go, which loses what is not
// taken at once, and who has subscribed, who may take a while.
type in struct {
	max    int
	from   chan *nats.Msg
	losses atomic.Uint64 // NATS messages that had no room

	mu     sync.Mutex
	all    []*nats.Msg
	bytes  int
	closed bool
	wake   *sync.Cond
	ended  chan struct{} // closed when nobody is called any more

	subs map[string][]func([]byte) // guarded by mu; lists are never written
}

// inChannel is how many NATS messages may come within the moment that a goroutine takes to run.
const inChannel = 16 << 10

func newIn(max int) *in {
	i := &in{max: max, from: make(chan *nats.Msg, inChannel), ended: make(chan struct{}), subs: make(map[string][]func([]byte))}
	i.wake = sync.NewCond(&i.mu)
	go i.collect()
	go i.handle()
	return i
}

func (i *in) collect() {
	for m := range i.from {
		i.mu.Lock()
		if i.bytes+len(m.Data) > i.max {
			i.losses.Add(1)
		} else {
			i.bytes += len(m.Data)
			i.all = append(i.all, m)
			i.wake.Signal()
		}
		i.mu.Unlock()
	}
	i.mu.Lock()
	i.closed = true
	i.wake.Signal()
	i.mu.Unlock()
}

func (i *in) handle() {
	defer close(i.ended)
	var taken []*nats.Msg
	for {
		i.mu.Lock()
		for len(i.all) == 0 && !i.closed {
			i.wake.Wait()
		}
		if i.closed {
			i.mu.Unlock()
			return
		}
		clear(taken)
		taken, i.all = i.all, taken[:0]
		i.mu.Unlock()
		for _, m := range taken {
			i.split(m)
		}
	}
}

// split calls who has subscribed with each body of a NATS message.
func (i *in) split(m *nats.Msg) {
	i.mu.Lock()
	i.bytes -= len(m.Data)
	to, closed := i.subs[m.Subject], i.closed
	i.mu.Unlock()
	for rest := m.Data; len(rest) > 0 && !closed; {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return // whoever wrote it is none of ours
		}
		body := rest[n : n+int(size) : n+int(size)]
		rest = rest[n+int(size):]
		for _, f := range to {
			f(body)
		}
	}
}

// add has f called from now on; first: nobody was before.
func (i *in) add(subject string, f func([]byte)) (first bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	was := i.subs[subject]
	i.subs[subject] = append(was[:len(was):len(was)], f)
	return len(was) == 0
}

// close ends it, and waits until nobody is called any more. The connection is closed: nothing comes.
func (i *in) close() {
	close(i.from)
	<-i.ended
}
