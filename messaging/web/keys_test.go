package web

import (
	"encoding/binary"
	"net/http"
	"testing"
	"time"
)

// keyring is a memory of keys on a clock that the test moves.
type keyring struct {
	*keys
	t   *testing.T
	now time.Time
}

func (k *keyring) begins(n int) *keyed {
	k.t.Helper()
	first, instead := k.begin(nth(n), digest{}, k.now)
	if first == nil {
		k.t.Fatalf("key %d: %s", n, instead.body)
	}
	return first
}

// instead is what the second of a key is answered.
func (k *keyring) instead(n int, body digest) reply {
	k.t.Helper()
	first, instead := k.begin(nth(n), body, k.now)
	if first != nil {
		k.t.Fatalf("key %d was begun again", n)
	}
	return *instead
}

func nth(n int) (d digest) {
	binary.BigEndian.PutUint64(d[:], uint64(n))
	return d
}

func TestKeysAreBoundedAndTheOldestGo(t *testing.T) {
	k := keyring{newKeys(3, time.Hour), t, time.Unix(0, 0)}
	one, two := k.begins(1), k.begins(2)
	k.settle(two, reply{status: 200}, k.now)
	k.settle(one, reply{status: 200}, k.now)
	k.begins(3)
	k.begins(4) // for which the one that was settled first goes
	if re := k.instead(1, digest{}); re.status != 200 || !re.replayed {
		t.Errorf("%+v", re)
	}
	k.begins(2) // for which 1 goes: what is in work stays
	if len(k.known) != 3 {
		t.Errorf("%d keys are known", len(k.known))
	}
	if re := k.instead(5, digest{}); re.status != http.StatusServiceUnavailable || !re.again {
		t.Errorf("where all are in work: %+v", re)
	}
}

func TestKeysAreForgottenWithTime(t *testing.T) {
	k := keyring{newKeys(100, time.Hour), t, time.Unix(0, 0)}
	for n := range 50 {
		k.settle(k.begins(n), reply{status: 200}, k.now)
	}
	k.now = k.now.Add(time.Hour - 1)
	if re := k.instead(49, digest{}); re.status != 200 {
		t.Errorf("%+v", re)
	}
	k.now = k.now.Add(1)
	k.begins(49) // it is behind those that one call forgets
	for n := 100; n < 104; n++ {
		k.begins(n)
	}
	if len(k.known) != 5 || len(k.settled) != 0 {
		t.Errorf("%d keys are known, %d settled", len(k.known), len(k.settled))
	}
	if re := k.instead(49, digest{}); re.status != http.StatusConflict {
		t.Errorf("who took the place of one that was old: %+v", re)
	}
}

func TestWhatMayBeTriedAgainIsForgotten(t *testing.T) {
	k := keyring{newKeys(3, time.Hour), t, time.Unix(0, 0)}
	k.settle(k.begins(1), reply{status: 503, again: true}, k.now)
	k.settle(k.begins(1), reply{status: 500}, k.now)
	k.settle(k.begins(1), reply{status: 409}, k.now)
	if re := k.instead(1, digest{}); re.status != 409 || !re.replayed {
		t.Errorf("%+v", re)
	}
	if re := k.instead(1, digest{1}); re.status != http.StatusUnprocessableEntity {
		t.Errorf("with another body: %+v", re)
	}
}
