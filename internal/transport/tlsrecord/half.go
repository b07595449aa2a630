package tlsrecord

import (
	"crypto/cipher"
	"encoding/binary"
)

const (
	secretBytes = 48
	keyBytes    = 32
	nonceBytes  = 12
)

// half is one direction of a connection: 104 bytes without pointers.
type half struct {
	seq    uint64 // of the next record
	secret [secretBytes]byte
	key    [keyBytes]byte
	iv     [nonceBytes]byte
	kept   uint16 // where its AEAD is kept, 0: nowhere
	suite  uint8
	used   uint8 // when: a tick of the aeads, 0: never
}

func (h *half) of() *suite { return &suites[h.suite] }

// derive makes key and iv from the secret.
func (h *half) derive() {
	s := h.of()
	h.seq = 0
	s.expandLabel(h.key[:s.key], h.secret[:s.size], "key")
	s.expandLabel(h.iv[:], h.secret[:s.size], "iv")
}

// update goes on to the next secret, as a KeyUpdate says. Its AEAD must have been dropped.
func (h *half) update() {
	s := h.of()
	var next [secretBytes]byte
	s.expandLabel(next[:s.size], h.secret[:s.size], "traffic upd")
	h.secret = next
	clear(next[:])
	h.derive()
}

// aead makes the AEAD.
func (h *half) aead() cipher.AEAD {
	s := h.of()
	a, err := s.aead(h.key[:s.key])
	if err != nil {
		panic("tlsrecord: " + err.Error()) // only if the key had a wrong size
	}
	return a
}

// nonce is that of the next record.
func (h *half) nonce(dst *[nonceBytes]byte) []byte {
	*dst = h.iv
	low := dst[nonceBytes-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^h.seq)
	return dst[:]
}
