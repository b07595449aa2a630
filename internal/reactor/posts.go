package reactor

import (
	"github.com/valyala/bytebufferpool"

	"github.com/stormwheel/stormwheel/codec"
)

// runPosts does what other goroutines have asked for, until stop says that the turn is
// over. It reports whether more is left. What loops ask of each other comes first: it makes
// room.
func (r *Reactor) runPosts(stop func() bool) (more bool) {
	m := &r.mailbox
	m.take()
	r.posting = true
	for len(m.closingTaken) > 0 {
		r.runClosing(m.closingTaken[0])
		m.closingTaken = m.closingTaken[1:]
		if stop() { // each may end a session, and look for its posts
			return true
		}
	}
	for len(m.answersTaken) > 0 {
		r.authenticated(m.answersTaken[0])
		m.answersTaken = m.answersTaken[1:]
		if stop() {
			return true
		}
	}
	together := r.together()
	for over := false; !over && m.doingNext < len(m.doing); m.doingNext++ {
		if p := &m.doing[m.doingNext]; p.kind == postLoop {
			if !r.fanRoom() {
				break // what goes to many is taken out no faster than it leaves
			}
			m.did(p)
			p.waiter.(func(*Reactor))(r)
			p.waiter = nil
			over = stop()
			continue
		}
		if m.doingNext >= m.run.end {
			m.run.link(m.doing, m.doingNext)
		}
		if m.doing[m.doingNext].kind != postDone {
			r.runSession(m.doingNext, together, stop)
			over = stop()
		}
	}
	m.tellLeft()
	r.posting = m.doingNext < len(m.doing)
	return r.posting
}

// together is how many bytes of posts leave in one Write: no more than could wait for a client
// that came one by one.
func (r *Reactor) together() int {
	most := min(runBytes, r.node.Budget.Bound(r.cfg.MaxQueued))
	if r.cfg.SoftQueued >= 0 {
		most = min(most, r.cfg.SoftQueued)
	}
	return most
}

// runSession does what a run has for one session, from its first post on. What is left when the
// turn is over is found when its turn comes.
func (r *Reactor) runSession(first, together int, stop func() bool) {
	m := &r.mailbox
	handle := m.doing[first].handle
	if r.bringing() {
		if slot, ok := r.resolve(handle); ok {
			r.bringAhead(slot)
		}
	}
	for n, i := 1, first; ; n++ {
		look := n%runCheck == 0
		waits := &m.doing[i]
		p := *waits
		waits.kind, waits.body, waits.waiter = postDone, nil, nil // a callback may ask for the rest of them
		if p.kind != postDone {
			if len(r.out) > 0 && len(r.out)+p.size() > together {
				r.flush(SlotOf(handle))
				look = true
			}
			look = look || p.kind == postCall // nobody knows how long it takes
			if p.kind != postAck {
				r.writeAck() // ACKs that follow each other join, and what comes behind them stays behind
			}
			m.did(&p)
			r.runPost(&p)
		}
		if i = int(p.next); i == 0 || look && stop() {
			break
		}
	}
	if slot, ok := r.resolve(handle); ok {
		r.flush(slot)
	}
}

// runPost does one post and gives its body back. What it wrote waits for the others of its
// session, unless their client is slow: then each has its own chance to be too much.
func (r *Reactor) runPost(p *post) {
	if slot, ok := r.resolve(p.handle); ok {
		r.doPost(slot, p)
		if why := r.kicked(); why != ReasonNone {
			r.finish(slot, why)
		} else if r.sessions.at(slot).is(backlogged) {
			r.flush(slot)
		}
	} else {
		r.counters.Stale++
		if p.awaited() {
			r.unsent(p, ErrClosed)
		}
	}
	if p.body != nil {
		bytebufferpool.Put(p.body)
	}
}

func (r *Reactor) doPost(slot Slot, p *post) {
	switch p.kind {
	case postDeliver:
		_ = r.deliver(slot, p.body.B, nil, 0) // its size was checked when it was posted
	case postOptional:
		_ = r.deliverOptional(slot, p.body.B) // a drop is counted
	case postAwaited:
		if err := r.deliver(slot, p.body.B, p.waiter, 0); err != nil {
			r.unsent(p, err)
		}
	case postRequest:
		if err := r.deliver(slot, p.body.B, p.waiter, codec.FlagWantsReply); err != nil {
			r.unsent(p, err)
		}
	case postReply:
		if r.reply(slot, p.ack.First, p.body.B) != nil { // its size was checked when it was posted
			r.ack(p.ack) // its SEND is settled, and nothing more is to be heard of it
		}
	case postAck:
		r.ack(p.ack)
	case postNack:
		r.writeAck()
		r.out = append(r.out, p.body.B...)
		r.counters.NacksOut++
	case postMove, postCall:
		r.callPost(slot, p)
	case postJoin:
		_ = r.JoinGroup(slot, p.waiter.(string)) // in too many it joins none
	case postLeave:
		r.LeaveGroup(slot, p.waiter.(string))
	case postClose:
		r.kick = p.code
		if p.body != nil {
			r.goodbye = p.body.B
		}
		r.sendAway(slot, ReasonKicked, linger)
	}
}

// callPost does a post that is a callback of its own, with room of its own.
func (r *Reactor) callPost(slot Slot, p *post) {
	switch r.flush(slot); {
	case r.sessions.at(slot).state != stateReady:
		r.counters.Stale++ // what was written before has ended it
	case p.kind == postMove:
		_ = r.Move(slot, p.body.B)
	default:
		p.waiter.(func(Slot))(slot)
	}
}

// runOwn does what was posted for a session that its application closes: that comes before the
// goodbye.
func (r *Reactor) runOwn(slot Slot) {
	if r.mailbox.Empty() && r.mailbox.doingNext == len(r.mailbox.doing) {
		return
	}
	kick, goodbye := r.kick, r.goodbye
	r.unkick()
	r.flush(slot) // what the callback said has room of its own
	if r.bringing() {
		r.bringAhead(slot)
	}
	for _, p := range r.mailbox.takeOf(r.Handle(slot)) {
		r.runPost(&p)
		r.flush(slot)
	}
	r.kick, r.goodbye = kick, goodbye
}
