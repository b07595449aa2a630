package server

import (
	"sync"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
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
	postClose
	postDone // it was done ahead of its turn
)

// post is work that another goroutine asks of a session.
type post struct {
	kind   postKind
	code   codec.Code // to close with
	handle uint64
	id     uint64                     // of the message to acknowledge
	body   *bytebufferpool.ByteBuffer // to deliver; owned by the mailbox
}

// closing is the end of a session that one loop asks of another, or of itself.
type closing struct {
	handle uint64
	why    Reason
	heir   uint64   // handle of the connection beyond the gate's places that takes this one's
	heired bool     // there is one
	by     *Session // the view of the session that supersedes, if there are views
}

// mailbox carries work to one loop. Messages are bounded in number and bytes; closing a
// session always fits, since it is how room is made. Posts are done in the order in which they
// came, so that a close does not overtake what was sent before it.
type mailbox struct {
	mu      sync.Mutex
	posts   []post
	closes  int // of posts, those that close
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

// put adds p, or says that the box is full, which it never is for a close. It takes over
// p.body if it does.
func (m *mailbox) put(p post) error {
	size := 0
	if p.body != nil {
		size = p.body.Len()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case p.kind == postClose:
		m.closes++
	case len(m.posts)-m.closes >= mailboxPosts || m.bytes+size > mailboxBytes:
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
		m.doingNext, m.closes, m.bytes = 0, 0, 0
	}
	if len(m.closingTaken) == 0 {
		m.closingTaken, m.closing = m.closing, nil
	}
	if len(m.answersTaken) == 0 {
		m.answersTaken, m.answers = m.answers, nil
	}
}

// takeOf takes out what waits for one session, ahead of its turn.
func (m *mailbox) takeOf(handle uint64) (own []post) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, waiting := range [][]post{m.doing[m.doingNext:], m.posts} {
		for i := range waiting {
			if p := &waiting[i]; p.handle == handle && p.kind != postDone {
				own = append(own, *p)
				p.kind, p.body = postDone, nil
			}
		}
	}
	return own
}

// empty says that nothing has arrived since the last take.
func (m *mailbox) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.posts) == 0 && len(m.closing) == 0 && len(m.answers) == 0
}

// runPosts does what other goroutines have asked for, until stop says that the turn is
// over. It reports whether more is left. What loops ask of each other comes first: it makes
// room.
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
		closed := p.kind == postClose
		r.runPost(p)
		if (closed && m.doingNext%16 == 0 || m.doingNext%64 == 0) && stop() {
			break
		}
	}
	r.posting = m.doingNext < len(m.doing)
	return r.posting
}

func (r *reactor) runClosing(c closing) {
	if c.heired {
		r.bequeath(c.handle, c.heir, c.by)
	}
	slot, ok := r.resolve(c.handle)
	switch {
	case !ok || c.by != nil && r.newer(slot, c.by):
		r.counters.Stale++
	case c.why == ReasonSuperseded:
		r.cut(slot, c.why) // nobody is there to say farewell to
	default:
		r.farewell(slot, c.why)
	}
}

// runPost does one post and gives its body back.
func (r *reactor) runPost(p *post) {
	if p.kind == postDone {
		return
	}
	if slot, ok := r.resolve(p.handle); ok {
		r.doPost(slot, p)
		r.flush(slot)
	} else {
		r.counters.Stale++
	}
	if p.body != nil {
		bytebufferpool.Put(p.body)
		p.body = nil
	}
}

func (r *reactor) doPost(slot timingwheel.ID, p *post) {
	switch p.kind {
	case postDeliver:
		_, _ = r.deliver(slot, p.body.B) // its size was checked when it was posted
	case postOptional:
		_, _ = r.deliverOptional(slot, p.body.B) // a drop is counted
	case postAck:
		_ = r.ack(slot, p.id) // the session is ready: resolve said so
	case postClose:
		r.kick = p.code
		r.farewell(slot, ReasonKicked)
	}
}

// runOwn does what was posted for a session that its handler closes: that comes before the
// goodbye.
func (r *reactor) runOwn(slot timingwheel.ID) {
	if r.mailbox == nil || r.mailbox.empty() && r.mailbox.doingNext == len(r.mailbox.doing) {
		return
	}
	kick := r.kick
	for _, p := range r.mailbox.takeOf(r.handle(slot)) {
		r.runPost(&p)
	}
	r.kick = kick
}
