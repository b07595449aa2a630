package messaging

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	boltErrors "go.etcd.io/bbolt/errors"
)

func isDamage(err error) bool { return errors.Is(err, ErrStoreDamaged) }

// view runs a transaction that reads.
func (s *Bolt) view(ctx context.Context, f func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	err := s.usable()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	err = s.guard(func() error { return s.db.View(f) })
	if errors.Is(err, boltErrors.ErrDatabaseNotOpen) {
		return ErrStoreClosed // meanwhile
	}
	return s.wrap(err)
}

// Next does as Store says.
func (s *Bolt) Next(ctx context.Context, user string, after Key, max int) ([]Record, error) {
	var page page
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketQueue).Cursor()
		from := boltKey(nil, user, after+1)
		prefix := from[:len(from)-8]
		for k, v := c.Seek(from); bytes.HasPrefix(k, prefix) && len(k) == len(from) && page.wants(max, len(v)-boltHeader); k, v = c.Next() {
			r, err := readRecord(k, v)
			if err != nil {
				return err
			}
			page.add(r)
		}
		return nil
	})
	return page.records, err
}

// Users does as Store says.
func (s *Bolt) Users(ctx context.Context, after string, max int) ([]Waiting, error) {
	var all []Waiting
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		queue, delayed := tx.Bucket(bucketQueue).Cursor(), tx.Bucket(bucketDelayed).Cursor()
		for len(all) < max {
			a, err := nextUser(queue, after)
			if err != nil {
				return err
			}
			b, err := nextUser(delayed, after)
			if err != nil {
				return err
			}
			if a == "" || b != "" && b < a {
				a = b
			}
			if a == "" {
				return nil
			}
			after = a
			if w := s.counts.waiting(a); w.Records+w.Delayed > 0 { // else dropped since tx began
				all = append(all, w)
			}
		}
		return nil
	})
	return all, err
}

// nextUser is the first user of whom there is something behind a name; "" for none.
func nextUser(c *bbolt.Cursor, after string) (string, error) {
	k, _ := c.Seek(append([]byte(after), 1)) // behind all of after's keys, and before any other name
	if k == nil {
		return "", nil
	}
	user, _, err := splitKey(k)
	return string(user), err
}

// Due does as Store says.
func (s *Bolt) Due(ctx context.Context, until time.Time, after Moment, max int) ([]Record, error) {
	var page page
	end := until.UnixMilli()
	if end <= 0 {
		return nil, ctx.Err()
	}
	from := make([]byte, 16)
	if !after.Due.IsZero() {
		from = dueKey(from[:0], after.Due.UnixMilli(), after.Key+1)
	}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		delayed := tx.Bucket(bucketDelayed)
		c := tx.Bucket(bucketDue).Cursor()
		for k, user := c.Seek(from); len(k) == 16 && binary.BigEndian.Uint64(k) <= uint64(end); k, user = c.Next() {
			key := boltKey(nil, string(user), Key(binary.BigEndian.Uint64(k[8:])))
			v := delayed.Get(key)
			if v == nil {
				return fmt.Errorf("%w: what is due is not there", ErrStoreDamaged)
			}
			if !page.wants(max, len(v)-boltHeader) {
				return nil
			}
			r, err := readRecord(key, v)
			if err != nil {
				return err
			}
			page.add(r)
		}
		return nil
	})
	return page.records, err
}
