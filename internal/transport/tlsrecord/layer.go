package tlsrecord

import (
	"crypto/cipher"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Layer is the record layer of a loop's connections. Owned by the loop.
type Layer struct {
	client bool
	refs   []*[refChunk]place // of slots: where its connection is, plus one; 0: it has no keys
	stores [len(suites)]store
	kept   aeads
	parts  map[transport.Slot][]byte // half handshake messages
	nonce  [nonceBytes]byte          // of the record at hand
	words  []byte                    // of the last Open
	ticket func(s transport.Slot, message []byte)
}

const (
	refChunkBits = 12
	refChunk     = 1 << refChunkBits
)

// New returns the record layer of the client's or the server's side.
func New(client bool) *Layer { return newLayer(client, [lists]int{recent: maxRecent, busy: maxBusy}) }

// newLayer keeps the AEADs of so many connections.
func newLayer(client bool, most [lists]int) *Layer {
	return &Layer{client: client, kept: newAEADs(most), parts: make(map[transport.Slot][]byte)}
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
	for int(s>>refChunkBits) >= len(l.refs) {
		l.refs = append(l.refs, new([refChunk]place))
	}
	at := l.stores[p.conn.suite].take(p.conn.suite)
	l.refs[s>>refChunkBits][s&(refChunk-1)] = at + 1
	c := l.conn(at)
	*c = p.conn
	copy(l.keys(at), p.keys[:])
	l.kept.meet(c, outgoing, p.out)
	*p = Prepared{}
}

func (l *Layer) conn(p place) *conn { return l.stores[p.suite()].conn(p) }

func (l *Layer) keys(p place) keys { return l.stores[p.suite()].keysOf(p) }

// find is the connection of a slot and its place, nil if it has no keys.
func (l *Layer) find(s transport.Slot) (*conn, place) {
	if int(s>>refChunkBits) >= len(l.refs) {
		return nil, 0
	}
	p := l.refs[s>>refChunkBits][s&(refChunk-1)]
	if p == 0 {
		return nil, 0
	}
	return l.conn(p - 1), p - 1
}

// aead is that of a direction.
func (l *Layer) aead(c *conn, p place, d direction) cipher.AEAD {
	if a := l.kept.get(c, d); a != nil {
		return a
	}
	a := c.aead(l.keys(p), d)
	l.kept.put(c, d, a)
	return a
}

// update goes on to the next key of a direction.
func (l *Layer) update(c *conn, p place, d direction) {
	l.kept.forget(c, d)
	c.update(l.keys(p), d)
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
	return len(l.parts[s])
}

// End forgets a connection and zeroes its keys.
func (l *Layer) End(s transport.Slot) {
	c, p := l.find(s)
	if c == nil {
		return
	}
	l.kept.drop(c)
	l.stores[p.suite()].give(p)
	delete(l.parts, s)
	l.refs[s>>refChunkBits][s&(refChunk-1)] = 0
}

// Connections says how many have keys.
func (l *Layer) Connections() (n int) {
	for i := range l.stores {
		n += l.stores[i].len()
	}
	return n
}
