package server

import (
	"context"
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/internal/token"
)

// MinSecret is the shortest secret that NewHMACAuth and MintToken take, in bytes.
const MinSecret = token.MinSecret

// ErrSecret is returned for a secret shorter than MinSecret.
var ErrSecret = errors.New("server: secret is shorter than 32 bytes")

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
	return token.Mint(secret, clientID, expires), nil
}

// Authenticate implements Authenticator.
func (a *hmacAuth) Authenticate(_ context.Context, req AuthRequest) (AuthGrant, error) {
	expires, ok := token.Verify(a.secret, req.Token, req.ClientID)
	switch {
	case !ok:
		return AuthGrant{}, ErrUnauthorized
	case !a.now().Before(expires):
		return AuthGrant{}, ErrTokenExpired
	}
	return AuthGrant{Expires: expires}, nil
}
