package server

import (
	"sync"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/valyala/bytebufferpool"
)

// What may wait in one loop's mailbox.
const (
	mailboxPosts = 16 << 10
	mailboxBytes = 16 << 20
)

type postKind uint8

const (
	postDeliver postKind = iota
	postOptional
	postAck
)

// post is work that another goroutine asks of a session.
type post struct {
	kind   postKind
	handle uint64
	id     uint64                     // of the message to acknowledge
	body   *bytebufferpool.ByteBuffer // to deliver; owned by the mailbox
}

type closing struct {
	handle uint64
	why    Reason
	code   codec.Code // of ReasonKicked
	heir   uint64     // handle of the connection beyond the gate's places that takes this one's
	heired bool       // there is one
}

// mailbox carries work to one loop. Messages are bounded in number and bytes; closing a
// session always fits, since it is how room is made.
type mailbox struct {
	mu      sync.Mutex
	posts   []post
	bytes   int
	closing []closing
	answers []authAnswer // at most one for each connection that is being checked

	refused atomic.Uint64 // posts that found it full; any goroutine

	// Owned by the loop: what was taken out and not done yet.
	doing        []post
	doingNext    int
	closingTaken []closing
	answersTaken []authAnswer
}

// put adds p, or says that the box is full. It takes over p.body if it does.
func (m *mailbox) put(p post) error {
	size := 0
	if p.body != nil {
		size = p.body.Len()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.posts) >= mailboxPosts || m.bytes+size > mailboxBytes {
		m.refused.Add(1)
		return ErrBusy
	}
	m.posts = append(m.posts, p)
	m.bytes += size
	return nil
}

func (m *mailbox) putClosing(c closing) {
	m.mu.Lock()
	m.closing = append(m.closing, c)
	m.mu.Unlock()
}

func (m *mailbox) putAnswer(a authAnswer) {
	m.mu.Lock()
	m.answers = append(m.answers, a)
	m.mu.Unlock()
}

// take moves what has arrived to the loop's side, once the previous load is done. The
// slices change places, so that a steady flow allocates nothing.
func (m *mailbox) take() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.doingNext == len(m.doing) {
		m.doing, m.posts = m.posts, m.doing[:0]
		m.doingNext, m.bytes = 0, 0
	}
	if len(m.closingTaken) == 0 {
		m.closingTaken, m.closing = m.closing, nil
	}
	if len(m.answersTaken) == 0 {
		m.answersTaken, m.answers = m.answers, nil
	}
}

// empty says that nothing has arrived since the last take.
func (m *mailbox) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.posts) == 0 && len(m.closing) == 0 && len(m.answers) == 0
}

// runPosts does what other goroutines have asked for, until stop says that the turn is
// over. It reports whether more is left. Sessions are closed first: that makes room.
func (r *reactor) runPosts(m *mailbox, stop func() bool) (more bool) {
	m.take()
	r.posting = true
	for n := 1; len(m.closingTaken) > 0; n++ {
		r.runClosing(m.closingTaken[0])
		m.closingTaken = m.closingTaken[1:]
		if n%16 == 0 && stop() {
			return true
		}
	}
	for n := 1; len(m.answersTaken) > 0; n++ {
		r.authenticated(m.answersTaken[0])
		m.answersTaken = m.answersTaken[1:]
		if n%16 == 0 && stop() {
			return true
		}
	}
	for m.doingNext < len(m.doing) {
		p := &m.doing[m.doingNext]
		m.doingNext++
		r.runPost(p)
		if p.body != nil {
			bytebufferpool.Put(p.body)
			p.body = nil
		}
		if m.doingNext%64 == 0 && stop() {
			break
		}
	}
	r.posting = m.doingNext < len(m.doing)
	return r.posting
}

func (r *reactor) runClosing(c closing) {
	if c.heired {
		r.bequeath(c.handle, c.heir)
	}
	slot, ok := r.resolve(c.handle)
	switch {
	case !ok:
		r.counters.Stale++
	case c.why == ReasonSuperseded:
		r.cut(slot, c.why) // nobody is there to say farewell to
	default:
		r.kick = c.code
		r.farewell(slot, c.why)
	}
}

func (r *reactor) runPost(p *post) {
	slot, ok := r.resolve(p.handle)
	if !ok {
		r.counters.Stale++
		return
	}
	switch p.kind {
	case postDeliver:
		_, _ = r.deliver(slot, p.body.B) // its size was checked when it was posted
	case postOptional:
		_, _ = r.deliverOptional(slot, p.body.B) // a drop is counted
	case postAck:
		_ = r.ack(slot, p.id) // the session is ready: resolve said so
	}
	r.flush(slot)
}
