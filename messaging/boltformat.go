package messaging

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
)

// The file of Bolt, format 1. Numbers are big endian, times in ms.
//
//	bucket   key                  value
//	meta     "format"             u32
//	queue    user 0x00 key u64    checksum u32, due u64 (0), put u64, expires u64, body
//	delayed  user 0x00 key u64    checksum u32, due u64,     put u64, expires u64, body
//	due      due u64 key u64      user
//
// A name has no 0x00, so that all of a user lies together and names sort as their bytes do. The
// checksum is the low half of XXH64 over key and value. The sequence of bucket queue is the last Key.
const boltFormat = 1

var (
	bucketMeta    = []byte("meta")
	bucketQueue   = []byte("queue")
	bucketDelayed = []byte("delayed")
	bucketDue     = []byte("due")
	keyFormat     = []byte("format")
)

const boltHeader = 28 // of a value, before the body

// boltKey is a record's key in queue and delayed.
func boltKey(dst []byte, user string, k Key) []byte {
	return binary.BigEndian.AppendUint64(append(append(dst, user...), 0), uint64(k))
}

// splitKey is the reverse of boltKey.
func splitKey(b []byte) (user []byte, k Key, err error) {
	n := len(b) - 9
	if n < 1 || b[n] != 0 {
		return nil, 0, fmt.Errorf("%w: a key of %d bytes", ErrStoreDamaged, len(b))
	}
	return b[:n], Key(binary.BigEndian.Uint64(b[n+1:])), nil
}

// dueKey is a record's key in due.
func dueKey(dst []byte, due int64, k Key) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, uint64(due)), uint64(k))
}

// boltValue is a record's value under its key.
func boltValue(key []byte, r *Record) []byte {
	v := make([]byte, boltHeader, boltHeader+len(r.Body))
	if !r.Due.IsZero() {
		binary.BigEndian.PutUint64(v[4:], uint64(r.Due.UnixMilli()))
	}
	binary.BigEndian.PutUint64(v[12:], uint64(r.Put.UnixMilli()))
	binary.BigEndian.PutUint64(v[20:], uint64(r.Expires.UnixMilli()))
	v = append(v, r.Body...)
	binary.BigEndian.PutUint32(v, valueSum(key, v))
	return v
}

func valueSum(key, v []byte) uint32 {
	var d xxhash.Digest
	d.Reset()
	d.Write(key)
	d.Write(v[4:])
	return uint32(d.Sum64())
}

// readRecord returns the record at a key, with a copy of its body.
func readRecord(key, v []byte) (Record, error) {
	user, k, err := splitKey(key)
	if err != nil {
		return Record{}, err
	}
	if len(v) < boltHeader || binary.BigEndian.Uint32(v) != valueSum(key, v) {
		return Record{}, fmt.Errorf("%w: record %d of %q has a wrong checksum", ErrStoreDamaged, k, user)
	}
	ms := func(at int) time.Time { return time.UnixMilli(int64(binary.BigEndian.Uint64(v[at:]))) }
	r := Record{User: string(user), Key: k, Put: ms(12), Expires: ms(20), Body: bytes.Clone(v[boltHeader:])}
	if binary.BigEndian.Uint64(v[4:]) != 0 {
		r.Due = ms(4)
	}
	return r, nil
}
