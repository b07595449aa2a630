package peer

import "encoding/binary"

// A record is a login or a logout: its kind, the length of what follows, and that. What follows the
// fields that are known is skipped, and so is a record of a kind that is not known, but it counts: records
// are numbered one after the other.
//
//	kind 1, length 2, stamp 8, incarnation 8, length 1, client id, length 1, user, attempt 4

// recordKind tells records apart.
type recordKind uint8

const (
	recordLogin  recordKind = 1
	recordLogout recordKind = 2
)

const (
	recordHead  = 3
	recordFixed = 16 // stamp and incarnation
	maxText     = 255
	recordTail  = 4 // attempt
	maxRecord   = recordHead + recordFixed + 2*(1+maxText) + recordTail

	// sealBytes is the size of a batch of records that waits for no more, and of an answer.
	sealBytes = 64 << 10
)

func appendRecord(dst []byte, k recordKind, s *session) []byte {
	size := recordFixed + 2 + len(s.id) + len(s.user) + recordTail
	dst = append(dst, byte(k))
	dst = binary.BigEndian.AppendUint16(dst, uint16(size))
	dst = binary.BigEndian.AppendUint64(dst, s.stamp)
	dst = binary.BigEndian.AppendUint64(dst, s.incarnation)
	dst = append(dst, byte(len(s.id)))
	dst = append(dst, s.id...)
	dst = append(dst, byte(len(s.user)))
	dst = append(dst, s.user...)
	return binary.BigEndian.AppendUint32(dst, s.attempt)
}

// record is one that was received; its texts are views.
type record struct {
	kind recordKind
	Claim
}

// nextRecord cuts the first record off b, which is not empty. size is 0 if there is none.
func nextRecord(b []byte) (body []byte, k recordKind, size int) {
	if len(b) < recordHead {
		return nil, 0, 0
	}
	size = recordHead + int(binary.BigEndian.Uint16(b[1:]))
	if len(b) < size {
		return nil, 0, 0
	}
	return b[recordHead:size], recordKind(b[0]), size
}

// parseRecord reads what nextRecord has cut off. A record of an unknown kind has only that.
func parseRecord(body []byte, k recordKind) (r record, err error) {
	r.kind = k
	if k != recordLogin && k != recordLogout {
		return r, nil
	}
	if len(body) < recordFixed {
		return r, errMalformed
	}
	r.Stamp, r.Incarnation = binary.BigEndian.Uint64(body), binary.BigEndian.Uint64(body[8:])
	rest := body[recordFixed:]
	if r.ID, rest, err = cutText(rest); err != nil {
		return r, err
	}
	r.User, rest, err = cutText(rest)
	if len(rest) >= recordTail { // who told none is of an earlier version
		r.Attempt = binary.BigEndian.Uint32(rest)
	}
	if err != nil || len(r.ID) == 0 || r.Stamp == 0 || r.Stamp>>numberBits > maxClock {
		return r, errMalformed
	}
	return r, nil
}

func cutText(b []byte) (text, rest []byte, err error) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil, nil, errMalformed
	}
	return b[1 : 1+b[0]], b[1+b[0]:], nil
}

// countRecords reads all of b before anything is done with it.
func countRecords(b []byte) (n uint64, err error) {
	for len(b) > 0 {
		body, k, size := nextRecord(b)
		if size == 0 {
			return 0, errMalformed
		}
		if _, err := parseRecord(body, k); err != nil {
			return 0, err
		}
		b = b[size:]
		n++
	}
	return n, nil
}

// claims is the body of CLAIMS.
type claims struct {
	first   uint64 // number of the first record; the others follow
	records []byte
	count   uint64
}

func appendClaims(dst []byte, first uint64, records []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, first)
	return append(dst, records...)
}

func parseClaims(b []byte) (c claims, err error) {
	if len(b) < 8 {
		return c, errMalformed
	}
	c.first, c.records = binary.BigEndian.Uint64(b), b[8:]
	c.count, err = countRecords(c.records)
	if c.first == 0 || c.first+c.count < c.first {
		return c, errMalformed
	}
	return c, err
}

// list is the body of LIST: sessions from a cursor on.
type list struct {
	since   uint64 // only those with this number or a later one
	head    uint64 // the number of the latest claim when it was written
	cursor  uint32 // where it begins
	next    uint32 // where the next begins; 0: it was the last
	records []byte
}

const listLen = 24

func appendList(dst []byte, l *list) []byte {
	dst = binary.BigEndian.AppendUint64(dst, l.since)
	dst = binary.BigEndian.AppendUint64(dst, l.head)
	dst = binary.BigEndian.AppendUint32(dst, l.cursor)
	dst = binary.BigEndian.AppendUint32(dst, l.next)
	return append(dst, l.records...)
}

func parseList(b []byte) (l list, err error) {
	if len(b) < listLen {
		return l, errMalformed
	}
	l = list{since: binary.BigEndian.Uint64(b), head: binary.BigEndian.Uint64(b[8:]),
		cursor: binary.BigEndian.Uint32(b[16:]), next: binary.BigEndian.Uint32(b[20:]), records: b[listLen:]}
	if l.since == 0 || l.next != 0 && l.next <= l.cursor {
		return l, errMalformed
	}
	_, err = countRecords(l.records)
	return l, err
}
