package reactor

import "github.com/stormwheel/stormwheel/codec"

// An application that cannot take more of a client for now pauses it. A transport cannot pause
// reading, and a client that nobody reads cannot be told from one that is dead: so its frames are
// read and handled as ever, but for SENDs, which are kept, in order, as many as a client may have
// that are not settled. Resumed, they are handled in order, and what comes meanwhile behind them.

// keptSends are the SENDs of a session that its application has not taken yet. A session that is
// not paused, and has none, has no such entry.
type keptSends struct {
	paused bool
	listed bool       // it is in Reactor.resumed
	data   []byte     // payloads, those of sends[next:] from at on
	sends  []keptSend // in their order
	next   int
	at     int
}

// keptSend is one of them.
type keptSend struct {
	flags codec.Flags
	size  int32 // of the payload
}

const (
	numberLen = 8  // bytes of the number before a body
	keptCost  = 16 // what keeping a SEND takes beside its payload, about
)

func (k *keptSends) waiting() int { return len(k.sends) - k.next }

// bytes are those of the bodies that wait.
func (k *keptSends) bytes() int { return len(k.data) - k.at - numberLen*k.waiting() }

func (k *keptSends) add(f codec.Frame) {
	if k.next > 0 {
		k.data = k.data[:copy(k.data, k.data[k.at:])]
		k.sends = k.sends[:copy(k.sends, k.sends[k.next:])]
		k.next, k.at = 0, 0
	}
	k.data = append(k.data, f.Payload...)
	k.sends = append(k.sends, keptSend{f.Flags, int32(len(f.Payload))})
}

// take returns the first; its payload is a view, valid until the next add.
func (k *keptSends) take() codec.Frame {
	s := k.sends[k.next]
	f := codec.Frame{Type: codec.Send, Flags: s.flags, Payload: k.data[k.at : k.at+int(s.size) : k.at+int(s.size)]}
	k.next, k.at = k.next+1, k.at+int(s.size)
	return f
}

// keptRef is where a session's kept SENDs are; zero means that it is read as any.
type keptRef uint32

// keptTable has the kept SENDs of those who are paused, or were and are not read up to the present
// yet. Owned by the loop.
type keptTable struct {
	all  []*keptSends
	free []keptRef
}

func (t *keptTable) of(ref keptRef) *keptSends {
	if ref == 0 {
		return nil
	}
	return t.all[ref-1]
}

func (t *keptTable) take() keptRef {
	if n := len(t.free); n > 0 {
		ref := t.free[n-1]
		t.free = t.free[:n-1]
		t.all[ref-1] = new(keptSends)
		return ref
	}
	t.all = append(t.all, new(keptSends))
	return keptRef(len(t.all))
}

func (t *keptTable) drop(ref keptRef) {
	t.all[ref-1] = nil // a pause is rare: its buffers are not kept for the next
	t.free = append(t.free, ref)
}

func (t *keptTable) inUse() int { return len(t.all) - len(t.free) }

// keptOf is nil for a session whose SENDs are handled as they come.
func (r *Reactor) keptOf(s *Session) *keptSends { return r.kept.of(r.extras.of(s).sends) }

// PauseRead has no SEND of a session handled any more, until ResumeRead. It may be called in its
// own callbacks, and takes effect at once: SENDs of the same read are kept already. ErrClosed: the
// session has ended.
func (r *Reactor) PauseRead(slot Slot) error {
	s := r.sessions.at(slot)
	if s.is(gone) {
		return ErrClosed
	}
	x := r.extras.need(s)
	if x.sends == 0 {
		x.sends = r.kept.take()
	}
	if k := r.kept.of(x.sends); !k.paused {
		k.paused = true
		r.counters.Paused++
	}
	return nil
}

// ResumeRead has what was kept handled in the next turn, which is to be asked for, and what comes
// then as ever. ErrClosed: the session has ended.
func (r *Reactor) ResumeRead(slot Slot) error {
	s := r.sessions.at(slot)
	if s.is(gone) {
		return ErrClosed
	}
	k := r.keptOf(s)
	if k == nil || !k.paused {
		return nil
	}
	k.paused = false
	r.counters.Paused--
	switch {
	case k.waiting() == 0 && !k.listed:
		r.dropKept(s)
	case !k.listed:
		k.listed = true
		r.resumed.push(arrival{handle: r.Handle(slot)})
	}
	return nil
}

// keep keeps a SEND of a session that is paused, or not read up to the present. It returns why the
// session must end, if that is too much: a client that is told to may have no more SENDs unsettled.
func (r *Reactor) keep(slot Slot, f codec.Frame) Reason {
	_, body, err := parseSend(f)
	if err != nil {
		return ReasonBadPayload
	}
	s := r.sessions.at(slot)
	k, most := r.keptOf(s), r.boundsOf(s).unsettled
	if k.waiting() >= maxUnsettled || most > 0 && k.bytes()+len(body) > most {
		return ReasonRateLimit
	}
	k.add(f)
	r.chargeKept(s, len(f.Payload)+keptCost)
	if r.overBudget(r.keeps(s)) {
		return ReasonQueueBudget
	}
	return ReasonNone
}

// chargeKept notes that more bytes are kept of a session, or fewer.
func (r *Reactor) chargeKept(s *Session, more int) {
	r.extras.need(s).kept += int32(more)
	r.counters.Kept += int64(more)
	r.node.Budget.Add(int64(more))
}

// dropKept forgets what is kept of a session.
func (r *Reactor) dropKept(s *Session) {
	k := r.keptOf(s)
	if k == nil {
		return
	}
	if k.paused {
		r.counters.Paused--
	}
	x := r.extras.need(s)
	r.chargeKept(s, -int(x.kept))
	r.kept.drop(x.sends)
	x.sends = 0
	r.extras.spare(s)
}

// readOn handles what was kept of the sessions that were resumed, until stop says that the time for
// it is over, and reports whether more is left.
func (r *Reactor) readOn(stop func() bool) (more bool) {
	handled := 0
	for r.resumed.len() > 0 {
		a, _ := r.resumed.peek()
		if slot, ok := r.resolve(a.handle); ok && !r.catchUp(slot, &handled, stop) {
			return true
		}
		r.resumed.pop()
	}
	return false
}

// catchUp handles what is kept of one session. It reports false if stop said that the time is over,
// before that was all.
func (r *Reactor) catchUp(slot Slot, handled *int, stop func() bool) (done bool) {
	const outAtOnce = 16 << 10 // bytes of answers: of a read they are not more by much
	s := r.sessions.at(slot)
	for {
		k := r.keptOf(s)
		if k == nil {
			return true // the session has ended
		}
		if k.paused || k.waiting() == 0 {
			k.listed = false
			if !k.paused {
				r.dropKept(s)
			}
			r.flush(slot)
			return true
		}
		f := k.take()
		r.chargeKept(s, -len(f.Payload)-keptCost)
		if why := r.message(slot, f); why != ReasonNone {
			r.finish(slot, why)
			return true
		}
		if len(r.out) >= outAtOnce {
			r.flush(slot)
		}
		if *handled++; *handled%16 == 0 && stop() {
			r.flush(slot)
			return false
		}
	}
}
