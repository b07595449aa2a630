package peer

import "time"

// seen is what was seen of a peer's claims. They are told to the owner in their order, each once; who
// sees a gap asks for what is missing, and what comes behind it comes again.
//
// Since Down has voided what was told, all sessions of a peer that is back are asked for as well: first
// what it claimed meanwhile, so that two sessions of one client do not last, then, piece by piece, the
// rest.
type seen struct {
	next uint64 // number of the next claim that is to be told
	head uint64 // the latest that is known to have been made
	told bool   // something was, since Up
	full bool   // all sessions are to be told again

	listing bool // since and cursor are where a list goes on
	since   uint64
	cursor  uint32

	asked kind // the question that waits for an answer; 0: none does
	at    time.Duration
	due   time.Duration // when the next question may be asked, or this one again
}

// askAgain is how long an answer may take before the question is asked again.
const askAgain = 500 * time.Millisecond

// void is for a peer that is down.
func (s *seen) void() {
	*s = seen{next: s.next, head: s.head, full: s.next > 1}
}

// look asks a live peer for what is missing of it, if anything is, at the pace of questions.
func (m *Machine) look(now Now, p *node, out *Out) {
	s := &p.claims
	gap := s.next <= s.head
	if !p.live || p.silent || !gap && !s.listing && !s.full {
		return
	}
	if now.Since < s.due {
		m.lookBy(s.due)
		return
	}
	q := question{epoch: p.epoch, since: s.next}
	k := kindAsk
	if !gap {
		if !s.listing {
			s.listing, s.full, s.since, s.cursor = true, false, 1, 0
		}
		k, q.since, q.cursor = kindWant, s.since, s.cursor
	}
	start := out.begin(k, m)
	out.data = appendQuestion(out.data, k, q)
	m.publish(out, To, p.name, start)
	m.stats.Asked++
	s.asked, s.at, s.due = k, now.Since, now.Since+askAgain
	m.lookBy(s.due)
}

// made notes that there are claims up to a number, and those up to another were lost, if they were not heard
// of: what was sent after them is here.
func (m *Machine) made(p *node, head, lost uint64) {
	s := &p.claims
	if p.live && lost > s.head {
		m.stats.ClaimsLost += lost - s.head
	}
	s.head = max(s.head, head)
}

// answered notes that an answer has come: the next question may be asked at the pace of those.
func (m *Machine) answered(now Now, p *node, out *Out) {
	s := &p.claims
	s.asked, s.due = 0, s.at+m.cfg.ListPace
	m.look(now, p, out)
}

// takeClaims takes a batch, as it was sent to all or in answer to a question. All of it is compared with
// the own sessions at once, but it is told only in its place. A peer that does not hear us is not told
// of.
func (m *Machine) takeClaims(now Now, p *node, c *claims, out *Out) {
	s := &p.claims
	end := c.first + c.count
	m.made(p, end-1, c.first-1)
	number, next := c.first, s.next
	for r := p.read(c.records); r.next(); {
		if r.kind == recordLogin && number >= next {
			m.resolve(now, p, &r.Claim, out)
		}
		if p.live && c.first <= next && number >= next {
			m.tell(p, &r.record, out)
			m.stats.ClaimsSeen++
		}
		number++
	}
	m.sendAgain(p, out)
	switch {
	case !p.live || end <= next:
	case c.first > next:
		m.look(now, p, out)
	default:
		s.next = end
		if s.asked == kindAsk {
			m.answered(now, p, out)
		}
	}
}

// takeList takes a piece of a peer's sessions. What was claimed after it was written comes behind it; what
// is older than what was told already would bring back sessions that have ended, and is asked for again.
func (m *Machine) takeList(now Now, p *node, l *list, out *Out) {
	s := &p.claims
	switch {
	case p.live && s.asked == kindAsk && l.since == s.next && l.cursor == 0:
		m.relist(now, p, l, out)
	case p.live && s.asked == kindWant && l.since == s.since && l.cursor == s.cursor:
	default:
		m.stats.Stale++
		return
	}
	s.head = max(s.head, l.head)
	if l.head+1 < s.next {
		m.answered(now, p, out)
		return
	}
	for r := p.read(l.records); r.next(); {
		if r.kind == recordLogin {
			m.resolve(now, p, &r.Claim, out)
			m.tell(p, &r.record, out)
		}
	}
	m.sendAgain(p, out)
	if s.cursor, s.listing = l.next, l.next != 0; !s.listing && !s.full {
		m.endDoubt(p, out)
	}
	m.answered(now, p, out)
}

// relist is for a peer that does not know its claims any more which are missing: it gives its sessions
// instead. If something of it was told already, logouts may be among what is missing: it begins anew.
func (m *Machine) relist(now Now, p *node, l *list, out *Out) {
	s := &p.claims
	if s.told {
		m.down(now, p, out)
		m.up(now, p, out)
	}
	s.full = l.since > 1
	s.next = l.head + 1
	s.listing, s.since, s.cursor, s.asked = true, l.since, 0, kindWant
}

// answer answers a question for claims or sessions.
func (m *Machine) answer(p *node, k kind, q question, out *Out) {
	if q.since > m.log.head && k == kindAsk {
		return
	}
	m.stats.Answered++
	if k == kindAsk {
		if records, ok := m.log.since(q.since); ok {
			start := out.begin(kindClaims, m)
			out.data = appendClaims(out.data, q.since, records)
			m.publish(out, To, p.name, start)
			return
		}
	}
	m.list(p, q, out)
}

// lookPlaces is how many places of the table one answer may look at.
const lookPlaces = 1 << 16

// list sends a piece of the own sessions, those with a number from since on.
func (m *Machine) list(p *node, q question, out *Out) {
	start := out.begin(kindList, m)
	body := len(out.data)
	l := list{since: q.since, head: m.log.head, cursor: q.cursor}
	out.data = appendList(out.data, &l)
	last := uint64(m.table.used)
	to := min(last, uint64(q.cursor)+lookPlaces)
	place := uint64(q.cursor)
	for ; place < to && len(out.data)-body < sealBytes; place++ {
		if s := m.table.at(uint32(place + 1)); s.stamp != 0 && s.number() >= q.since {
			out.data = appendRecord(out.data, recordLogin, s)
			m.stats.Listed++
		}
	}
	if place < last {
		l.next = uint32(place)
		appendList(out.data[:body], &l) // over its head again
	}
	m.publish(out, To, p.name, start)
}
