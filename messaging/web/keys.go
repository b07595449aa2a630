package web

import (
	"crypto/sha256"
	"sync"
	"time"
)

// keys remembers requests by their idempotency keys, and what was answered. It has no clock.
type keys struct {
	most int
	life time.Duration

	mu      sync.Mutex
	known   map[digest]*keyed
	settled []*keyed // those that have an answer, the oldest first
}

type digest = [sha256.Size]byte

// keyed is a request with a key.
type keyed struct {
	key    digest // of path and key
	body   digest
	answer *reply // nil: it is in work
	at     time.Time
}

func newKeys(most int, life time.Duration) *keys {
	return &keys{most: most, life: life, known: make(map[digest]*keyed)}
}

// begin takes a request in work, whose end is settle or forget, or says what it is answered instead: what
// the first of its key was, or why not.
func (k *keys) begin(key, body digest, now time.Time) (first *keyed, instead *reply) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var why *Error
	old := k.known[key]
	if old != nil && old.answer != nil && now.Sub(old.at) >= k.life {
		old = nil
	}
	switch {
	case old != nil && old.body != body:
		why = failure(codeKeyReused, "The Idempotency-Key was used here with another body.")
	case old != nil && old.answer == nil:
		why = failure(codeKeyInWork, "The first request with this Idempotency-Key is still in work.")
	case old != nil:
		again := *old.answer
		again.replayed = true
		return nil, &again
	case !k.makeRoom(now):
		why = failure(codeBusy, "The node has as many requests with an Idempotency-Key in work as it may.")
	default:
		first = &keyed{key: key, body: body}
		k.known[key] = first
		return first, nil
	}
	re := why.reply()
	return nil, &re
}

// makeRoom forgets some that are too old, or the oldest where there are too many, and reports whether another has
// room. Not all at once: an event loop may wait for the lock. With the lock held.
func (k *keys) makeRoom(now time.Time) bool {
	const most = 16 // of which one at least makes room for who comes
	for i := 0; i < most && len(k.settled) > 0; i++ {
		oldest := k.settled[0]
		if len(k.known) < k.most && now.Sub(oldest.at) < k.life {
			return true
		}
		k.settled[0] = nil
		k.settled = k.settled[1:]
		k.drop(oldest)
	}
	return len(k.known) < k.most
}

// drop forgets a request, unless its key is another's by now. With the lock held.
func (k *keys) drop(of *keyed) {
	if k.known[of.key] == of {
		delete(k.known, of.key)
	}
}

// settle notes the answer. One that says that another time may do is forgotten: so that is tried anew.
func (k *keys) settle(of *keyed, re reply, now time.Time) {
	if re.again || re.status >= 500 {
		k.forget(of)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	of.answer, of.at = &re, now
	k.settled = append(k.settled, of)
}

// forget is for what was not begun.
func (k *keys) forget(of *keyed) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(of)
}
