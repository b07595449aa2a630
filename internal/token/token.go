// Package token makes and checks the tokens that admit a client by a secret which nodes and
// token makers share: server, the load generator and the command need it alike.
//
// A token is base64url, without padding, of 8 bytes expiry (Unix seconds, big endian) and
// 32 bytes HMAC-SHA256 (RFC 2104) over "stormwheel token 1", the expiry and the client's id.
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
	label  = "stormwheel token 1"
	size   = 8 + sha256.Size
	Length = (size*8 + 5) / 6 // of a token, in bytes
)

// Mint returns a token that admits clientID until expires.
func Mint(secret []byte, clientID string, expires time.Time) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, size), uint64(expires.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, mac(secret, b, clientID)...))
}

// Verify reports whether a token was made of the secret for clientID, and until when it is
// good; whether that has passed is the caller's to judge. Nothing in a token is looked at
// before its MAC is verified, in constant time.
func Verify(secret, token []byte, clientID string) (expires time.Time, ok bool) {
	var raw [size]byte
	if len(token) != Length {
		return time.Time{}, false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(raw[:], token); err != nil {
		return time.Time{}, false
	}
	if !hmac.Equal(raw[8:], mac(secret, raw[:8], clientID)) {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[:8])), 0), true
}

func mac(secret, expiry []byte, clientID string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(label))
	h.Write(expiry)
	h.Write([]byte(clientID))
	return h.Sum(nil)
}

// ReadSecret reads a secret from a file, without the line end that editors add.
func ReadSecret(file string) ([]byte, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	secret = bytes.TrimRight(secret, "\r\n")
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("%s: the secret has %d bytes, at least %d are needed", file, len(secret), MinSecret)
	}
	return secret, nil
}
