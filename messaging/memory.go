package messaging

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is a Store in memory. It is volatile: what it holds is lost with the process, and a sender is
// told "held", never "durable".
type Memory struct {
	counts *tallies

	mu     sync.Mutex
	last   Key
	queues map[string]*memoryQueue // of those for whom something waits
	due    delayedHeap
	names  []string // of queues, in order, as of the latest beginning of a walk
	stale  bool     // names lack somebody
	closed bool
}

// memoryQueue is one user's.
type memoryQueue struct {
	records []memoryRecord // in the order of key
	delayed []*delayedRecord
}

// memoryRecord has 48 bytes, so that with the slack of a slice it is within RecordCost.
type memoryRecord struct {
	key          Key
	put, expires int64 // ms
	body         []byte
}

// NewMemory returns an empty store.
func NewMemory(b Bounds) *Memory {
	return &Memory{counts: newTallies(b), queues: make(map[string]*memoryQueue)}
}

// Total tells how many records there are, delayed ones included, and their bytes as Bounds count.
func (m *Memory) Total() (records int, bytes int64) { return m.counts.total() }

// Durable is false.
func (m *Memory) Durable() bool { return false }

// enter locks m unless ctx has ended or m is closed.
func (m *Memory) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return ErrStoreClosed
	}
	return nil
}

// Put does as Store says.
func (m *Memory) Put(ctx context.Context, batch []Record) error {
	if err := CheckBatch(batch); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	d := m.counts.draft()
	for i := range batch {
		m.put(d, &batch[i])
	}
	d.publish()
	return nil
}

func (m *Memory) put(d *draft, r *Record) {
	r.Key, r.Refused = 0, nil
	q := m.queues[r.User]
	if r.Was != 0 {
		if !q.dropDelayed(m, d, r.User, r.Was) {
			return
		}
	} else if r.Refused = d.admit(r); r.Refused != nil {
		return
	}
	if q == nil {
		q = new(memoryQueue)
		m.queues[r.User] = q
		m.stale = true
	}
	m.last++
	r.Key = m.last
	rec := memoryRecord{key: r.Key, put: r.Put.UnixMilli(), expires: r.Expires.UnixMilli(), body: r.Body}
	if rec.body == nil {
		rec.body = []byte{} // nil is for what is dropped
	}
	if r.Due.IsZero() {
		q.records = append(q.records, rec)
	} else {
		late := &delayedRecord{memoryRecord: rec, user: r.User, due: r.Due.UnixMilli()}
		q.delayed = append(q.delayed, late)
		heap.Push(&m.due, late)
	}
	d.add(r.User, len(r.Body), !r.Due.IsZero(), rec.put)
}

// find is where a key is, or would be.
func (q *memoryQueue) find(k Key) (int, bool) {
	return slices.BinarySearchFunc(q.records, k, func(r memoryRecord, k Key) int { return cmp.Compare(r.key, k) })
}

// dropDelayed forgets a delayed record and tells whether it was there. q may be nil.
func (q *memoryQueue) dropDelayed(m *Memory, d *draft, user string, k Key) bool {
	if q == nil {
		return false
	}
	i := slices.IndexFunc(q.delayed, func(r *delayedRecord) bool { return r.key == k })
	if i < 0 {
		return false
	}
	r := q.delayed[i]
	q.delayed = slices.Delete(q.delayed, i, i+1)
	heap.Remove(&m.due, r.index)
	d.remove(user, len(r.body), true)
	return true
}

// Drop does as Store says.
func (m *Memory) Drop(ctx context.Context, user string, keys []Key) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	q := m.queues[user]
	if q == nil {
		return nil
	}
	d := m.counts.draft()
	gone := 0
	for _, k := range keys {
		if i, ok := q.find(k); ok && q.records[i].body != nil {
			d.remove(user, len(q.records[i].body), false)
			q.records[i].body = nil // until the sweep below
			gone++
		} else if !ok {
			q.dropDelayed(m, d, user, k)
		}
	}
	if gone > 0 {
		q.sweep()
	}
	if len(q.records) > 0 {
		d.first(user, q.records[0].put)
	}
	if len(q.records) == 0 && len(q.delayed) == 0 {
		delete(m.queues, user)
		m.stale = true
	}
	d.publish()
	return nil
}

// sweep removes what has no body. A queue that has become much shorter gives its memory back.
func (q *memoryQueue) sweep() {
	q.records = slices.DeleteFunc(q.records, func(r memoryRecord) bool { return r.body == nil })
	if cap(q.records) > 16 && len(q.records) < cap(q.records)/4 {
		q.records = slices.Clone(q.records)
	}
}

// Next does as Store says.
func (m *Memory) Next(ctx context.Context, user string, after Key, max int) ([]Record, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	q := m.queues[user]
	if q == nil {
		return nil, nil
	}
	i, _ := q.find(after + 1)
	var page page
	for ; i < len(q.records) && page.wants(max, len(q.records[i].body)); i++ {
		page.add(q.records[i].record(user))
	}
	return page.records, nil
}

func (r *memoryRecord) record(user string) Record {
	return Record{User: user, Key: r.key, Put: time.UnixMilli(r.put), Expires: time.UnixMilli(r.expires), Body: slices.Clone(r.body)}
}

// Users does as Store says.
func (m *Memory) Users(ctx context.Context, after string, max int) ([]Waiting, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if after == "" && m.stale { // who walks on finds at least whom the walk began with
		m.names = m.names[:0]
		for name := range m.queues {
			m.names = append(m.names, name)
		}
		slices.Sort(m.names)
		m.stale = false
	}
	i, found := slices.BinarySearch(m.names, after)
	if found {
		i++
	}
	var all []Waiting
	for ; i < len(m.names) && len(all) < max; i++ {
		if m.queues[m.names[i]] != nil {
			all = append(all, m.counts.waiting(m.names[i]))
		}
	}
	return all, nil
}

// Due does as Store says.
func (m *Memory) Due(ctx context.Context, until time.Time, after Moment, max int) ([]Record, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var page page
	for _, r := range m.due.until(until.UnixMilli(), after) {
		if !page.wants(max, len(r.body)) {
			break
		}
		rec := r.record(r.user)
		rec.Due = time.UnixMilli(r.due)
		page.add(rec)
	}
	return page.records, nil
}

// Waiting does as Store says.
func (m *Memory) Waiting(user string) Waiting { return m.counts.waiting(user) }

// Close forgets everything.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.queues, m.due, m.names = nil, nil, nil
	return nil
}
