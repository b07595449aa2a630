package gate

import (
	"sync"
	"sync/atomic"
	"time"
)

// Senders remembers which SENDs the node has taken, for all its loops, so that none is handled twice
// that comes again over another connection. A sender is a client id and an incarnation; it has a
// window from its first SEND with a number on, until sendersKept after its last session has ended. At
// most MaxSendersKept without a session are kept; beyond them the oldest of a sixty-fourth of all is
// forgotten. Any goroutine may use it.
//
// Where a window lies is looked up when a session sends for the first time, when it ends, and when
// somebody settles from outside. The loop keeps what it has found.
type Senders struct {
	mix     uint64 // odd and random, so that nobody chooses who meets at a shard
	windows atomic.Int64
	shards  [senderShards]senderShard
}

const (
	// MaxSendersKept is how many windows without a session are kept at most.
	MaxSendersKept = 1 << 16

	sendersKept     = 5 * time.Minute
	senderShardBits = 6
	senderShards    = 1 << senderShardBits
)

// senderKey names who numbers SENDs.
type senderKey struct {
	id          string
	incarnation uint64
}

// senderShard has the windows of some senders.
type senderShard struct {
	mu            sync.Mutex
	all           map[senderKey]*Sender
	most          int      // that all has had since it was made
	oldest, young *Sender  // ends of the list of those without a session
	kept          int      // its length
	_             [16]byte // a shard is a cache line
}

// begin makes it ready. random must not be foreseen by clients.
func (t *Senders) begin(random uint64) {
	t.mix = random | 1
	for i := range t.shards {
		t.shards[i].all = make(map[senderKey]*Sender)
	}
}

func (t *Senders) shard(incarnation uint64) *senderShard {
	return &t.shards[incarnation*t.mix>>(64-senderShardBits)]
}

// Join returns the window of a sender, made if there is none, for one of its sessions. That session
// gives it back with Leave.
func (t *Senders) Join(id []byte, incarnation uint64) *Sender {
	s := t.shard(incarnation)
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.all[senderKey{string(id), incarnation}] // does not allocate
	if w == nil {
		w = &Sender{key: senderKey{string(id), incarnation}}
		s.all[w.key] = w
		s.most = max(s.most, len(s.all))
		t.windows.Add(1)
	} else if w.sessions == 0 {
		s.unlink(w)
	}
	w.sessions++
	return w
}

// Find returns the window of a sender, nil if nothing was taken of it, or it is forgotten.
func (t *Senders) Find(id string, incarnation uint64) *Sender {
	s := t.shard(incarnation)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[senderKey{id, incarnation}]
}

// Leave says that a session has ended, which has called Join.
func (t *Senders) Leave(w *Sender, session uint64, now time.Duration) {
	w.leave(session)
	s := t.shard(w.key.incarnation)
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.sessions--; w.sessions > 0 {
		return
	}
	w.left = now
	s.link(w)
	if s.kept > MaxSendersKept/senderShards {
		t.forget(s)
	}
}

// Tidy forgets those whose time is over. It is to be called about once a tick.
func (t *Senders) Tidy(now time.Duration) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for s.oldest != nil && now-s.oldest.left >= sendersKept {
			t.forget(s)
		}
		s.shrink()
		s.mu.Unlock()
	}
}

// Len is how many windows there are.
func (t *Senders) Len() int64 { return t.windows.Load() }

// forget forgets the window that is without a session for longest; the mutex is held.
func (t *Senders) forget(s *senderShard) {
	w := s.oldest
	s.unlink(w)
	delete(s.all, w.key)
	t.windows.Add(-1)
}

// link appends a window to those without a session.
func (s *senderShard) link(w *Sender) {
	if w.prev = s.young; w.prev != nil {
		w.prev.next = w
	} else {
		s.oldest = w
	}
	s.young = w
	s.kept++
}

// unlink takes one out.
func (s *senderShard) unlink(w *Sender) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		s.oldest = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		s.young = w.prev
	}
	w.prev, w.next = nil, nil
	s.kept--
}

// shrink gives back the memory of a map that was much larger: it keeps what it had when it is emptied.
func (s *senderShard) shrink() {
	if s.most < 1024 || len(s.all) > s.most/4 {
		return
	}
	all := make(map[senderKey]*Sender, len(s.all))
	for key, w := range s.all {
		all[key] = w
	}
	s.all, s.most = all, len(all)
}
