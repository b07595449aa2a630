package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// MinSecret is the shortest secret that NewHMACAuth and MintToken take, in bytes.
const MinSecret = 32

// ErrSecret is returned for a secret shorter than MinSecret.
var ErrSecret = errors.New("server: secret is shorter than 32 bytes")

// A token is base64url, without padding, of 8 bytes expiry (Unix seconds, big endian) and
// 32 bytes HMAC-SHA256 over "stormwheel token 1", the expiry and the client's id.
const (
	tokenLabel = "stormwheel token 1"
	tokenLen   = 8 + sha256.Size
)

// hmacAuth admits whoever has a token that MintToken made with the same secret.
type hmacAuth struct {
	secret []byte
	now    func() time.Time
}

// NewHMACAuth returns an Authenticator for the tokens of MintToken. It never blocks.
// Nothing in a token is looked at before its MAC is verified, in constant time; a token
// is good for one client id.
func NewHMACAuth(secret []byte) (Authenticator, error) {
	if len(secret) < MinSecret {
		return nil, ErrSecret
	}
	return &hmacAuth{secret: append([]byte(nil), secret...), now: time.Now}, nil
}

// MintToken returns a token that admits clientID until expires.
func MintToken(secret []byte, clientID string, expires time.Time) (string, error) {
	if len(secret) < MinSecret {
		return "", ErrSecret
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, tokenLen), uint64(expires.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, tokenMAC(secret, b, clientID)...)), nil
}

func tokenMAC(secret, expiry []byte, clientID string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(tokenLabel))
	h.Write(expiry)
	h.Write([]byte(clientID))
	return h.Sum(nil)
}

// Authenticate implements Authenticator.
func (a *hmacAuth) Authenticate(_ context.Context, req AuthRequest) (AuthGrant, error) {
	var raw [tokenLen]byte
	if base64.RawURLEncoding.DecodedLen(len(req.Token)) != tokenLen {
		return AuthGrant{}, ErrUnauthorized
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(raw[:], req.Token); err != nil {
		return AuthGrant{}, ErrUnauthorized
	}
	if !hmac.Equal(raw[8:], tokenMAC(a.secret, raw[:8], req.ClientID)) {
		return AuthGrant{}, ErrUnauthorized
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(raw[:8])), 0)
	if !a.now().Before(expires) {
		return AuthGrant{}, ErrTokenExpired
	}
	return AuthGrant{Expires: expires}, nil
}
