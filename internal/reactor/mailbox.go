package reactor

import (
	"sync"
	"sync/atomic"

	"github.com/valyala/bytebufferpool"

	"github.com/stormwheel/stormwheel/codec"
)

type postKind uint8

const (
	postDeliver postKind = iota
	postOptional
	postAwaited
	postAck
	postNack
	postClose
	postJoin
	postLeave
	postCall
	postDone // it was done ahead of its turn
)

// post is work that another goroutine asks of a session.
type post struct {
	kind   postKind
	code   codec.Code // to close with
	handle uint64
	ack    codec.AckMessage
	body   *bytebufferpool.ByteBuffer // to deliver, or a NACK; owned by the mailbox
	waiter Waiter                     // of postAwaited; the group of postJoin and postLeave
	call   func(*Reactor)             // of postCall
}

// Closing is the end of a session that one loop asks of another, or of itself. Loop says whose
// mailbox it is for.
type Closing struct {
	handle uint64
	why    Reason
	heir   uint64 // handle of the connection beyond the gate's places that takes this one's
	heired bool   // there is one
	by     Origin // of the session that supersedes
}

// Loop is the number of the loop that has the session.
func (c Closing) Loop() uint8 { return uint8(c.handle >> 56) }

// Mailbox carries work to one loop. Messages are bounded in number and bytes; closing a
// session always fits, since it is how room is made. Posts are done in the order in which they
// came, so that a close does not overtake what was sent before it.
type Mailbox struct {
	mu      sync.Mutex
	posts   []post
	exempt  int // of posts, those that are not bounded: they close, or are bounded elsewhere
	bytes   int
	closing []Closing
	answers []Answer // at most one for each connection that is being checked
	closed  bool     // the loop has ended

	refused atomic.Uint64 // posts that found it full; any goroutine

	// Owned by the loop: what was taken out and not done yet.
	doing        []post
	doingNext    int
	closingTaken []Closing
	answersTaken []Answer
}

// Deliver leaves a message for a session. It is copied. If the box is full it returns ErrBusy, and
// ErrClosed when the loop has ended, as all do.
func (m *Mailbox) Deliver(handle uint64, body []byte) error {
	return m.putBody(post{kind: postDeliver, handle: handle}, body)
}

// DeliverOptional leaves a message that a slow client can do without.
func (m *Mailbox) DeliverOptional(handle uint64, body []byte) error {
	return m.putBody(post{kind: postOptional, handle: handle}, body)
}

// DeliverAwaited leaves a message whose outcome the application is told, once, unless there is an
// error.
func (m *Mailbox) DeliverAwaited(handle uint64, body []byte, w Waiter) error {
	return m.putBody(post{kind: postAwaited, handle: handle, waiter: w}, body)
}

func (m *Mailbox) putBody(p post, body []byte) error {
	p.body = bytebufferpool.Get()
	_, _ = p.body.Write(body) // never fails
	err := m.put(p)
	if err != nil {
		bytebufferpool.Put(p.body)
	}
	return err
}

// Ack leaves the acknowledgement of messages. One that goes on where the last post ended joins it.
func (m *Mailbox) Ack(handle uint64, ack codec.AckMessage) error {
	switch {
	case ack.First > ack.Last:
		return ErrRange
	case ack.Last == 0:
		return nil
	}
	return m.put(post{kind: postAck, handle: handle, ack: ack})
}

// Nack leaves the refusal of a message. It returns ErrBusy, or what codec.AppendNack does.
func (m *Mailbox) Nack(handle uint64, nack *codec.NackMessage) error {
	if nack.Number == 0 {
		return nil
	}
	p := post{kind: postNack, handle: handle, body: bytebufferpool.Get()}
	var err error
	if p.body.B, err = codec.AppendNack(p.body.B, nack); err == nil {
		err = m.put(p)
	}
	if err != nil {
		bytebufferpool.Put(p.body)
	}
	return err
}

// Close leaves the end of a session with a GOAWAY of the given code. It always fits.
func (m *Mailbox) Close(handle uint64, code codec.Code) {
	_ = m.put(post{kind: postClose, handle: handle, code: code})
}

// Member leaves that a session joins a group, or leaves it.
func (m *Mailbox) Member(handle uint64, group string, join bool) error {
	p := post{kind: postLeave, handle: handle, waiter: group}
	if join {
		p.kind = postJoin
	}
	return m.put(p)
}

// Call leaves something to be done on the loop, in its turn. It always fits: who calls bounds it. It is
// not done, and nobody is told, when the loop has ended; then the error is ErrClosed.
func (m *Mailbox) Call(do func(*Reactor)) error { return m.put(post{kind: postCall, call: do}) }

// Forward leaves what another loop asks. It always fits.
func (m *Mailbox) Forward(c Closing) {
	m.mu.Lock()
	m.closing = append(m.closing, c)
	m.mu.Unlock()
}

// Answer leaves what came of a check. It always fits.
func (m *Mailbox) Answer(a Answer) {
	m.mu.Lock()
	m.answers = append(m.answers, a)
	m.mu.Unlock()
}

// Refused counts what did not fit.
func (m *Mailbox) Refused() uint64 { return m.refused.Load() }

// put adds p, or says that the box is full, which it never is for a close. It takes over
// p.body if it does.
func (m *Mailbox) put(p post) error {
	size := 0
	if p.body != nil {
		size = p.body.Len()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return ErrClosed
	case p.kind == postClose, p.kind == postCall:
		m.exempt++
	case p.kind == postAck && m.join(p):
		return nil
	case len(m.posts)-m.exempt >= mailboxPosts || m.bytes+size > mailboxBytes:
		m.refused.Add(1)
		return ErrBusy
	}
	m.posts = append(m.posts, p)
	m.bytes += size
	return nil
}

// join has the last post say what p does, too, if it is the ACK before.
func (m *Mailbox) join(p post) bool {
	if len(m.posts) == 0 {
		return false
	}
	last := &m.posts[len(m.posts)-1]
	if last.kind != postAck || last.handle != p.handle || last.ack.What != p.ack.What || p.ack.First == 0 || last.ack.Last != p.ack.First-1 {
		return false
	}
	last.ack.Last = p.ack.Last
	return true
}

// close has the box take nothing any more. What was not done is left in doing. The loop has ended.
func (m *Mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	left := append(m.doing[m.doingNext:len(m.doing):len(m.doing)], m.posts...)
	m.closed, m.doing, m.posts, m.doingNext = true, left, nil, 0
}

// take moves what has arrived to the loop's side, once the previous load is done. The
// slices change places, so that a steady flow allocates nothing.
func (m *Mailbox) take() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.doingNext == len(m.doing) {
		m.doing, m.posts = m.posts, m.doing[:0]
		m.doingNext, m.exempt, m.bytes = 0, 0, 0
	}
	if len(m.closingTaken) == 0 {
		m.closingTaken, m.closing = m.closing, nil
	}
	if len(m.answersTaken) == 0 {
		m.answersTaken, m.answers = m.answers, nil
	}
}

// takeOf takes out what waits for one session, ahead of its turn.
func (m *Mailbox) takeOf(handle uint64) (own []post) {
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

// Empty says that nothing has arrived since the loop last took what there was.
func (m *Mailbox) Empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.posts) == 0 && len(m.closing) == 0 && len(m.answers) == 0
}
