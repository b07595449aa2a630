package messaging

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

func makeBuckets(tx *bbolt.Tx) error {
	if k, _ := tx.Cursor().First(); k != nil {
		return fmt.Errorf("%w: it has other contents", ErrStoreFormat)
	}
	for _, name := range [][]byte{bucketMeta, bucketQueue, bucketDelayed, bucketDue} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketMeta).Put(keyFormat, binary.BigEndian.AppendUint32(nil, boltFormat))
}

// readAll checks every record, and counts anew.
func (s *Bolt) readAll(tx *bbolt.Tx) error {
	meta, queue, delayed, due := tx.Bucket(bucketMeta), tx.Bucket(bucketQueue), tx.Bucket(bucketDelayed), tx.Bucket(bucketDue)
	if meta == nil {
		if k, _ := tx.Cursor().First(); k == nil {
			return nil // as a process left it that was killed while it made the file
		}
		return fmt.Errorf("%w: it has other contents", ErrStoreFormat)
	}
	if format := meta.Get(keyFormat); len(format) != 4 || binary.BigEndian.Uint32(format) != boltFormat {
		return fmt.Errorf("%w: format % x, this is %d", ErrStoreFormat, format, boltFormat)
	}
	if queue == nil || delayed == nil || due == nil {
		return fmt.Errorf("%w: a bucket is missing", ErrStoreDamaged)
	}
	counts := newTallies(s.counts.bounds)
	d := counts.draft()
	last := Key(queue.Sequence())
	err := each(queue, last, func(r *Record) error {
		if !r.Due.IsZero() {
			return fmt.Errorf("%w: record %d in the queue of %q has a time to wait for", ErrStoreDamaged, r.Key, r.User)
		}
		d.add(r.User, len(r.Body), false, r.Put.UnixMilli())
		return nil
	})
	if err != nil {
		return err
	}
	n := 0
	err = each(delayed, last, func(r *Record) error {
		if user := due.Get(dueKey(nil, r.Due.UnixMilli(), r.Key)); string(user) != r.User {
			return fmt.Errorf("%w: delayed record %d of %q is not among what is due", ErrStoreDamaged, r.Key, r.User)
		}
		n++
		d.add(r.User, len(r.Body), true, 0)
		return nil
	})
	if err != nil {
		return err
	}
	c := due.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n--
	}
	if n != 0 {
		return fmt.Errorf("%w: %d more are delayed than are due", ErrStoreDamaged, n)
	}
	d.publish()
	s.counts.replace(counts)
	s.read = tx.ID()
	return nil
}

// each reads all records of a bucket, whose keys ascend and are no later than last.
func each(b *bbolt.Bucket, last Key, visit func(*Record) error) error {
	var before []byte
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if bytes.Compare(before, k) >= 0 {
			return fmt.Errorf("%w: keys are not in order", ErrStoreDamaged)
		}
		before = append(before[:0], k...)
		r, err := readRecord(k, v)
		if err != nil {
			return err
		}
		if r.Key == 0 || r.Key > last {
			return fmt.Errorf("%w: record %d of %q, and the last was %d", ErrStoreDamaged, r.Key, r.User, last)
		}
		if err := visit(&r); err != nil {
			return err
		}
	}
	return nil
}
