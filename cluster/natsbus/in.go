package natsbus

import (
	"encoding/binary"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

// in is what has come and is not handled, in order. Two goroutines are between nats.go, which loses what is not
// taken at once, and who has subscribed, who may take a while.
type in struct {
	max    int64
	from   chan *nats.Msg
	losses atomic.Uint64 // NATS messages that had no room
	bytes  atomic.Int64
	subs   atomic.Pointer[map[string][]func([]byte)] // by subject; neither map nor lists are ever changed
	closed atomic.Bool

	mu    sync.Mutex
	all   []*nats.Msg
	wake  chan struct{}
	ended chan struct{} // closed when nobody is called any more
}

// inChannel is how many NATS messages may come within the moment that a goroutine takes to run.
const inChannel = 32 << 10

func newIn(max int) *in {
	i := &in{max: int64(max), from: make(chan *nats.Msg, inChannel), wake: make(chan struct{}, 1), ended: make(chan struct{})}
	i.subs.Store(&map[string][]func([]byte){})
	go i.collect()
	go i.handle()
	return i
}

// collect takes all there is at once.
func (i *in) collect() {
	defer close(i.wake)
	var came []*nats.Msg
	for m := range i.from {
		came = i.admit(came[:0], m)
		for more := len(i.from); more > 0; more-- {
			came = i.admit(came, <-i.from)
		}
		if len(came) == 0 {
			continue
		}
		i.mu.Lock()
		i.all = append(i.all, came...)
		i.mu.Unlock()
		clear(came)
		select {
		case i.wake <- struct{}{}:
		default:
		}
	}
}

// admit appends a message, if there is room.
func (i *in) admit(came []*nats.Msg, m *nats.Msg) []*nats.Msg {
	if m == nil { // the channel was closed
		return came
	}
	if len(m.Data) == 0 {
		return came // a probe
	}
	if size := int64(len(m.Data)); i.bytes.Add(size) > i.max {
		i.bytes.Add(-size)
		i.losses.Add(1)
		return came
	}
	return append(came, m)
}

func (i *in) handle() {
	defer close(i.ended)
	var taken []*nats.Msg
	for range i.wake {
		i.mu.Lock()
		taken, i.all = i.all, taken[:0]
		i.mu.Unlock()
		for _, m := range taken {
			i.split(m)
		}
		clear(taken)
	}
}

// split calls who has subscribed with each body of a NATS message.
func (i *in) split(m *nats.Msg) {
	defer i.bytes.Add(-int64(len(m.Data)))
	to := (*i.subs.Load())[m.Subject]
	for rest := m.Data; len(rest) > 0 && !i.closed.Load(); {
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

// add has f called from now on; first: nobody was before. One call at a time.
func (i *in) add(subject string, f func([]byte)) (first bool) {
	subs := maps.Clone(*i.subs.Load())
	was := subs[subject]
	subs[subject] = append(was[:len(was):len(was)], f)
	i.subs.Store(&subs)
	return len(was) == 0
}

// close ends it, and waits until nobody is called any more. The connection is closed: nothing comes.
func (i *in) close() {
	i.closed.Store(true)
	close(i.from)
	<-i.ended
}
