package messaging

import (
	"hash/maphash"
	"math/bits"
	"time"
)

// recent knows the messages of the last while by their ids, so that a copy is no second message: of
// the last 5 minutes, at most 16,384 of the node. A message under way is known until it is settled, a
// refused one may come again. It is guarded by its shard's lock.
type recent struct {
	seed  maphash.Seed
	known map[uint64]uint64 // the numbers of those that are not forgotten, by a hash of what they have in common
	order []seenMessage     // as they came; those before head are forgotten
	head  int
	first uint64 // the number of order[0]; numbers begin with 1
}

// copyOf is what copies of one message have in common.
type copyOf struct {
	user string
	id   ID
}

type seenMessage struct {
	copyOf
	hash   uint64
	first  *entry // under way; nil: it was settled
	what   Result
	at     time.Duration
	unseen bool // it was refused: as if it had never come
}

const (
	recentMessages = 16384 / shards
	recentTime     = 5 * time.Minute
	underWay       = 2 * (answerTime + putTime) // by then it is settled, unless nobody waits for that
)

func (r *recent) init(seed maphash.Seed) { r.seed, r.known, r.first = seed, make(map[uint64]uint64), 1 }

// hash stands for a message. Of two that have the same, which nobody will see, the later is known.
func (r *recent) hash(user string, id *ID) uint64 {
	hi, lo := bits.Mul64(maphash.String(r.seed, user)^id.Incarnation, maphash.String(r.seed, id.Sender)|1)
	hi, lo = bits.Mul64(hi^lo^id.Number, 0x9e3779b97f4a7c15)
	return hi ^ lo
}

// find returns the first copy, if it is under way, or what became of it, 0 if there was none.
func (r *recent) find(user string, id ID) (first *entry, what Result) {
	if number, there := r.known[r.hash(user, &id)]; there {
		if s := &r.order[number-r.first]; s.copyOf == (copyOf{user, id}) {
			return s.first, s.what
		}
	}
	return nil, 0
}

// add notes a message that find does not know.
func (r *recent) add(user string, id ID, e *entry, now time.Duration) {
	r.forget(now)
	if len(r.order) == cap(r.order) && r.head > len(r.order)/2 {
		n := copy(r.order, r.order[r.head:])
		clear(r.order[n:])
		r.order, r.first, r.head = r.order[:n], r.first+uint64(r.head), 0
	}
	e.seen = r.first + uint64(len(r.order))
	hash := r.hash(user, &id)
	r.known[hash] = e.seen
	r.order = append(r.order, seenMessage{copyOf: copyOf{user, id}, hash: hash, first: e, at: now})
}

// forget forgets the oldest, as far as they need not be known.
func (r *recent) forget(now time.Duration) {
	for ; r.head < len(r.order); r.head++ {
		s := &r.order[r.head]
		if !s.unseen && (s.first != nil && now-s.at < underWay || len(r.order)-r.head < recentMessages && now-s.at < recentTime) {
			return
		}
		if !s.unseen {
			r.unknow(s, r.first+uint64(r.head))
		}
		*s = seenMessage{}
	}
}

// settle notes what became of a message, if it was added and is not forgotten.
func (r *recent) settle(e *entry, what Result) {
	if e.seen < r.first+uint64(r.head) {
		return
	}
	switch s := &r.order[e.seen-r.first]; {
	case s.unseen:
	case what == Refused || what == Expired:
		r.unknow(s, e.seen)
		*s = seenMessage{unseen: true}
	default:
		s.first, s.what = nil, what
	}
}

// unknow forgets a message, unless another that has its hash was noted since.
func (r *recent) unknow(s *seenMessage, number uint64) {
	if r.known[s.hash] == number {
		delete(r.known, s.hash)
	}
}
