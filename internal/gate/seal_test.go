package gate

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestTicketsCannotBeForgedSharedMovedReusedOrKept(t *testing.T) {
	s := NewSeals(nil, rand.Reader)
	id := func(i int) []byte { return fmt.Appendf(nil, "client-%d", i) }
	now := time.Hour
	alice := []byte("alice")
	ticket := s.Ticket(nil, now, alice)
	forged := append([]byte(nil), ticket...)
	forged[7] ^= 1
	tests := []struct {
		name   string
		seals  *Seals
		ticket []byte
		id     string
		now    time.Duration
	}{
		{"forged", s, forged, "alice", now},
		{"of another id", s, ticket, "bob", now},
		{"of another node", NewSeals(nil, rand.Reader), ticket, "alice", now},
		{"too early", s, ticket, "alice", now - time.Second},
		{"too late", s, ticket, "alice", now + ticketGrace + time.Second},
		{"cut", s, ticket[:20], "alice", now},
		{"none", s, nil, "alice", now},
	}
	for _, tt := range tests {
		if _, ok := tt.seals.Redeem(tt.now, tt.ticket, []byte(tt.id)); ok {
			t.Errorf("a ticket %s was accepted", tt.name)
		}
	}
	if _, ok := s.Redeem(now+time.Second, ticket, alice); !ok {
		t.Fatal("a good ticket was refused")
	}
	for d := time.Duration(0); d < 3*ticketGrace; d += time.Second / 2 {
		s.Redeem(now+time.Second+d, s.Ticket(nil, now+d, id(int(d))), id(int(d))) // others' tickets rotate the list
		if _, ok := s.Redeem(now+time.Second+d, ticket, alice); ok {
			t.Fatalf("a ticket was good twice, %v later", d)
		}
	}
}

func TestReturnPassOfANodeIsKnownToItsClusterOnly(t *testing.T) {
	secret := [][]byte{[]byte(strings.Repeat("s", 32))}
	a, b, stranger := NewSeals(secret, rand.Reader), NewSeals(secret, rand.Reader), NewSeals(nil, rand.Reader)
	now := time.Unix(1_700_000_000, 0)
	token := a.Pass(nil, now.Add(time.Hour), codec.SessionID{Epoch: 1, Handle: 2}, 7<<16, []byte("alice"))
	returns := func(s *Seals, now time.Time, id string) bool {
		_, _, ok := s.Returns(now, token, []byte(id))
		return ok
	}
	if !returns(b, now, "alice") {
		t.Error("another node of the cluster does not know the token")
	}
	if returns(stranger, now, "alice") || returns(b, now.Add(2*time.Hour), "alice") {
		t.Error("a token was accepted by a stranger, or after its end")
	}
}

// A secret is changed while clients hold passes of the old one: nodes know both, and then sign with
// the new one.
func TestReturnPassesOutliveARotationOfTheSecret(t *testing.T) {
	old, fresh := []byte(strings.Repeat("o", 32)), []byte(strings.Repeat("f", 32))
	now := time.Unix(1_700_000_000, 0)
	session := codec.SessionID{Epoch: 1, Handle: 2}
	before, told := NewSeals([][]byte{old}, rand.Reader), NewSeals([][]byte{old, fresh}, rand.Reader)
	changed, after := NewSeals([][]byte{fresh, old}, rand.Reader), NewSeals([][]byte{fresh}, rand.Reader)
	for _, tt := range []struct {
		name         string
		signs, knows *Seals
		want         bool
	}{
		{"of the old secret, at a node that was told", before, told, true},
		{"of a node that was told, at one that was not", told, before, true},
		{"of the old secret, at a node that has changed", told, changed, true},
		{"of the new secret, at a node that was told", changed, told, true},
		{"of the old secret, where it is forgotten", told, after, false},
		{"of the new secret, where the old is forgotten", changed, after, true},
		{"of the new secret, where nobody knows it", changed, before, false},
	} {
		pass := tt.signs.Pass(nil, now.Add(time.Hour), session, 7<<16, []byte("alice"))
		id, stamp, ok := tt.knows.Returns(now, pass, []byte("alice"))
		if ok != tt.want || ok && (id != session || stamp != 7<<16) {
			t.Errorf("a pass %s: %v, %v; want %v", tt.name, id, ok, tt.want)
		}
	}
}

func TestNoByteOfAReturnPassCanBeAnother(t *testing.T) {
	s := NewSeals([][]byte{[]byte(strings.Repeat("o", 32)), []byte(strings.Repeat("f", 32))}, rand.Reader)
	now := time.Unix(1_700_000_000, 0)
	pass := s.Pass(nil, now.Add(time.Hour), codec.SessionID{Epoch: 1, Handle: 2}, 7<<16, []byte("alice"))
	if len(pass) > MaxSealLen {
		t.Errorf("a pass of %d bytes, MaxSealLen is %d", len(pass), MaxSealLen)
	}
	for i := range pass {
		for bit := range 8 {
			forged := append([]byte(nil), pass...)
			forged[i] ^= 1 << bit
			if _, _, ok := s.Returns(now, forged, []byte("alice")); ok {
				t.Errorf("bit %d of byte %d can be another", bit, i)
			}
		}
	}
	for size := range len(pass) {
		if _, _, ok := s.Returns(now, pass[:size], []byte("alice")); ok {
			t.Errorf("%d bytes of a pass are enough", size)
		}
	}
}

func TestTwoSecretsOfOneKeyIDAreBothTried(t *testing.T) {
	a, b := []byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 32))
	s, of := NewSeals([][]byte{a, b}, rand.Reader), NewSeals([][]byte{b}, rand.Reader)
	(*s.cluster.Load())[0].id = (*s.cluster.Load())[1].id
	now := time.Unix(1_700_000_000, 0)
	if _, _, ok := s.Returns(now, of.Pass(nil, now.Add(time.Hour), codec.SessionID{}, 7<<16, []byte("alice")), []byte("alice")); !ok {
		t.Error("a secret of the same key id hides the one that signed")
	}
}
