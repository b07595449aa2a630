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
	postCall
	postOptional
	postAwaited
	postRequest
	postReply
	postAck
	postNack
	postMove
	postClose
	postJoin
	postLeave
	postLoop
	postDone // it was done ahead of its turn
)

// post is work that another goroutine asks of a session.
type post struct {
	kind   postKind
	sure   bool       // it always fits
	code   codec.Code // to close with
	handle uint64
	ack    codec.AckMessage           // of postReply: what it replies to
	body   *bytebufferpool.ByteBuffer // to deliver, or a NACK or GOAWAY; owned by the mailbox
	waiter any                        // what its kind wants: a Waiter, func(Slot) of postCall, func(*Reactor) of postLoop, the group of postJoin and postLeave
	next   int32                      // in its run, of the same session; 0: none. The loop's
}

// exempt says that it is not bounded here: it makes room, or who posts it bounds it.
func (p *post) exempt() bool { return p.sure || p.kind == postClose || p.kind == postLoop }

// size is about how many bytes it becomes.
func (p *post) size() int {
	if p.body == nil {
		return codec.Overhead + 32
	}
	return codec.Overhead + 8 + len(p.body.B)
}

// Mailbox carries work to one loop. Messages are bounded in number and bytes; closing a
// session always fits, since it is how room is made, and so does what one loop tells another's
// session of its SENDs. Posts are done in the order in which they
// came, so that a close does not overtake what was sent before it.
type Mailbox struct {
	mu      sync.Mutex
	posts   []post
	sure    int // of posts, those that always fit
	bytes   int
	closing []Closing
	answers []Answer // at most one for each connection that is being checked
	closed  bool     // the loop has ended

	some    atomic.Bool   // something has arrived since the loop last took; changed under mu
	refused atomic.Uint64 // posts that found it full; any goroutine

	// What was taken out and not done, as of the last turn, takes room all the same, so that posters
	// get room as it becomes free, and not all of it at once.
	left, leftBytes atomic.Int64

	// Owned by the loop: what was taken out and not done yet.
	barred       bool // take found others at the box the last time
	doing        []post
	doingNext    int
	doingLeft    int // of doing, those that are not done and would not always fit
	doingBytes   int // and their bytes
	run          run // of doing, what is linked
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

// Verdict leaves what another loop tells. It always fits.
func (m *Mailbox) Verdict(v Verdict) {
	p := post{kind: postAck, sure: true, handle: v.Handle, ack: v.Ack}
	switch {
	case v.Nack != nil:
		p.kind, p.body = postNack, bytebufferpool.Get()
		p.body.B, _ = codec.AppendNack(p.body.B, v.Nack) // was checked when it was said
	case v.Replied:
		p.kind, p.body = postReply, bytebufferpool.Get()
		p.body.B = append(p.body.B, v.Reply...)
	}
	if m.put(p) != nil && p.body != nil {
		bytebufferpool.Put(p.body)
	}
}

// Close leaves the end of a session, as Kick has it. It always fits.
func (m *Mailbox) Close(handle uint64, code codec.Code, goAway []byte) {
	p := post{kind: postClose, handle: handle, code: code}
	if len(goAway) == 0 {
		_ = m.put(p)
		return
	}
	_ = m.putBody(p, goAway)
}

// Move leaves a GOAWAY that asks a session to move.
func (m *Mailbox) Move(handle uint64, goAway []byte) error {
	return m.putBody(post{kind: postMove, handle: handle}, goAway)
}

// Member leaves that a session joins a group, or leaves it.
func (m *Mailbox) Member(handle uint64, group string, join bool) error {
	p := post{kind: postLeave, handle: handle, waiter: group}
	if join {
		p.kind = postJoin
	}
	return m.put(p)
}

// OnLoop leaves something to be done on the loop, for no session. It always fits: who calls bounds
// it. If the loop has ended it is not done, and the error is ErrClosed; if it ends before, nobody is
// told.
func (m *Mailbox) OnLoop(do func(*Reactor)) error { return m.put(post{kind: postLoop, waiter: do}) }

// Forward leaves what another loop asks. It always fits.
func (m *Mailbox) Forward(c Closing) {
	m.mu.Lock()
	m.closing = append(m.closing, c)
	m.some.Store(true)
	m.mu.Unlock()
}

// Answer leaves what came of a check. It always fits.
func (m *Mailbox) Answer(a Answer) {
	m.mu.Lock()
	m.answers = append(m.answers, a)
	m.some.Store(true)
	m.mu.Unlock()
}

// Refused counts what did not fit.
func (m *Mailbox) Refused() uint64 { return m.refused.Load() }

// put adds p, or says that the box is full, which it never is for a close and what loops tell each
// other. It takes over p.body if it does.
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
	case p.exempt():
		m.sure++
	case p.kind == postAck && m.join(p):
		return nil
	case len(m.posts)-m.sure+int(m.left.Load()) >= mailboxPosts || m.bytes+size+int(m.leftBytes.Load()) > mailboxBytes:
		m.refused.Add(1)
		return ErrBusy
	}
	if m.posts = append(m.posts, p); len(m.posts) == 1 {
		m.some.Store(true)
	}
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
//
// A loop that waits for the lock waits for whoever holds it to get a processor, for milliseconds at
// times. So what is there is left for the next turn if others keep the box busy, but not twice.
func (m *Mailbox) take() {
	if !m.some.Load() {
		return
	}
	if !m.tryLock() {
		if m.barred = !m.barred; m.barred {
			return
		}
		m.mu.Lock()
	}
	defer m.mu.Unlock()
	m.barred = false
	if m.doingNext == len(m.doing) {
		m.doing, m.posts = m.posts, m.doing[:0]
		m.doingLeft, m.doingBytes = len(m.doing)-m.sure, m.bytes
		m.doingNext, m.sure, m.bytes = 0, 0, 0
		m.tellLeft()
		m.run.end = 0
	}
	if len(m.closingTaken) == 0 {
		m.closingTaken, m.closing = m.closing, nil
	}
	if len(m.answersTaken) == 0 {
		m.answersTaken, m.answers = m.answers, nil
	}
	m.some.Store(len(m.posts)+len(m.closing)+len(m.answers) > 0)
}

