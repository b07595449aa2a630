package token

import (
	"bytes"
	"testing"
	"time"
)

func TestATokenAdmitsItsClientOnlyAndNoByteOfItCanBeAnother(t *testing.T) {
	secret, until := bytes.Repeat([]byte("s"), MinSecret), time.Unix(1_800_000_000, 0)
	minted := []byte(Mint(secret, "alice", until))
	if len(minted) != Length {
		t.Errorf("%d bytes, want Length, %d", len(minted), Length)
	}
	if expires, ok := Verify(secret, minted, "alice"); !ok || !expires.Equal(until) {
		t.Errorf("Verify = %v, %v; want %v and true", expires, ok, until)
	}
	refused := func(secret, token []byte, id string) {
		t.Helper()
		if _, ok := Verify(secret, token, id); ok {
			t.Errorf("%q admits %q", token, id)
		}
	}
	refused(secret, minted, "alic")
	refused(bytes.Repeat([]byte("t"), MinSecret), minted, "alice")
	refused(secret, nil, "alice")
	refused(secret, append(bytes.Clone(minted), 'A'), "alice")
	for i := range minted {
		for c := range 256 {
			forged := bytes.Clone(minted)
			if forged[i] = byte(c); byte(c) != minted[i] {
				refused(secret, forged, "alice")
			}
		}
	}
}
