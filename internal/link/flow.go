package link

import "time"

// A slow link is no dead link, and a live kernel is no live server. A PING may stand behind
// much that was written before it: while the peer's kernel takes that, the pong timeout
// starts anew. Once it has the PING, nothing that it takes says anything any more, since a
// kernel takes 100 KB and more for a process that is stopped. Then only what comes from the
// server counts: a frame whose end is missing yet, but which grows.

const (
	// The least rate at which bytes have to move.
	leastBytes = 4096
	leastTime  = 10 * time.Second

	// looks is how often in a pong timeout the link asks whether the peer's kernel has the
	// PING. An answer that comes before the first look costs none.
	looks = 8
)

// Flow is what an owner knows of the bytes of a connection.
type Flow struct {
	// Untaken are the bytes which the link had written and which the peer's kernel has not
	// taken: they wait with the owner, or in its kernel.
	Untaken int

	// Taken are the bytes that the peer's kernel took, counted from anywhere. Owners that
	// know no more than Untaken leave it 0.
	Taken int64

	// Blind: what is written counts as taken, for want of better knowledge, and a write may be
	// under way of which nothing is seen before it is done. It is for the owner to end one that
	// leads nowhere.
	Blind bool

	Partial int // bytes that have come of a frame whose end is missing

	// Held: the owner cannot read, for a reason of its own, such as an application that takes
	// its time over a message. It calls Released when it can.
	Held bool
}

// flowing watches the bytes of one direction.
type flowing struct {
	since time.Duration // when the present stretch of leastTime began
	from  int64         // the bytes then
	mark  int64         // the bytes when moved was last called
}

// moved reports whether anything has moved since the last call, and all in all no slower
// than it must.
func (f *flowing) moved(now time.Duration, bytes int64) bool {
	ok := bytes > f.mark
	f.mark = bytes
	if stretch := now - f.since; stretch >= leastTime*4/5 {
		ok = ok && bytes-f.from >= leastBytes*int64(stretch)/int64(leastTime)
		f.since, f.from = now, bytes
	}
	return ok
}

// slowness is what is known of a PING that is not answered soon.
type slowness struct {
	looked time.Duration // the latest look at which the peer's kernel did not have it
	out    flowing       // what the peer's kernel took
	in     flowing       // of the frame that is coming: it is one, or the wait would be over
}

// Asks reports whether Tick wants to be told the Flow of a connection before it is called
// at now. To tell may cost a system call, so it is asked for only when a PONG is late, and by
// a connection that its session has left, and while a session sends again.
func (l *Link) Asks(now time.Duration, attempt uint32) bool {
	c := l.find(attempt)
	switch h := &l.heartbeat; {
	case c == nil || c.state != StateReady:
		return false
	case l.leaving(c):
		return now >= c.due && !c.saidBye && !l.leave.answered
	default:
		return h.asks(now) || now >= l.resendDue()
	}
}

// asks reports whether a PONG is late.
func (h *heartbeat) asks(now time.Duration) bool {
	return h.waiting() && !h.held && now >= h.deadline()
}

// Flow tells what the owner knows of a connection. It may be called at any time. An owner
// that never does has a link to which all is taken as soon as it is written.
func (l *Link) Flow(now time.Duration, attempt uint32, f Flow) {
	c := l.find(attempt)
	if c != nil && c == l.current() {
		if l.pace != nil {
			l.pace.taken(now, f.Untaken, l.limits.get())
		}
		if s := l.sends; s != nil {
			s.untaken, s.told = f.Untaken, true
		}
	}
	switch {
	case !l.Asks(now, attempt):
	case l.leaving(c):
		l.lingers(now, c, f)
	case l.heartbeat.asks(now):
		l.look(now, f)
	}
}

// look judges a PING that is not answered yet.
func (l *Link) look(now time.Duration, f Flow) {
	h := &l.heartbeat
	if f.Held {
		h.held, h.blurred = true, true
		return
	}
	timeout := l.pongTimeout()
	taken, partial := f.Taken, int64(f.Partial)
	if taken == 0 {
		taken = h.after - int64(f.Untaken)
	}
	over := now >= h.pongDue
	if !h.taken && int64(f.Untaken) <= h.after {
		h.taken = true
		if h.slow != nil {
			h.pongDue = max(h.pongDue, h.slow.looked+timeout)
			over = now >= h.pongDue
		}
	}
	if h.slow == nil {
		if h.taken && partial == 0 {
			return // nothing moves
		}
		h.slow = &slowness{in: flowing{now, partial, partial}}
	}
	s := h.slow
	if !h.taken && s.out.since == 0 {
		s.out = flowing{now, taken, taken}
	}
	if !h.taken {
		s.looked, h.lookAt = now, now+min(timeout/looks, h.beat)
	}
	if !over {
		return
	}
	moves := s.in.moved(now, partial)
	if !h.taken {
		moves = s.out.moved(now, taken) || moves || f.Blind
	}
	if moves {
		h.pongDue = now + timeout
	}
}

// begins notes that the first n bytes of a frame have come. If an answer is waited for, it
// stands behind that frame.
func (h *heartbeat) begins(now time.Duration, n int) {
	if !h.waiting() {
		return
	}
	if h.slow == nil {
		h.slow = new(slowness)
	}
	if h.slow.in.from == 0 {
		h.slow.in = flowing{since: now, from: int64(n)} // which has moved, to begin with
	}
}

// Released says that the owner reads again, after a Flow that said Held. What the server
// has sent meanwhile is still unread: it gets all its time once more.
func (l *Link) Released(now time.Duration) {
	h := &l.heartbeat
	if h.held {
		h.held = false
		h.await(now, l.pongTimeout())
	}
}
