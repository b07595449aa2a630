// Package token makes and checks the tokens that admit a client by a secret which nodes and
// token makers share: server, the load generator and the command need it alike.
//
// A token is base64url, without padding, of 4 bytes key id, 8 bytes expiry (Unix seconds, big
// endian) and 32 bytes HMAC-SHA256 (RFC 2104) over "stormwheel token 1", the expiry and the
// client's id. The key id says which of several secrets it was made of, so that secrets can be
// changed while clients hold tokens of the old one. Nobody configures it: it is the beginning of
// the SHA-256 of a label and the secret.
package token

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"time"
)

// MinSecret is the shortest secret, in bytes.
const MinSecret = 32

const (
	label    = "stormwheel token 1"
	keyLabel = "stormwheel token key 1"
	keyLen   = 4
	body     = keyLen + 8 // what precedes the MAC
	size     = body + sha256.Size
	Length   = (size*8 + 5) / 6 // of a token, in bytes
)

// Mint returns a token that admits clientID until expires.
func Mint(secret []byte, clientID string, expires time.Time) string {
	id := keyID(secret)
	b := append(make([]byte, 0, size), id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(expires.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, mac(secret, b[keyLen:], clientID)...))
}

// Keys are the secrets of which tokens may have been made. They are only read.
type Keys []key

type key struct {
	id     [keyLen]byte
	secret []byte
}

// NewKeys copies the secrets.
func NewKeys(secrets ...[]byte) Keys {
	keys := make(Keys, len(secrets))
	for i, secret := range secrets {
		keys[i] = key{keyID(secret), bytes.Clone(secret)}
	}
	return keys
}

// Verify reports whether a token was made of one of the secrets for clientID, and until when it is
// good; whether that has passed is the caller's to judge. Nothing in a token but its key id is
// looked at before its MAC is verified, in constant time.
func (keys Keys) Verify(token []byte, clientID string) (expires time.Time, ok bool) {
	var raw [size]byte
	if len(token) != Length {
		return time.Time{}, false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(raw[:], token); err != nil {
		return time.Time{}, false
	}
	expiry := raw[keyLen:body]
	for _, k := range keys {
		if k.id == [keyLen]byte(raw[:keyLen]) && hmac.Equal(raw[body:], mac(k.secret, expiry, clientID)) {
			return time.Unix(int64(binary.BigEndian.Uint64(expiry)), 0), true
		}
	}
	return time.Time{}, false
}

func keyID(secret []byte) [keyLen]byte {
	sum := sha256.Sum256(append([]byte(keyLabel), secret...))
	return [keyLen]byte(sum[:keyLen])
}

func mac(secret, expiry []byte, clientID string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(label))
	h.Write(expiry)
	h.Write([]byte(clientID))
	return h.Sum(nil)
}

// ReadSecrets reads secrets from a file, one a line, without the line ends and spaces that editors
// add; empty lines are skipped. The first is the one to make tokens of.
func ReadSecrets(file string) (secrets [][]byte, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	line := 0
	for secret := range bytes.Lines(text) {
		line++
		if secret = bytes.TrimRight(secret, " \t\r\n"); len(secret) == 0 {
			continue
		}
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("%s: the secret in line %d has %d bytes, at least %d are needed", file, line, len(secret), MinSecret)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%s: there is no secret in it, at least %d bytes are needed", file, MinSecret)
	}
	return secrets, nil
}
