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
	secret := []byte(strings.Repeat("s", 32))
	a, b, stranger := NewSeals(secret, rand.Reader), NewSeals(secret, rand.Reader), NewSeals(nil, rand.Reader)
	now := time.Unix(1_700_000_000, 0)
	token := a.Pass(nil, now.Add(time.Hour), codec.SessionID{Epoch: 1, Handle: 2}, []byte("alice"))
	returns := func(s *Seals, now time.Time, id string) bool {
		_, ok := s.Returns(now, token, []byte(id))
		return ok
	}
	if !returns(b, now, "alice") {
		t.Error("another node of the cluster does not know the token")
	}
	if returns(stranger, now, "alice") || returns(b, now.Add(2*time.Hour), "alice") {
		t.Error("a token was accepted by a stranger, or after its end")
	}
}
