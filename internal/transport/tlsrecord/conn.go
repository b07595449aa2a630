package tlsrecord

import (
	"crypto/cipher"
	"encoding/binary"
)

const nonceBytes = 12

// direction is one of a connection's two.
type direction uint8

const (
	incoming direction = iota
	outgoing
	directions
)

// conn is what a record needs of its connection: 48 bytes without pointers. What only a new AEAD and a
// KeyUpdate need is beside it, its keys.
type conn struct {
	seq     [directions]uint64 // of the next record
	iv      [directions][nonceBytes]byte
	kept    uint16 // where its AEADs are kept, 0: nowhere
	used    uint8  // when one was made or, of a busy one, used: a tick of the aeads, 0: never
	suite   uint8
	alert   Alert // what its error is called; 0: there was none, or close_notify
	useless uint8 // records without content since the last that had any
	updates uint8 // KeyUpdates that it may send
	over    bool  // the peer has said a fatal alert, or we our last: nothing is sent any more
}

// keys are, for each direction, the traffic secret and behind it the key. Their sizes are the suite's:
// 96 bytes in all with AES-128, 128 with ChaCha20, 160 with AES-256.
type keys []byte

const maxKeys = int(directions) * (maxSecret + maxKey)

func (c *conn) of() *suite { return &suites[c.suite] }

// nonce is that of the next record.
func (c *conn) nonce(d direction, dst *[nonceBytes]byte) []byte {
	*dst = c.iv[d]
	low := dst[nonceBytes-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^c.seq[d])
	return dst[:]
}

// derive makes key and iv from the secret, for records from the first one on.
func (c *conn) derive(k keys, d direction) {
	s := c.of()
	c.seq[d] = 0
	s.expandLabel(s.keyOf(k, d), s.secretOf(k, d), "key")
	s.expandLabel(c.iv[d][:], s.secretOf(k, d), "iv")
}

// update goes on to the next secret, as a KeyUpdate says. Its AEAD must have been forgotten.
func (c *conn) update(k keys, d direction) {
	s := c.of()
	var next [maxSecret]byte
	s.expandLabel(next[:s.size], s.secretOf(k, d), "traffic upd")
	copy(s.secretOf(k, d), next[:])
	clear(next[:])
	c.derive(k, d)
}

// aead makes the AEAD.
func (c *conn) aead(k keys, d direction) cipher.AEAD {
	s := c.of()
	a, err := s.aead(s.keyOf(k, d))
	if err != nil {
		panic("tlsrecord: " + err.Error()) // only if the key had a wrong size
	}
	return a
}
