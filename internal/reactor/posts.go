package reactor

import "github.com/valyala/bytebufferpool"

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
		closed := p.kind == postClose || p.kind == postCall
		r.runPost(p)
		if (closed && m.doingNext%16 == 0 || m.doingNext%64 == 0) && stop() {
			break
		}
	}
	r.posting = m.doingNext < len(m.doing)
	return r.posting
}

// runPost does one post and gives its body back.
func (r *Reactor) runPost(p *post) {
	if p.kind == postDone {
		return
	}
	if slot, ok := r.resolve(p.handle); ok {
		r.doPost(slot, p)
		if why := r.kicked(); why != ReasonNone {
			r.finish(slot, why)
		} else {
			r.flush(slot)
		}
	} else {
		r.counters.Stale++
		if p.kind == postAwaited {
			r.unsent(p, ErrClosed)
		}
	}
	if p.body != nil {
		bytebufferpool.Put(p.body)
		p.body = nil
	}
	p.waiter = nil // the box is used again as it is
}

func (r *Reactor) doPost(slot Slot, p *post) {
	switch p.kind {
	case postDeliver:
		_ = r.deliver(slot, p.body.B, nil) // its size was checked when it was posted
	case postOptional:
		_ = r.deliverOptional(slot, p.body.B) // a drop is counted
	case postAwaited:
		if err := r.deliver(slot, p.body.B, p.waiter); err != nil {
			r.unsent(p, err)
		}
	case postAck:
		_ = r.Ack(slot, p.ack) // the session is ready: resolve said so
	case postNack:
		r.writeAck()
		r.out = append(r.out, p.body.B...)
		r.counters.NacksOut++
	case postMove, postCall:
		r.callPost(slot, p)
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
	for _, p := range r.mailbox.takeOf(r.Handle(slot)) {
		r.runPost(&p)
	}
	r.kick, r.goodbye = kick, goodbye
}