// did counts one of those that were taken.
func (m *Mailbox) did(p *post) {
	if !p.exempt() {
		m.doingLeft--
	}
	if p.body != nil {
		m.doingBytes -= len(p.body.B)
	}
}

// tellLeft lets posters know how much room there is. What was done ahead of its turn takes it until
// the others are done.
func (m *Mailbox) tellLeft() {
	if m.doingNext == len(m.doing) {
		m.doingLeft, m.doingBytes = 0, 0
	}
	m.left.Store(int64(m.doingLeft))
	m.leftBytes.Store(int64(m.doingBytes))
}

// lockTries is how often a loop asks for the lock at once: longer than a post takes.
const lockTries = 64

func (m *Mailbox) tryLock() bool {
	for range lockTries {
		if m.mu.TryLock() {
			return true
		}
	}
	return false
}

// takeOf takes out what waits for one session, ahead of its turn.
func (m *Mailbox) takeOf(handle uint64) (own []post) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, waiting := range [][]post{m.doing[m.doingNext:], m.posts} {
		for i := range waiting {
			if p := &waiting[i]; p.handle == handle && p.kind != postDone && p.kind != postLoop {
				own = append(own, *p)
				p.kind, p.body, p.waiter = postDone, nil, nil // its room is free when the others are done
			}
		}
	}
	return own
}

// Empty says that nothing has arrived since the loop last took what there was.
func (m *Mailbox) Empty() bool { return !m.some.Load() }

// Call leaves something to be done with a session on its loop, as a callback of it. f must not block,
// nor fail.
func (m *Mailbox) Call(handle uint64, f func(Slot)) error {
	return m.put(post{kind: postCall, handle: handle, waiter: f})
}
