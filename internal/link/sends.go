package link

import (
	"sort"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// maxUnsettled is how far the numbers of unsettled SENDs may be apart: none is used before the
// one that is so much lower, and all before that, are settled.
const maxUnsettled = 256

const (
	// resendPiece is how many bytes are sent again at once. The next ones wait until the owner
	// has no more than that of the connection's bytes left, or its queue would overflow.
	resendPiece = 64 << 10

	// Of what was settled, buffers are kept for the messages that follow.
	spareBodies = 16
	spareBody   = 1 << 10 // bytes; larger ones are let go
)

// sends are the SENDs that are not settled. A link that never sends has none.
//
//	kept[:out]  were sent over the session's connection, and wait for its answer
//	kept[out:]  are to be sent again over it, before anything new
//
// Where nothing is sent again, kept[:out] is all, whatever connection it went over.
type sends struct {
	last  uint64 // number of the latest SEND, over all connections
	kept  []sent // in the order of their numbers
	out   int
	bytes int // bodies of kept[:out]

	due     time.Duration // when to go on with sending again; Never if nothing but an answer helps
	untaken int           // what Flow told last of the session's connection, and SENDs since
	told    bool          // Flow was called since the last Tick
	probe   uint64        // the ACK of this number says that all that was written has been read; 0: none does
}

// sent is one SEND.
type sent struct {
	number  uint64
	body    []byte // a copy
	attempt uint32 // over whose connection it was sent last; 0: none
	asks    bool   // it wants a reply
	ghost   bool   // it is settled, but the server of that connection has not said so, and may count it
}

// Send writes a message for the server's application and returns its number. They count up
// over all connections. The message is kept until it is settled, which an event tells, once:
// Acked, Nacked, Replied or GivenUp; until then it is sent again over every new connection, unless
// Config.AtMostOnce. ErrPaced means that Pace has not passed, ErrFull that others have to be
// settled first, and no error that it was written.
func (l *Link) Send(now time.Duration, body []byte, out *Out) (number uint64, err error) {
	return l.send(now, body, false, out)
}

func (l *Link) send(now time.Duration, body []byte, asks bool, out *Out) (number uint64, err error) {
	if err := l.maySend(now, len(body)); err != nil {
		return 0, err
	}
	if l.sends == nil {
		l.sends = &sends{due: Never}
	}
	s := l.sends
	s.slide()
	if !s.windowOpen() || !l.room(len(body)) {
		return 0, ErrFull
	}
	s.last++
	s.keep(s.last, body, asks)
	start := len(out.frames)
	l.appendKept(out)
	l.wrote(now, l.current(), start, out)
	s.probe = s.last
	return s.last, nil
}

// Post writes a message that wants no answer: it takes no number, waits for no other to be
// settled, is never sent again, and is lost with its connection. Errors are those of Send.
func (l *Link) Post(now time.Duration, body []byte, out *Out) error {
	if err := l.maySend(now, len(body)); err != nil {
		return err
	}
	if l.sends != nil {
		l.sends.probe = 0
	}
	start := len(out.frames)
	l.appendSend(&sent{body: body}, out)
	l.wrote(now, l.current(), start, out)
	return nil
}

// maySend is why a new message of n bytes may not be written now, as far as the window has
// no say.
func (l *Link) maySend(now time.Duration, n int) error {
	switch err := l.Fits(n); {
	case err != nil:
		return err
	case l.current().state != StateReady:
		return ErrNotReady
	case l.sends != nil && l.sends.out < len(l.sends.kept) && l.sends.due == Never:
		return ErrFull
	case l.Pace(now, n) > 0:
		return ErrPaced
	}
	return nil
}

// room reports whether the session's server takes one more unsettled body of n bytes.
func (l *Link) room(n int) bool {
	s, limits := l.sends, l.limits.get()
	most := maxUnsettled
	if limits.Unsettled > 0 {
		most = int(min(limits.Unsettled, maxUnsettled))
	}
	return s.out < most && (s.out == 0 || limits.UnsettledBytes == 0 || uint64(s.bytes+n) <= uint64(limits.UnsettledBytes))
}

// windowOpen reports whether the next number may be used.
func (s *sends) windowOpen() bool {
	for i := range s.kept {
		if m := &s.kept[i]; !m.ghost {
			return s.last+1-m.number < maxUnsettled
		}
	}
	return true
}

// slide forgets ghosts below the window of the next number: for their server, too, they are
// settled.
func (s *sends) slide() {
	for len(s.kept) > 0 && s.kept[0].ghost && s.last+1-s.kept[0].number >= maxUnsettled {
		s.remove(0, 1)
	}
}

// keep appends a message.
func (s *sends) keep(number uint64, body []byte, asks bool) {
	if n := len(s.kept); n < cap(s.kept) {
		s.kept = s.kept[:n+1]
	} else {
		s.kept = append(s.kept, sent{})
	}
	m := &s.kept[len(s.kept)-1]
	*m = sent{number: number, asks: asks, body: append(m.body[:0], body...)}
}

// appendKept has the first of kept[out:] go over the session's connection.
func (l *Link) appendKept(out *Out) {
	s := l.sends
	m := &s.kept[s.out]
	m.attempt = l.current().attempt
	s.out++
	s.bytes += len(m.body)
	s.probe = 0
	l.appendSend(m, out)
}

func (l *Link) appendSend(m *sent, out *Out) {
	start := len(out.frames)
	if m.asks {
		out.frames = codec.AppendRequest(out.frames, codec.Send, m.number, m.body)
	} else {
		out.frames = codec.AppendSend(out.frames, m.number, m.body)
	}
	l.spend(len(out.frames) - start)
	if l.sends != nil {
		l.sends.untaken += len(out.frames) - start
	}
}

// resume begins to send again what is not settled, over a connection whose WELCOME has come.
func (l *Link) resume(now time.Duration, out *Out) {
	s := l.sends
	if s == nil {
		return
	}
	s.untaken, s.probe, s.due = 0, 0, Never
	if l.cfg.AtMostOnce {
		return
	}
	s.removeIf(func(m *sent) bool { return m.ghost }) // its connection has gone, or will
	s.out, s.bytes = 0, 0
	l.resend(now, out)
}

// resend goes on with that, below the limits and no faster than the owner gets rid of it.
func (l *Link) resend(now time.Duration, out *Out) {
	s := l.sends
	if s == nil || l.current().state != StateReady {
		return
	}
	before, start := s.due, len(out.frames)
	s.due = Never
	for s.out < len(s.kept) {
		n := len(s.kept[s.out].body)
		if err := l.Fits(n); err != nil { // this server takes less than the one before
			l.giveUp(s.out, err, out)
			continue
		}
		if !l.room(n) {
			break // answers make it
		}
		if s.untaken > 0 && s.untaken+n > resendPiece {
			s.due = min(before, now+lookAgain) // answers do not put that off
			break
		}
		if wait := l.pacing(now, n); wait > 0 {
			s.due = now + wait
			break
		}
		l.appendKept(out)
	}
	if len(out.frames) > start {
		l.wrote(now, l.current(), start, out)
	}
}

// tickSends goes on with sending again when that is due. An owner that tells no Flow has handed
// on what was written.
func (l *Link) tickSends(now time.Duration, out *Out) {
	if now < l.resendDue() {
		return
	}
	s := l.sends
	if !s.told {
		s.untaken = 0
	}
	s.told, s.due = false, Never
	l.resend(now, out)
}

// resendDue is when to go on with sending again.
func (l *Link) resendDue() time.Duration {
	if l.sends == nil || l.current().state != StateReady {
		return Never
	}
	return l.sends.due
}

// Unsettled counts the messages of Send that are neither settled nor given up.
func (l *Link) Unsettled() (n int) {
	l.EachUnsettled(func(uint64, []byte) { n++ })
	return n
}

// EachUnsettled calls f for each of them, in order. body is a view that the next call of the
// link may change. It works after Stop, too.
func (l *Link) EachUnsettled(f func(number uint64, body []byte)) {
	if l.sends == nil {
		return
	}
	for i := range l.sends.kept {
		if m := &l.sends.kept[i]; !m.ghost {
			f(m.number, m.body)
		}
	}
}

// find returns the place of the first message from number on.
func (s *sends) find(number uint64) int {
	return sort.Search(len(s.kept), func(i int) bool { return s.kept[i].number >= number })
}

// after returns the place of the first message above number.
func (s *sends) after(number uint64) int {
	return sort.Search(len(s.kept), func(i int) bool { return s.kept[i].number > number })
}

// remove forgets kept[from:to]. Their buffers stay behind the others for messages to come.
func (s *sends) remove(from, to int) {
	for i := from; i < min(to, s.out); i++ {
		s.bytes -= len(s.kept[i].body)
	}
	s.out -= max(min(to, s.out)-from, 0)
	for i := to; i < len(s.kept); i++ {
		s.kept[from+i-to], s.kept[i] = s.kept[i], s.kept[from+i-to]
	}
	n := len(s.kept) - (to - from)
	all := s.kept[:cap(s.kept)]
	for i := n; i < min(len(s.kept)+spareBodies, len(all)); i++ {
		if m := &all[i]; i >= n+spareBodies || cap(m.body) > spareBody {
			m.body = nil
		}
	}
	s.kept = s.kept[:n]
}

func (s *sends) removeIf(which func(*sent) bool) {
	for i := 0; i < len(s.kept); {
		if which(&s.kept[i]) {
			s.remove(i, i+1)
		} else {
			i++
		}
	}
}
