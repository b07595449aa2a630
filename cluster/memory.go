package cluster

import (
	"bytes"
	"slices"
	"sync"
	"time"
)

// Memory connects nodes of one process, for tests: each takes a Bus of it. Faults may be set at any time, and hold for what
// is published from then on. The zero value is ready. Any goroutine may use it.
type Memory struct {
	mu    sync.Mutex
	buses []*memoryBus
	cut   map[way]bool
	delay map[way]time.Duration
	drop  func(from, to, subject string, body []byte) bool
}

// way is from one node to another; an empty name is any.
type way struct{ from, to string }

// Bus returns the bus of a node, which has its name for the faults and for Watch. A node that starts anew takes a new one.
func (m *Memory) Bus(node string) Bus {
	b := &memoryBus{net: m, node: node, subs: make(map[string][]func([]byte)), wake: make(chan struct{}, 1), ended: make(chan struct{})}
	m.mu.Lock()
	m.buses = append(m.buses, b)
	m.mu.Unlock()
	go b.run()
	return b
}

// Cut loses what a node publishes for another from now on, one way. Who watches the other is told, at either end.
func (m *Memory) Cut(from, to string) {
	m.mu.Lock()
	if m.cut == nil {
		m.cut = make(map[way]bool)
	}
	m.cut[way{from, to}] = true
	tell := m.lost(from, to)
	m.mu.Unlock()
	tell()
}

// Silence loses what a node publishes for another, as Cut does, but that nobody is told: as if the way had been cut without a word.
func (m *Memory) Silence(from, to string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cut == nil {
		m.cut = make(map[way]bool)
	}
	m.cut[way{from, to}] = true
}

// Split cuts all ways between the nodes of one side and those of the other.
func (m *Memory) Split(side, other []string) {
	for _, a := range side {
		for _, b := range other {
			m.Cut(a, b)
			m.Cut(b, a)
		}
	}
}

// Heal ends all cuts.
func (m *Memory) Heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cut = nil
}

// Delay has what a node publishes for another come after d; an empty name is any node. Their order stays.
func (m *Memory) Delay(from, to string, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.delay == nil {
		m.delay = make(map[way]time.Duration)
	}
	m.delay[way{from, to}] = d
}

// Drop has lose asked of each message that would arrive, and loses those that it says yes to; nil: none. It must not
// use the bus.
func (m *Memory) Drop(lose func(from, to, subject string, body []byte) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop = lose
}

// lost returns what tells those who watch a node at the other end. With the lock held.
func (m *Memory) lost(a, b string) (tell func()) {
	var all []func()
	for _, bus := range m.buses {
		if bus.node == a {
			all = append(all, bus.forget(b)...)
		} else if bus.node == b {
			all = append(all, bus.forget(a)...)
		}
	}
	return func() {
		for _, f := range all {
			go f()
		}
	}
}

// due is when a message of one node comes to another, after now; false: never. With the lock held.
func (m *Memory) due(from, to, subject string, body []byte) (after time.Duration, ok bool) {
	if m.cut[way{from, to}] || m.drop != nil && m.drop(from, to, subject, body) {
		return 0, false
	}
	for _, w := range []way{{from, to}, {from, ""}, {"", to}, {}} {
		if d, set := m.delay[w]; set {
			return d, true
		}
	}
	return 0, true
}

// memoryBus is one node's.
type memoryBus struct {
	net  *Memory
	node string

	mu      sync.Mutex // behind the network's
	subs    map[string][]func([]byte)
	queue   []inMemory // by when they are due, and in order
	watched []*watch
	closed  bool

	wake  chan struct{}
	ended chan struct{}
}

type inMemory struct {
	from, subject string
	body          []byte
	at            time.Time
}

type watch struct {
	node string
	lost func()
}

// Publish implements Bus.
func (b *memoryBus) Publish(subject string, body []byte) error {
	b.net.mu.Lock()
	defer b.net.mu.Unlock()
	if b.isClosed() {
		return ErrClosed
	}
	now, copied := time.Now(), bytes.Clone(body)
	for _, to := range b.net.buses {
		if to == b {
			continue
		}
		if after, ok := b.net.due(b.node, to.node, subject, body); ok {
			to.put(inMemory{from: b.node, subject: subject, body: copied, at: now.Add(after)})
		}
	}
	return nil
}

func (b *memoryBus) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// put queues a message, behind those of the same sender.
func (b *memoryBus) put(m inMemory) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.subs[m.subject]) == 0 {
		return
	}
	at := len(b.queue)
	for at > 0 && b.queue[at-1].at.After(m.at) && b.queue[at-1].from != m.from {
		at--
	}
	if at > 0 && b.queue[at-1].at.After(m.at) {
		m.at = b.queue[at-1].at // its delay became shorter
	}
	b.queue = slices.Insert(b.queue, at, m)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take takes what is due; if that is nothing, wait is until when, 0: until there is more.
func (b *memoryBus) take() (due []inMemory, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(b.queue) && !b.queue[n].at.After(now) {
		n++
	}
	if n == 0 && len(b.queue) > 0 {
		return nil, b.queue[0].at.Sub(now)
	}
	due = slices.Clone(b.queue[:n])
	b.queue = slices.Delete(b.queue, 0, n)
	return due, 0
}

func (b *memoryBus) subscribers(subject string) []func([]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	return b.subs[subject]
}

// run calls who has subscribed.
func (b *memoryBus) run() {
	for {
		due, wait := b.take()
		for _, m := range due {
			for _, f := range b.subscribers(m.subject) {
				f(m.body)
			}
		}
		if len(due) > 0 {
			continue
		}
		var later <-chan time.Time
		if wait > 0 {
			later = time.After(wait)
		}
		select {
		case <-b.wake:
		case <-later:
		case <-b.ended:
			return
		}
	}
}

// Subscribe implements Bus.
func (b *memoryBus) Subscribe(subject string, f func([]byte)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.subs[subject] = append(slices.Clone(b.subs[subject]), f)
	return nil
}

// Watch implements Bus.
func (b *memoryBus) Watch(node string, lost func()) (stop func()) {
	w := &watch{node, lost}
	b.mu.Lock()
	b.watched = append(b.watched, w)
	b.mu.Unlock()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.watched = slices.DeleteFunc(b.watched, func(other *watch) bool { return other == w })
	}
}

// forget takes those who watch a node.
func (b *memoryBus) forget(node string) (told []func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watched = slices.DeleteFunc(b.watched, func(w *watch) bool {
		if w.node == node {
			told = append(told, w.lost)
		}
		return w.node == node
	})
	return told
}

// Close implements Bus. Others are told that the node is gone.
func (b *memoryBus) Close() error {
	b.net.mu.Lock()
	b.mu.Lock()
	was := b.closed
	b.closed = true
	b.mu.Unlock()
	b.net.buses = slices.DeleteFunc(b.net.buses, func(other *memoryBus) bool { return other == b })
	var all []func()
	for _, other := range b.net.buses {
		all = append(all, other.forget(b.node)...)
	}
	b.net.mu.Unlock()
	if was {
		return nil
	}
	for _, f := range all {
		go f()
	}
	close(b.ended)
	return nil
}
