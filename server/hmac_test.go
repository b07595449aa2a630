package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTokensAdmitTheirIDUntilTheyExpire(t *testing.T) {
	secret := []byte(strings.Repeat("k", MinSecret))
	auth, err := NewHMACAuth(secret)
	if err != nil {
		t.Fatal(err)
	}
	expires := time.Unix(1_800_000_000, 0)
	now := expires.Add(-time.Minute)
	auth.(*hmacAuth).now = func() time.Time { return now }
	token, err := MintToken(secret, "alice", expires)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := MintToken([]byte(strings.Repeat("x", MinSecret)), "alice", expires)
	// The same expiry with another time in it, MAC kept: must not be believed.
	altered := "B" + token[1:]
	for _, tt := range []struct {
		name, id, token string
		want            error
	}{
		{"good", "alice", token, nil},
		{"another id", "bob", token, ErrUnauthorized},
		{"another secret", "alice", other, ErrUnauthorized},
		{"altered expiry", "alice", altered, ErrUnauthorized},
		{"empty", "alice", "", ErrUnauthorized},
		{"4 KiB of junk", "alice", strings.Repeat("A", 4096), ErrUnauthorized},
		{"not base64", "alice", strings.Repeat("!", len(token)), ErrUnauthorized},
	} {
		grant, err := auth.Authenticate(context.Background(), AuthRequest{ClientID: tt.id, Token: []byte(tt.token)})
		if !errors.Is(err, tt.want) || err == nil && !grant.Expires.Equal(expires) {
			t.Errorf("%s: %v, %v; want %v", tt.name, grant, err, tt.want)
		}
	}
	now = expires
	if _, err := auth.Authenticate(context.Background(), AuthRequest{ClientID: "alice", Token: []byte(token)}); !errors.Is(err, ErrTokenExpired) {
		t.Errorf("at its expiry: %v, want ErrTokenExpired", err)
	}
	for _, secrets := range [][][]byte{{}, {secret[:31]}, {secret, secret[:31]}} {
		if _, err := NewHMACAuth(secrets...); !errors.Is(err, ErrSecret) {
			t.Errorf("secrets %q: %v, want ErrSecret", secrets, err)
		}
	}
}
