package tlsrecord

// place is where a connection stands: its suite, and its number among those of that.
type place uint32

const (
	suiteBits = 2

	connChunkBits = 8 // 12 KiB, and 24 to 40 of keys
	connChunk     = 1 << connChunkBits
)

func (p place) suite() int { return int(p & (1<<suiteBits - 1)) }

func (p place) index() uint32 { return uint32(p) >> suiteBits }

// store are the connections of a suite, whose keys are of one size. Chunks do not move.
type store struct {
	conns []*[connChunk]conn
	keys  [][]byte
	used  uint32   // numbers that were ever used
	free  []uint32 // those of them that are empty
}

// take finds room for one more.
func (t *store) take(suite uint8) place {
	var i uint32
	if last := len(t.free) - 1; last >= 0 {
		i, t.free = t.free[last], t.free[:last]
	} else {
		i = t.used
		t.used++
		if int(i>>connChunkBits) >= len(t.conns) {
			t.conns = append(t.conns, new([connChunk]conn))
			t.keys = append(t.keys, make([]byte, connChunk*suites[suite].keysBytes()))
		}
	}
	return place(i<<suiteBits | uint32(suite))
}

// give zeroes one and takes its room back.
func (t *store) give(p place) {
	*t.conn(p) = conn{}
	clear(t.keysOf(p))
	t.free = append(t.free, p.index())
}

func (t *store) conn(p place) *conn {
	i := p.index()
	return &t.conns[i>>connChunkBits][i&(connChunk-1)]
}

func (t *store) keysOf(p place) keys {
	i, n := int(p.index()), suites[p.suite()].keysBytes()
	at := i & (connChunk - 1) * n
	return t.keys[i>>connChunkBits][at : at+n : at+n]
}

func (t *store) len() int { return int(t.used) - len(t.free) }
