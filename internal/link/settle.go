package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// acked settles what is outstanding of a range, whatever else is in it.
func (l *Link) acked(now time.Duration, c *conn, m codec.AckMessage, out *Out) {
	s := l.sends
	if s == nil {
		return
	}
	from, to := s.find(m.First), s.after(m.Last)
	if from == to {
		return
	}
	if p := s.probe; p != 0 && p >= m.First && p <= m.Last && c == l.current() {
		l.allTaken(now)
	}
	for i := from; i < to; {
		run := 0
		for i+run < to && !s.kept[i+run].ghost && s.kept[i+run].number == s.kept[i].number+uint64(run) {
			run++
		}
		if run > 0 {
			first := s.kept[i].number
			out.notify(Event{Kind: Acked, Attempt: c.attempt, ID: first, Last: first + uint64(run) - 1, What: m.What})
		}
		i += max(run, 1)
	}
	s.answered(from, to, c.attempt)
	l.resend(now, out)
}

// answered forgets kept[from:to], but for what another connection's server has still to answer.
func (s *sends) answered(from, to int, attempt uint32) {
	for i := to - 1; i >= from; i-- {
		if m := &s.kept[i]; i < s.out && m.attempt != attempt {
			m.ghost = true
			s.remove(i+1, to)
			to = i
		}
	}
	s.remove(from, to)
}

// nacked settles one message that the server's application refuses.
func (l *Link) nacked(now time.Duration, c *conn, m *codec.NackMessage, out *Out) {
	i, ok := l.outstanding(now, c, m.Number)
	if !ok {
		return
	}
	s := l.sends
	if !s.kept[i].ghost {
		out.notify(Event{Kind: Nacked, Attempt: c.attempt, ID: m.Number, Last: m.Number, Body: s.kept[i].body,
			Err: &RefusedError{Code: m.Code, Reason: string(m.Reason)}})
	}
	s.answered(i, i+1, c.attempt)
	l.resend(now, out)
}

// outstanding finds the message that an answer to one is about, if it is outstanding, and notes
// that the answer came.
func (l *Link) outstanding(now time.Duration, c *conn, number uint64) (place int, ok bool) {
	s := l.sends
	if s == nil {
		return 0, false
	}
	i := s.find(number)
	if i == len(s.kept) || s.kept[i].number != number {
		return 0, false
	}
	if number == s.probe && c == l.current() {
		l.allTaken(now)
	}
	return i, true
}

// GiveUp settles a message without the server: it is not sent again, and its number is never
// used again. It may have arrived. Nothing is told of it any more, and it reports whether there
// was something to give up.
func (l *Link) GiveUp(now time.Duration, number uint64, out *Out) bool {
	s := l.sends
	if s == nil {
		return false
	}
	i := s.find(number)
	if i == len(s.kept) || s.kept[i].number != number || s.kept[i].ghost {
		return false
	}
	if i >= s.out {
		s.remove(i, i+1)
	} else {
		s.kept[i].ghost = true
	}
	l.resend(now, out)
	return true
}

// giveUp settles a message that this server does not take, or that went over a connection
// which has ended.
func (l *Link) giveUp(i int, why error, out *Out) {
	s := l.sends
	m := &s.kept[i]
	if !m.ghost {
		out.notify(Event{Kind: GivenUp, Attempt: m.attempt, ID: m.number, Last: m.number, Body: m.body, Err: why})
	}
	s.remove(i, i+1)
}

// sendsEnded is what the end of a session's connection means for what was sent over it.
func (l *Link) sendsEnded(attempt uint32, out *Out) {
	s := l.sends
	if s == nil || !l.cfg.AtMostOnce {
		return
	}
	for i := 0; i < len(s.kept); {
		if s.kept[i].attempt != attempt {
			i++
			continue
		}
		l.giveUp(i, ErrLost, out)
	}
}
