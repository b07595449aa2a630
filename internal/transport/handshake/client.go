package handshake

import (
	"bytes"
	"crypto/cipher"
	"crypto/tls"
	"encoding/binary"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/tlsrecord"
)

// NewClient returns the client's side, of a configuration that Check takes and that is not to be
// changed any more. now
// is a clock of any origin, which is read while a connection waits for its ticket; nil: it waits
// as long as there is none.
func NewClient(c *tls.Config, now func() time.Duration) *Stage {
	c = c.Clone()
	c.MinVersion = tls.VersionTLS13
	t := &Stage{
		layer: tlsrecord.New(true), under: make(map[transport.Slot]*under),
		dial: c, now: now, kept: make(map[transport.Slot]*kept),
	}
	t.layer.OnTicket(t.ticket)
	return t
}

func (t *Stage) newClientHandshake() *handshake {
	return start(func(h *handshake) (*tls.Conn, error) {
		c := t.dial.Clone()
		h.secrets.also = c.KeyLogWriter
		c.KeyLogWriter = &h.secrets
		if c.ClientSessionCache != nil {
			c.ClientSessionCache = &noted{c.ClientSessionCache, h}
		}
		return tls.Client(&h.wire, c), nil
	})
}

// noted is the embedder's cache of a connection: it notes that a ticket has come.
type noted struct {
	tls.ClientSessionCache
	h *handshake
}

func (n *noted) Put(key string, state *tls.ClientSessionState) {
	if state != nil {
		n.h.ticket = true
	}
	n.ClientSessionCache.Put(key, state)
}

// ticketTime is how long a connection keeps its *tls.Conn for a ticket to come.
const ticketTime = time.Second

// kept is the *tls.Conn of a connection that waits for a ticket: it stands at the record with
// which the server's first key begins, and gets the tickets as the first records under that.
type kept struct {
	h     *handshake
	since time.Duration
	aead  cipher.AEAD
	iv    [12]byte
	seq   uint64
}

func (t *Stage) keep(s transport.Slot, h *handshake, p *tlsrecord.Prepared) {
	if t.dial.ClientSessionCache == nil || t.dial.SessionTicketsDisabled {
		return
	}
	k := &kept{h: h}
	if t.now != nil {
		k.since = t.now()
	}
	k.aead, k.iv = p.Peer()
	t.kept[s] = k
}

// letGo forgets the *tls.Conn of a connection to which no ticket came in time.
func (t *Stage) letGo(s transport.Slot) {
	if len(t.kept) == 0 || t.now == nil {
		return
	}
	if k := t.kept[s]; k != nil && t.now()-k.since > ticketTime {
		delete(t.kept, s)
	}
}

// ticket takes a NewSessionTicket.
func (t *Stage) ticket(s transport.Slot, message []byte) {
	k := t.kept[s]
	if k == nil {
		return
	}
	if k.feed(message); k.h.ticket {
		delete(t.kept, s)
	}
}

// feed has crypto/tls read a message. What it thinks of it, it keeps: a ticket is no condition.
func (k *kept) feed(message []byte) {
	const maxPlain = 1 << 14
	var sealed []byte
	for len(message) > 0 {
		n := min(len(message), maxPlain)
		nonce := k.iv
		low := nonce[len(nonce)-8:]
		binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^k.seq)
		sealed = tlsrecord.AppendSealed(sealed, k.aead, nonce[:], typeHandshake, message[:n])
		k.seq++
		message = message[n:]
	}
	k.h.wire.in = bytes.NewReader(sealed)
	var none [1]byte
	_, _ = k.h.conn.Read(none[:])
}
