package reactor

import "github.com/valyala/bytebufferpool"

// runPosts does what other goroutines have asked for, until stop says that the turn is
// over. It reports whether more is left. What loops ask of each other comes first: it makes
// room.
func (r *Reactor) runPosts(stop func() bool) (more bool) {
	m := &r.mailbox
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
		if p.kind == postCall && !r.fanRoom() {
			return true // what is published comes no faster than it leaves
		}
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

func (r *Reactor) runClosing(c Closing) {
	if c.heired {
		r.bequeath(c.handle, c.heir, c.by)
	}
	slot, ok := r.resolve(c.handle)
	switch {
	case !ok || r.app.Origin(slot).newer(c.by):
		r.counters.Stale++
	case c.why == ReasonSuperseded:
		r.sendAway(slot, c.why, reset) // nobody is there to say farewell to
	default:
		r.sendAway(slot, c.why, linger)
	}
}

// runPost does one post and gives its body back.
func (r *Reactor) runPost(p *post) {
	switch p.kind {
	case postDone:
		return
	case postCall:
		p.call(r)
		p.call = nil
		return
	}
	if slot, ok := r.resolve(p.handle); ok {
		r.doPost(slot, p)
		r.flush(slot)
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
		_ = r.Deliver(slot, p.body.B) // its size was checked when it was posted
	case postOptional:
		_ = r.DeliverOptional(slot, p.body.B) // a drop is counted
	case postAwaited:
		if err := r.DeliverAwaited(slot, p.body.B, p.waiter); err != nil {
			r.unsent(p, err)
		}
	case postAck:
		_ = r.Ack(slot, p.ack) // the session is ready: resolve said so
	case postNack:
		r.writeAck()
		r.out = append(r.out, p.body.B...)
		r.counters.NacksOut++
	case postJoin:
		_ = r.JoinGroup(slot, p.waiter.(string)) // in too many it joins none
	case postLeave:
		r.LeaveGroup(slot, p.waiter.(string))
	case postClose:
		r.kick = p.code
		r.sendAway(slot, ReasonKicked, linger)
	}
}

// runOwn does what was posted for a session that its application closes: that comes before the
// goodbye.
func (r *Reactor) runOwn(slot Slot) {
	if r.mailbox.Empty() && r.mailbox.doingNext == len(r.mailbox.doing) {
		return
	}
	kick := r.kick
	r.flush(slot) // what the callback said has room of its own
	for _, p := range r.mailbox.takeOf(r.Handle(slot)) {
		r.runPost(&p)
	}
	r.kick = kick
}
