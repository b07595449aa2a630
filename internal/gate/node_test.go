package gate

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// A simulation with the same seed is the same: epoch, keys, and which key is forgotten.
func TestTheSameRandomnessMakesTheSameDecisions(t *testing.T) {
	make := func(seed byte) *Node {
		return NewNode(Config{Heartbeat: time.Second, Tick: time.Second, AdmitRate: 10, FailoverRate: 10, IDRate: 0.2},
			rand.NewChaCha8([32]byte{seed}))
	}
	a, b, other := make(1), make(1), make(2)
	alice, addr := []byte("alice"), netip.MustParseAddr("192.0.2.1")
	if a.Epoch != b.Epoch || a.Epoch == other.Epoch {
		t.Errorf("epochs %x, %x and %x", a.Epoch, b.Epoch, other.Epoch)
	}
	if a.Seals.IDKey(alice, addr) != b.Seals.IDKey(alice, addr) || a.Seals.IDKey(alice, addr) == other.Seals.IDKey(alice, addr) {
		t.Error("keys of an id do not follow the seed alone")
	}
	if x, y := a.Seals.Ticket(nil, 1, alice), b.Seals.Ticket(nil, 1, alice); !bytes.Equal(x, y) {
		t.Error("tickets differ")
	}
	for key := range uint64(maxKeys + 1000) {
		a.IDs.Enter(0, key)
		b.IDs.Enter(0, key)
	}
	for i, r := range a.IDs.rows {
		if b.IDs.rows[i] != r {
			t.Fatalf("row %d is of %d and of %d", i, r.key, b.IDs.rows[i].key)
		}
	}
}
