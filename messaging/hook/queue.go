package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Events go out in batches, one after the other: while one is under way the next collects. A batch is
// sent until it is taken, with the same id and the same body, so that the order is that of the events.
const (
	maxBatchEvents = 256
	maxBatchBytes  = 256 << 10
	reportTime     = 10 * time.Second // for an answer
	firstBackoff   = 500 * time.Millisecond
	lastBackoff    = 30 * time.Second
	closeBackoff   = time.Second // longest while the node ends
	maxUnreadable  = 10          // tries of a batch that the back end says it cannot read
	eventCost      = 64          // bytes that an event counts beside its body
)

// queue are the events that wait.
type queue struct {
	b *BackEnd

	mu      sync.Mutex
	waiting []numbered
	bytes   int
	number  uint64 // of the latest event
	dropped uint64
	flight  int  // events of the batch under way
	closed  bool // nothing comes any more

	sent, batches, failures uint64

	once    sync.Once // close
	wake    chan struct{}
	closing chan struct{}
	ended   chan struct{} // nil: not started
	cancel  context.CancelFunc
}

// numbered is an event and its place in the order of all.
type numbered struct {
	number uint64
	body   []byte
}

func (q *queue) init(b *BackEnd) {
	q.b = b
	q.wake, q.closing = make(chan struct{}, 1), make(chan struct{})
	q.tellNode(nodeStarted)
}

// tellNode tells an event of the node itself, if the back end is told any.
func (q *queue) tellNode(kind string) {
	if len(q.b.cfg.Events) > 0 {
		body, _ := encode(event{Type: kind, Time: timeText(time.Now())})
		q.add(body)
	}
}

// add puts an event behind the others. If there is no room, the oldest of them are dropped.
func (q *queue) add(body []byte) {
	q.mu.Lock()
	q.number++
	if q.closed {
		q.dropped++
	} else {
		q.waiting = append(q.waiting, numbered{q.number, body})
		q.bytes += len(body) + eventCost
	}
	n := 0
	for n < len(q.waiting) && (len(q.waiting)-n > q.b.cfg.MaxQueued || q.bytes > q.b.cfg.MaxQueuedBytes) {
		q.bytes -= len(q.waiting[n].body) + eventCost
		q.waiting[n].body = nil
		n++
	}
	q.waiting = q.waiting[n:]
	q.dropped += uint64(n)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take makes a batch of the oldest events. The body is nil if there are none.
func (q *queue) take() (body []byte) {
	q.mu.Lock()
	n, size := 0, 0
	for n < min(len(q.waiting), maxBatchEvents) && (n == 0 || size+len(q.waiting[n].body) <= maxBatchBytes) {
		size += len(q.waiting[n].body)
		n++
	}
	events := slices.Clone(q.waiting[:n])
	clear(q.waiting[:n])
	if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	for _, e := range events {
		q.bytes -= len(e.body) + eventCost
	}
	q.flight = n
	batch := batch{Boot: q.b.boot, Dropped: q.dropped}
	q.mu.Unlock()
	if n == 0 {
		return nil
	}
	for _, e := range events {
		batch.Events = append(batch.Events, e.json())
	}
	body, _ = q.b.body("events", batch)
	return body
}

// batch is the data of a call about events.
type batch struct {
	Boot    string            `json:"boot"`
	Dropped uint64            `json:"dropped"` // of this boot so far
	Events  []json.RawMessage `json:"events"`
}

// json is the event with its number in front.
func (e *numbered) json() json.RawMessage {
	out := append([]byte(`{"seq":`), strconv.FormatUint(e.number, 10)...)
	return append(append(out, ','), e.body[1:]...)
}

func (q *queue) start() {
	ctx, cancel := context.WithCancel(context.Background())
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended != nil || q.closed {
		cancel()
		return
	}
	q.cancel, q.ended = cancel, make(chan struct{})
	go q.run(ctx)
}

// run sends until the queue is closed and empty, or ctx ends.
func (q *queue) run(ctx context.Context) {
	defer close(q.ended)
	for ctx.Err() == nil {
		body := q.take()
		if body != nil {
			q.send(ctx, body)
			continue
		}
		if q.isOver() {
			return
		}
		select {
		case <-q.wake:
		case <-q.closing:
		case <-ctx.Done():
		}
	}
}

// isOver tells that nothing waits, and nothing comes any more.
func (q *queue) isOver() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && len(q.waiting) == 0
}

// send sends a batch until it is taken, or ctx ends, or the back end cannot read it.
func (q *queue) send(ctx context.Context, body []byte) {
	id := q.b.nextID()
	for tries := 1; ; tries++ {
		_, err := q.b.reports.post(ctx, id, body)
		q.b.reports.count.end(err)
		if err == nil {
			q.wasSent()
			return
		}
		if ctx.Err() != nil {
			return
		}
		var status *statusError
		told := errors.As(err, &status)
		if told && unreadable(status.status) && tries >= maxUnreadable {
			q.giveUp(err)
			return
		}
		wait := backoff(tries, rand.Float64())
		if told {
			wait = max(wait, status.after)
		}
		q.failed(err, wait)
		q.pause(ctx, wait)
	}
}

// unreadable tells whether a status says that the body is what is wrong: another time will not help.
func unreadable(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity
}

// backoff is the time until the next try: it doubles, and chance, from 0 to 1, takes off up to half.
func backoff(tries int, chance float64) time.Duration {
	d := lastBackoff
	if tries < 16 {
		d = min(firstBackoff<<(tries-1), lastBackoff)
	}
	return d - time.Duration(chance*float64(d)/2)
}

// pause waits; while the node ends it does so for a second at most.
func (q *queue) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return
	case <-ctx.Done():
		return
	case <-q.closing:
	}
	last := time.NewTimer(min(wait, closeBackoff))
	defer last.Stop()
	select {
	case <-last.C:
	case <-ctx.Done():
	}
}

func (q *queue) wasSent() {
	q.mu.Lock()
	q.batches++
	q.sent += uint64(q.flight)
	q.flight = 0
	q.mu.Unlock()
}

func (q *queue) giveUp(err error) {
	q.mu.Lock()
	n := q.flight
	q.dropped += uint64(n)
	q.flight = 0
	q.mu.Unlock()
	q.b.cfg.Logger.Error("the back end cannot read a batch of events, which is dropped", "events", n, "err", err)
}

func (q *queue) failed(err error, wait time.Duration) {
	q.mu.Lock()
	q.failures++
	waiting, dropped := len(q.waiting)+q.flight, q.dropped
	q.mu.Unlock()
	q.b.cfg.Logger.Warn("events wait for the back end", "err", err, "again_in", wait.Round(time.Millisecond), "events", waiting, "dropped", dropped)
}

// close tells that the node stops, and waits until all is sent, or ctx ends.
func (q *queue) close(ctx context.Context) error {
	q.once.Do(func() {
		q.tellNode(nodeStopped)
		q.mu.Lock()
		q.closed = true
		q.mu.Unlock()
		close(q.closing)
	})
	q.mu.Lock()
	ended, cancel := q.ended, q.cancel
	q.mu.Unlock()
	if ended != nil {
		select {
		case <-ended:
		case <-ctx.Done():
		}
		cancel()
		<-ended
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if left := len(q.waiting) + q.flight; left > 0 && ended != nil {
		return fmt.Errorf("hook: %d events were not told", left)
	}
	return nil
}
