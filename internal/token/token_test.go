package token

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func secretOf(letter string) []byte { return bytes.Repeat([]byte(letter), MinSecret) }

func TestATokenAdmitsItsClientOnlyAndNoByteOfItCanBeAnother(t *testing.T) {
	secret, until := secretOf("s"), time.Unix(1_800_000_000, 0)
	keys := NewKeys(secret)
	minted := []byte(Mint(secret, "alice", until))
	if len(minted) != Length {
		t.Errorf("%d bytes, want Length, %d", len(minted), Length)
	}
	if expires, ok := keys.Verify(minted, "alice"); !ok || !expires.Equal(until) {
		t.Errorf("Verify = %v, %v; want %v and true", expires, ok, until)
	}
	refused := func(keys Keys, token []byte, id string) {
		t.Helper()
		if _, ok := keys.Verify(token, id); ok {
			t.Errorf("%q admits %q", token, id)
		}
	}
	refused(keys, minted, "alic")
	refused(NewKeys(secretOf("t")), minted, "alice")
	refused(NewKeys(), minted, "alice")
	refused(keys, nil, "alice")
	refused(keys, append(bytes.Clone(minted), 'A'), "alice")
	for i := range minted {
		for c := range 256 {
			forged := bytes.Clone(minted)
			if forged[i] = byte(c); byte(c) != minted[i] {
				refused(keys, forged, "alice")
			}
		}
	}
}

// In a rotation all nodes know both secrets before anybody uses the new one, and know the old one
// until its last token has ended.
func TestTokensOfTheOldSecretAndOfTheNewAreGoodDuringARotation(t *testing.T) {
	old, fresh, until := secretOf("o"), secretOf("f"), time.Unix(1_800_000_000, 0)
	ofOld, ofFresh := []byte(Mint(old, "alice", until)), []byte(Mint(fresh, "alice", until))
	for _, tt := range []struct {
		name             string
		keys             Keys
		oldGood, newGood bool
	}{
		{"before", NewKeys(old), true, false},
		{"told", NewKeys(old, fresh), true, true},
		{"changed", NewKeys(fresh, old), true, true},
		{"after", NewKeys(fresh), false, true},
	} {
		if _, ok := tt.keys.Verify(ofOld, "alice"); ok != tt.oldGood {
			t.Errorf("%s: a token of the old secret is good: %v", tt.name, ok)
		}
		if _, ok := tt.keys.Verify(ofFresh, "alice"); ok != tt.newGood {
			t.Errorf("%s: a token of the new secret is good: %v", tt.name, ok)
		}
	}
}

// Four bytes can be the same for two secrets. Neither hides the other then.
func TestTwoSecretsOfOneKeyIDAreBothTried(t *testing.T) {
	a, b := secretOf("a"), secretOf("b")
	keys := NewKeys(a, b)
	keys[0].id = keys[1].id
	if _, ok := keys.Verify([]byte(Mint(b, "alice", time.Unix(1, 0))), "alice"); !ok {
		t.Error("a secret of the same key id hides the one of which the token was made")
	}
}

func TestKeysAreNotTheirCallersBytes(t *testing.T) {
	secret := secretOf("s")
	minted, keys := []byte(Mint(secret, "alice", time.Unix(1, 0))), NewKeys(secret)
	clear(secret)
	if _, ok := keys.Verify(minted, "alice"); !ok {
		t.Error("a secret that its caller has wiped is not known any more")
	}
}

func TestASecretIsALine(t *testing.T) {
	a, b := string(secretOf("a")), string(secretOf("b"))
	for text, want := range map[string]any{
		a:                               []string{a},
		a + "\n":                        []string{a},
		a + "\r\n" + b + " \n":          []string{a, b},
		"\n" + a + "\n\n" + b + "\n\n":  []string{a, b},
		"":                              "there is no secret",
		"\n \n":                         "there is no secret",
		"short":                         "line 1 has 5 bytes, at least 32",
		a + "\n\nshort\n":               "line 3 has 5 bytes, at least 32",
		strings.Repeat(" ", 40) + "\n":  "there is no secret",
		"\xff\x00" + a[2:] + "\x01\x02": []string{"\xff\x00" + a[2:] + "\x01\x02"},
	} {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		secrets, err := ReadSecrets(file)
		switch want := want.(type) {
		case []string:
			if err != nil || !slices.EqualFunc(secrets, want, func(b []byte, s string) bool { return string(b) == s }) {
				t.Errorf("%q: %q, %v", text, secrets, err)
			}
		case string:
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
				t.Errorf("%q: %v; want the file and %q", text, err, want)
			}
		}
	}
}
