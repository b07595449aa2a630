package peer

// claimLog is the latest own claims, numbered from 1 on, as they are sent. What was not published yet is
// its end.
type claimLog struct {
	chunks    []chunk // the last takes records, the others are full
	bytes     int     // of all
	head      uint64  // number of the latest record
	published uint64
	spare     []byte
}

// chunk is some records, of sealBytes and one more at most.
type chunk struct {
	first, last uint64
	records     []byte
	published   int // bytes that were
}

// add appends a record. It says whether the records that wait are as many as a message should have.
func (l *claimLog) add(k recordKind, s *session) (full bool) {
	if n := len(l.chunks); n == 0 || len(l.chunks[n-1].records) >= sealBytes {
		l.chunks = append(l.chunks, chunk{first: l.head + 1, last: l.head, records: l.spare})
		l.spare = nil
	}
	c := &l.chunks[len(l.chunks)-1]
	before := len(c.records)
	c.records = appendRecord(c.records, k, s)
	l.bytes += len(c.records) - before
	l.head++
	c.last = l.head
	return len(c.records) >= sealBytes
}

// pending are the records that were not published, of which the first has that number.
func (l *claimLog) pending() (first uint64, records []byte) {
	if l.published == l.head {
		return 0, nil
	}
	c := &l.chunks[len(l.chunks)-1] // a chunk is published when it is full
	return l.published + 1, c.records[c.published:]
}

// publish notes that all is, and forgets the oldest beyond a bound.
func (l *claimLog) publish(bound int) {
	l.published = l.head
	if n := len(l.chunks); n > 0 {
		l.chunks[n-1].published = len(l.chunks[n-1].records)
	}
	drop := 0
	for drop+1 < len(l.chunks) && l.bytes > bound {
		l.bytes -= len(l.chunks[drop].records)
		l.spare = l.chunks[drop].records[:0]
		drop++
	}
	if drop > 0 {
		n := copy(l.chunks, l.chunks[drop:])
		clear(l.chunks[n:])
		l.chunks = l.chunks[:n]
	}
}

// since are records from a number on, as many as a chunk has behind it. False: it is no more, or not
// yet, there.
func (l *claimLog) since(number uint64) (records []byte, ok bool) {
	for i := range l.chunks {
		c := &l.chunks[i]
		if number < c.first || number > c.last {
			continue
		}
		records = c.records
		for n := c.first; n < number; n++ {
			_, _, size := nextRecord(records)
			records = records[size:]
		}
		return records, true
	}
	return nil, false
}
