package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/internal/token"
)

// MinSecret is the shortest secret that NewHMACAuth and MintToken take, in bytes.
const MinSecret = token.MinSecret

// ErrSecret is returned for no secret, and for one shorter than MinSecret.
var ErrSecret = errors.New("server: secret is shorter than 32 bytes")

// hmacAuth admits whoever has a token that MintToken made with one of its secrets.
type hmacAuth struct {
	keys token.Keys
	now  func() time.Time
}

// NewHMACAuth returns an Authenticator for the tokens that MintToken makes of one of the secrets,
// of which there must be one at least. It never blocks. A token is good for one client id, and
// nothing in it but the name of its key is looked at before its MAC is verified, in constant time.
//
// To change a secret, nodes get the new one beside the old, then whoever makes tokens makes them of
// the new one, and when the last token of the old one has expired nodes forget it.
func NewHMACAuth(secrets ...[]byte) (Authenticator, error) {
	if len(secrets) == 0 || slices.ContainsFunc(secrets, func(s []byte) bool { return len(s) < MinSecret }) {
		return nil, ErrSecret
	}
	return &hmacAuth{keys: token.NewKeys(secrets...), now: time.Now}, nil
}

// MintToken returns a token that admits clientID until expires. It names the secret that it was
// made of by four bytes that follow from it.
func MintToken(secret []byte, clientID string, expires time.Time) (string, error) {
	if len(secret) < MinSecret {
		return "", ErrSecret
	}
	return token.Mint(secret, clientID, expires), nil
}

// Authenticate implements Authenticator.
func (a *hmacAuth) Authenticate(_ context.Context, req AuthRequest) (AuthGrant, error) {
	expires, ok := a.keys.Verify(req.Token, req.ClientID)
	switch {
	case !ok:
		return AuthGrant{}, ErrUnauthorized
	case !a.now().Before(expires):
		return AuthGrant{}, ErrTokenExpired
	}
	return AuthGrant{Expires: expires}, nil
}
