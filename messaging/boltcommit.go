package messaging

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// maxCommit is how many records one commit takes, about: what comes in one Put stays together.
	maxCommit = 1024
	// commitEvery is the least time between the beginnings of two commits while several callers ask. Most of what a small
	// commit takes is its fsyncs and the pages above its records, so that commits as fast as they can be
	// keep a processor and the disk busy with a few records each, and are late when either is not at hand.
	// One caller alone, who waits for each, does not wait for this as well.
	commitEvery = 2 * time.Millisecond
)

// boltOp is one call of Put or Drop.
type boltOp struct {
	records []Record // a copy, for Put
	user    string   // for Drop
	keys    []Key

	state atomic.Uint32
	done  chan error // 1
}

// An op is waiting until the committer takes it or its caller withdraws it.
const (
	opWaiting = iota
	opTaken
	opWithdrawn
)

// Put does as Store says.
func (s *Bolt) Put(ctx context.Context, batch []Record) error {
	if err := CheckBatch(batch); err != nil {
		return err
	}
	if len(batch) == 0 {
		return ctx.Err()
	}
	op := &boltOp{records: slices.Clone(batch)}
	if err := s.do(ctx, op); err != nil {
		return err
	}
	for i := range batch {
		batch[i].Key, batch[i].Refused = op.records[i].Key, op.records[i].Refused
	}
	return nil
}

// Drop does as Store says.
func (s *Bolt) Drop(ctx context.Context, user string, keys []Key) error {
	return s.do(ctx, &boltOp{user: user, keys: slices.Clone(keys)})
}

// do hands an op to the committer and waits for it.
func (s *Bolt) do(ctx context.Context, op *boltOp) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	op.done = make(chan error, 1)
	s.mu.Lock()
	if err := s.usable(); err != nil {
		s.mu.Unlock()
		return err
	}
	s.pending = append(s.pending, op)
	s.mu.Unlock()
	s.stir()
	select {
	case err := <-op.done:
		return err
	case <-ctx.Done():
		if op.state.CompareAndSwap(opWaiting, opWithdrawn) {
			op.records, op.keys = nil, nil // a disk that stalls shall not hold them
		}
		return ctx.Err()
	}
}

// usable is called with mu held.
func (s *Bolt) usable() error {
	if s.closed {
		return ErrStoreClosed
	}
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// stir wakes the committer.
func (s *Bolt) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// commitAll is the committer: while it commits, and for commitEvery at least, ops gather for its next commit.
func (s *Bolt) commitAll() {
	defer close(s.ended)
	for {
		ops, closed := s.take()
		switch {
		case len(ops) > 0:
			began := time.Now()
			err := s.commit(ops)
			for _, op := range ops {
				op.done <- err
			}
			if !closed {
				time.Sleep(untilNext(len(ops), time.Since(began)))
			}
		case closed:
			return
		default:
			<-s.wake
		}
	}
}

// untilNext is how long the committer waits behind a commit of so many ops that took so long.
func untilNext(ops int, took time.Duration) time.Duration {
	if ops < 2 {
		return 0
	}
	return max(commitEvery-took, 0)
}

// take returns the ops of the next commit, in the order in which they came.
func (s *Bolt) take() (ops []*boltOp, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, records := 0, 0
	for n < len(s.pending) && records < maxCommit {
		op := s.pending[n]
		n++
		if op.state.CompareAndSwap(opWaiting, opTaken) {
			ops = append(ops, op)
			records += len(op.records) + len(op.keys)
		}
	}
	s.pending = slices.Delete(s.pending, 0, n)
	s.took += len(ops)
	return ops, s.closed
}

// commit writes ops in one transaction: all or none.
func (s *Bolt) commit(ops []*boltOp) error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return s.wrap(s.guard(func() error {
		tx, err := s.db.Begin(true)
		if err != nil {
			return err
		}
		s.grow(tx.Size())
		// A panic leaves tx open: to roll it back would read damaged pages again, where nobody recovers.
		w := writeTx{s.counts.draft(), tx.Bucket(bucketQueue), tx.Bucket(bucketDelayed), tx.Bucket(bucketDue), nil}
		for _, op := range ops {
			if err := w.do(op); err != nil {
				if !isDamage(err) {
					tx.Rollback()
				}
				return err
			}
		}
		if err := tx.Commit(); err != nil {
			// It has rolled back, but where only the last sync failed the next transaction sees this one.
			if again := s.db.View(s.readAll); again != nil {
				s.fail(again)
			}
			return err
		}
		w.counts.publish()
		return nil
	}))
}

// writeTx is a transaction that ops are written in.
type writeTx struct {
	counts              *draft
	queue, delayed, due *bbolt.Bucket
	buf                 []byte
}

func (w *writeTx) do(op *boltOp) error {
	for i := range op.records {
		if err := w.put(&op.records[i]); err != nil {
			return err
		}
	}
	return w.drop(op.user, op.keys)
}

func (w *writeTx) put(r *Record) error {
	r.Key, r.Refused = 0, nil
	if r.Was != 0 {
		if was, err := w.dropDelayed(r.User, r.Was); err != nil || !was {
			return err
		}
	} else if r.Refused = w.counts.admit(r); r.Refused != nil {
		return nil
	}
	seq, err := w.queue.NextSequence()
	if err != nil {
		return err
	}
	r.Key = Key(seq)
	key := boltKey(nil, r.User, r.Key) // bbolt keeps it until the commit
	into := w.queue
	if !r.Due.IsZero() {
		into = w.delayed
		if err := w.due.Put(dueKey(nil, r.Due.UnixMilli(), r.Key), []byte(r.User)); err != nil {
			return err
		}
	}
	w.counts.add(r.User, len(r.Body), !r.Due.IsZero(), r.Put.UnixMilli())
	return into.Put(key, boltValue(key, r))
}

func (w *writeTx) drop(user string, keys []Key) error {
	if len(keys) == 0 {
		return nil
	}
	for _, k := range keys {
		w.buf = boltKey(w.buf[:0], user, k)
		v := w.queue.Get(w.buf)
		if v == nil {
			if _, err := w.dropDelayed(user, k); err != nil {
				return err
			}
			continue
		}
		w.counts.remove(user, len(v)-boltHeader, false)
		if err := w.queue.Delete(w.buf); err != nil {
			return err
		}
	}
	if w.counts.user(user).records > 0 {
		r, err := readRecord(w.queue.Cursor().Seek(boltKey(nil, user, 0)))
		if err != nil {
			return err
		}
		w.counts.first(user, r.Put.UnixMilli())
	}
	return nil
}

// dropDelayed tells whether there was such a record.
func (w *writeTx) dropDelayed(user string, k Key) (bool, error) {
	key := boltKey(nil, user, k)
	v := w.delayed.Get(key)
	if v == nil {
		return false, nil
	}
	r, err := readRecord(key, v)
	if err != nil {
		return false, err
	}
	w.counts.remove(user, len(r.Body), true)
	if err := w.due.Delete(dueKey(nil, r.Due.UnixMilli(), k)); err != nil {
		return false, err
	}
	return true, w.delayed.Delete(key)
}
