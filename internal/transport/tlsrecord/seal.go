package tlsrecord

import (
	"crypto/cipher"

	"github.com/stormwheel/stormwheel/internal/transport"
)

const (
	headerBytes = 5
	tagBytes    = 16
	maxPlain    = 1 << 14
	maxInner    = maxPlain + 1   // with its type, padding included
	maxCipher   = maxPlain + 256 // RFC 8446, section 5.2
	maxSealed   = 1<<24 - 16     // records under one key, RFC 8446, section 5.5
	typeChange  = 20             // change_cipher_spec
	typeAlert   = 21
	typeMessage = 22 // handshake
	typeData    = 23 // application_data
)

// Seal appends the records of plain to dst. Without keys it appends nothing, nor after a fatal alert of the peer
// or a fault of it, whose alert alone is said: RFC 8446, section 6.2.
func (l *Layer) Seal(s transport.Slot, dst, plain []byte) []byte {
	c, p := l.find(s)
	if c == nil || c.over || c.alert != 0 {
		return dst
	}
	for len(plain) > 0 {
		n := min(len(plain), maxPlain)
		dst = l.seal(c, p, dst, typeData, plain[:n])
		plain = plain[n:]
	}
	return dst
}

// seal appends one record, after a KeyUpdate if the key has sealed all that it may.
func (l *Layer) seal(c *conn, p place, dst []byte, kind byte, content []byte) []byte {
	if c.seq[outgoing] >= maxSealed {
		dst = l.updateOwn(c, p, dst)
	}
	return l.sealOne(c, p, dst, kind, content)
}

func (l *Layer) sealOne(c *conn, p place, dst []byte, kind byte, content []byte) []byte {
	dst = AppendSealed(dst, l.aead(c, p, outgoing), c.nonce(outgoing, &l.nonce), kind, content)
	c.seq[outgoing]++
	return dst
}

// AppendSealed appends one record, sealed in place. content must not be more than 2^14 bytes.
func AppendSealed(dst []byte, aead cipher.AEAD, nonce []byte, kind byte, content []byte) []byte {
	head := len(dst)
	n := len(content) + 1 + tagBytes
	dst = append(dst, typeData, 3, 3, byte(n>>8), byte(n))
	body := len(dst)
	dst = append(append(dst, content...), kind)
	return aead.Seal(dst[:body], nonce, dst[body:], dst[head:body])
}

// updateOwn appends a KeyUpdate and goes on to the next key. It does not ask for the peer's.
func (l *Layer) updateOwn(c *conn, p place, dst []byte) []byte {
	dst = l.sealOne(c, p, dst, typeMessage, []byte{messageKeyUpdate, 0, 0, 1, 0})
	l.update(c, p, outgoing)
	return dst
}

// Close appends the alert of the connection's error, or close_notify. Nothing is sealed after it: RFC 8446,
// section 6.1.
func (l *Layer) Close(s transport.Slot, dst []byte) []byte {
	c, p := l.find(s)
	if c == nil || c.over {
		return dst
	}
	level := byte(levelFatal)
	if c.alert == 0 {
		level = levelWarning
	}
	dst = l.seal(c, p, dst, typeAlert, []byte{level, byte(c.alert)})
	c.over = true
	return dst
}
