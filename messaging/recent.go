package messaging

import "time"

// recent knows the messages of the last while by their ids, so that a copy is no second message: of
// the last 5 minutes, at most 16,384 of the node. A message under way is known until it is settled, a
// refused one may come again. It is guarded by its shard's lock.
type recent struct {
	known map[copyOf]seenMessage
	order []arrival // as they came, some of which may be gone
}

// copyOf is what copies of one message have in common.
type copyOf struct {
	user string
	id   ID
}

type arrival struct {
	copyOf
	at time.Duration
}

type seenMessage struct {
	first *entry // under way; nil: it was settled
	what  Result
	at    time.Duration
}

const (
	recentMessages = 16384 / shards
	recentTime     = 5 * time.Minute
	underWay       = 2 * (answerTime + putTime) // by then it is settled, unless nobody waits for that
)

func (r *recent) init() { r.known = make(map[copyOf]seenMessage) }

// find returns the first copy, if it is under way, or what became of it, 0 if there was none.
func (r *recent) find(user string, id ID) (first *entry, what Result) {
	s := r.known[copyOf{user, id}]
	return s.first, s.what
}

func (r *recent) add(user string, id ID, e *entry, now time.Duration) {
	for len(r.order) > 0 {
		oldest := r.order[0]
		s, there := r.known[oldest.copyOf]
		there = there && s.at == oldest.at
		if there && (s.first != nil && now-s.at < underWay || len(r.order) < recentMessages && now-s.at < recentTime) {
			break
		}
		if there {
			delete(r.known, oldest.copyOf)
		}
		r.order = r.order[1:]
	}
	r.known[copyOf{user, id}] = seenMessage{first: e, at: now}
	r.order = append(r.order, arrival{copyOf{user, id}, now})
}

// settle notes what became of a message.
func (r *recent) settle(user string, id ID, what Result) {
	c := copyOf{user, id}
	s, there := r.known[c]
	switch {
	case !there:
	case what == Refused || what == Expired:
		delete(r.known, c)
	default:
		s.first, s.what = nil, what
		r.known[c] = s
	}
}
