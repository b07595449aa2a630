package server

import (
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
)

// authWait holds the time for which clients wait for a worker within what they have patience
// for. A queue that is bounded in length alone is longer than that when the authenticator is
// slow, and then each worker takes a client that has no time left, for ever.
//
// Any goroutine may use it.
type authWait struct {
	limit   time.Duration // above it nobody may join those who wait
	timeout time.Duration // for wait and check together

	origin   time.Time
	answered atomic.Uint64 // checks of newcomers that came to an end
	moved    atomic.Int64  // when the first of those who wait was taken, or came to an empty queue, since origin
	behind   atomic.Int64  // how long the last one who was taken had waited, a time.Duration
	longest  atomic.Int64  // the most of them since the ticker looked
	took     atomic.Int64  // how long a check takes, smoothed
}

func newAuthWait(timeout time.Duration) authWait {
	return authWait{origin: time.Now(), timeout: timeout, limit: min(2*gate.LongWait, timeout/4)}
}

// long says that who joins now waits too long.
func (w *authWait) long() bool { return time.Duration(w.behind.Load()) > w.limit }

// join is told that somebody will wait, with so many before him.
func (w *authWait) join(before int) {
	if before == 0 {
		w.moved.Store(int64(time.Since(w.origin)))
	}
}

// begin is told that a worker has taken a client who may be checked until then. It is not ok
// if the check would come to nothing: the time that is left is not that of a check.
func (w *authWait) begin(until time.Time) (began time.Time, ok bool) {
	began = time.Now()
	left := until.Sub(began)
	w.moved.Store(int64(began.Sub(w.origin)))
	w.behind.Store(int64(w.timeout - left))
	raise(&w.longest, w.timeout-left)
	// Not more than half of what everybody has at first, or nobody would be checked again after
	// a slow spell.
	return began, left > min(time.Duration(w.took.Load()), w.timeout/2)
}

// end is told that a check has come to an end. A renewal is nobody who came in: the pace at which
// clients are let in follows those.
func (w *authWait) end(began time.Time, renewal bool) {
	took := w.took.Load()
	w.took.Store(took + (int64(time.Since(began))-took)/8) // of two at a time one may be lost
	if !renewal {
		w.answered.Add(1)
	}
}

// sample is what the ticker sees since it last looked, with so many who wait. If none of them
// is taken, since all workers hang, they wait all the same.
func (w *authWait) sample(waiting int) gate.Sample {
	waited := time.Duration(w.longest.Swap(0))
	if waiting > 0 {
		waited = max(waited, time.Since(w.origin)-time.Duration(w.moved.Load()))
	}
	return gate.Sample{Taken: w.answered.Load(), Waited: waited}
}
