package tlsrecord

import (
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Layer is the record layer of a loop's connections. Owned by the loop.
type Layer struct {
	client bool
	refs   []*[refChunk]uint32 // of slots: where in conns, plus one; 0: no keys
	conns  []*[connChunk]conn  // without pointers
	used   uint32              // places in conns that were ever used
	free   []uint32            // places of those that are empty
	kept   aeads
	parts  map[uint32][]byte // half handshake messages, by place
	nonce  [nonceBytes]byte  // of the record at hand
	words  []byte            // of the last Open
	ticket func(s transport.Slot, message []byte)
}

// conn is what is kept of a connection: 216 bytes.
type conn struct {
	in, out half
	alert   Alert // what its error is called; 0: there was none, or close_notify
	useless uint8 // records without content since the last that had any
	updates uint8 // KeyUpdates that it may send
	over    bool  // the peer has said a fatal alert, or we our last: nothing is sent any more
}

const (
	refChunkBits  = 12
	refChunk      = 1 << refChunkBits
	connChunkBits = 8 // 54 KiB
	connChunk     = 1 << connChunkBits
)

// New returns the record layer of the client's or the server's side.
func New(client bool) *Layer { return newLayer(client, [lists]int{recent: maxRecent, busy: maxBusy}) }

// newLayer keeps so many AEADs.
func newLayer(client bool, most [lists]int) *Layer {
	return &Layer{client: client, kept: newAEADs(most), parts: make(map[uint32][]byte)}
}

// Tick tells the time, of any origin, some times a second: so the layer knows which connections are busy,
// and keeps their AEADs. To one that is told none, nobody is.
func (l *Layer) Tick(now time.Duration) { l.kept.tick(now) }

// OnTicket has a client's layer call f with each NewSessionTicket, whole and with its header. The
// message is valid until f returns.
func (l *Layer) OnTicket(f func(s transport.Slot, message []byte)) { l.ticket = f }

// Install begins a connection whose handshake has ended. What was prepared is zeroed: it is the
// layer's from now on.
func (l *Layer) Install(s transport.Slot, p *Prepared) {
	l.End(s)
	c := l.place(s)
	*c = p.conn
	l.kept.put(&c.out, p.out)
	*p = Prepared{}
}

// place finds room for the connection of a slot.
func (l *Layer) place(s transport.Slot) *conn {
	for int(s>>refChunkBits) >= len(l.refs) {
		l.refs = append(l.refs, new([refChunk]uint32))
	}
	var i uint32
	if last := len(l.free) - 1; last >= 0 {
		i, l.free = l.free[last], l.free[:last]
	} else {
		i = l.used
		l.used++
		if int(i>>connChunkBits) >= len(l.conns) {
			l.conns = append(l.conns, new([connChunk]conn))
		}
	}
	l.refs[s>>refChunkBits][s&(refChunk-1)] = i + 1
	return l.at(i)
}

func (l *Layer) at(i uint32) *conn { return &l.conns[i>>connChunkBits][i&(connChunk-1)] }

// find is the connection of a slot and its place, nil if it has no keys.
func (l *Layer) find(s transport.Slot) (*conn, uint32) {
	if int(s>>refChunkBits) >= len(l.refs) {
		return nil, 0
	}
	i := l.refs[s>>refChunkBits][s&(refChunk-1)]
	if i == 0 {
		return nil, 0
	}
	return l.at(i - 1), i - 1
}

// Has says whether a slot's connection has keys.
func (l *Layer) Has(s transport.Slot) bool {
	c, _ := l.find(s)
	return c != nil
}

// Held says how many bytes of half handshake messages are kept.
func (l *Layer) Held(s transport.Slot) int {
	if len(l.parts) == 0 {
		return 0
	}
	if c, i := l.find(s); c != nil {
		return len(l.parts[i])
	}
	return 0
}

// End forgets a connection and zeroes its keys.
func (l *Layer) End(s transport.Slot) {
	c, i := l.find(s)
	if c == nil {
		return
	}
	l.kept.drop(&c.in)
	l.kept.drop(&c.out)
	*c = conn{}
	delete(l.parts, i)
	l.refs[s>>refChunkBits][s&(refChunk-1)] = 0
	l.free = append(l.free, i)
}

// Connections says how many have keys.
func (l *Layer) Connections() int { return int(l.used) - len(l.free) }
