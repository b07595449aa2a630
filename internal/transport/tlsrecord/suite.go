package tlsrecord

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// The cipher suites of TLS 1.3, RFC 8446, section B.4.
const (
	AES128GCM        = 0x1301
	AES256GCM        = 0x1302
	ChaCha20Poly1305 = 0x1303
)

// suite is what differs between cipher suites.
type suite struct {
	id   uint16
	key  int // bytes
	hash func() hash.Hash
	size int // bytes of the hash, and of a secret
	aead func(key []byte) (cipher.AEAD, error)
}

var suites = [...]suite{
	{AES128GCM, 16, sha256.New, sha256.Size, newGCM},
	{AES256GCM, 32, sha512.New384, sha512.Size384, newGCM},
	{ChaCha20Poly1305, 32, sha256.New, sha256.Size, chacha20poly1305.New},
}

const (
	maxSecret = 48
	maxKey    = 32
)

// keysBytes is the size of a connection's keys.
func (s *suite) keysBytes() int { return int(directions) * (s.size + s.key) }

func (s *suite) secretOf(k keys, d direction) []byte {
	at := int(d) * (s.size + s.key)
	return k[at : at+s.size]
}

func (s *suite) keyOf(k keys, d direction) []byte {
	at := int(d)*(s.size+s.key) + s.size
	return k[at : at+s.key]
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// ErrSuite is returned for keys of a cipher suite that is none of TLS 1.3's, or of a wrong size.
var ErrSuite = errors.New("tlsrecord: no such cipher suite")

func suiteIndex(id uint16) (uint8, error) {
	for i := range suites {
		if suites[i].id == id {
			return uint8(i), nil
		}
	}
	return 0, ErrSuite
}

// expandLabel is HKDF-Expand-Label of RFC 8446, section 7.1, with an empty context, into dst.
func (s *suite) expandLabel(dst, secret []byte, label string) {
	const prefix = "tls13 "
	info := make([]byte, 0, 32)
	info = append(info, byte(len(dst)>>8), byte(len(dst)), byte(len(prefix)+len(label)))
	info = append(append(append(info, prefix...), label...), 0)
	b, err := hkdf.Expand(s.hash, secret, string(info), len(dst))
	if err != nil {
		panic("tlsrecord: " + err.Error()) // only if it were longer than 255 hashes
	}
	copy(dst, b)
	clear(b)
}
