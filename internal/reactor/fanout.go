package reactor

// What is published to many is one post a loop, and then a walk: its members are written to as far
// as a turn has time, and the next turn goes on behind them. What is published to a group meanwhile
// waits for the next walk, so that several messages leave in one Write a member: that is where the
// speed comes from, since a message costs what a write costs.

// fan is what is on its way to a group: a walk under way, and what was published since it began.
// Messages are counted from the first of the walk on.
type fan struct {
	batch   bulk
	waiting bulks
	next    Slot
	first   uint64          // number of the batch's first message
	late    map[Slot]uint64 // members that joined meanwhile, or are ahead of the walk: their first message
	visits  int             // of members since it was the group's turn
}

// joined notes a member that what was published before is not for.
func (f *fan) joined(slot Slot) {
	f.note(slot, f.first+uint64(len(f.batch.ends)+f.waiting.messages))
}

// note notes which message is a member's first.
func (f *fan) note(slot Slot, first uint64) {
	if f.late == nil {
		f.late = make(map[Slot]uint64)
	}
	f.late[slot] = first
}

const (
	// maxFanning is how many bytes of publications a loop has under way before it takes no more out of
	// its mailbox.
	maxFanning = 4 << 20
	// fanSlice is how many members of a group are written to before it is another's turn, and
	// fanStep after how many the clock is asked: a write takes microseconds.
	fanSlice = 256
	fanStep  = 4
)

// Publish sends a frame, a DELIVER of number 0, to all who are members of a group now. frame is
// copied.
func (r *Reactor) Publish(name string, frame []byte) {
	n, ok := r.groups.byName[name]
	if !ok {
		return
	}
	g := r.groups.at(n)
	if g.fan == nil {
		g.fan = new(fan)
		r.groups.walks = append(r.groups.walks, n)
	}
	g.fan.waiting.add(frame, r.mostAtOnce())
	r.fanning += len(frame)
	r.counters.Published++
}

// fanRoom says whether a loop has room for more that is published: what is posted beyond it stays in
// the mailbox, which fills.
func (r *Reactor) fanRoom() bool { return r.fanning < maxFanning }

// fanOut goes on with the walks until stop says that the turn is over, with a step at least, and
// reports whether more is left.
func (r *Reactor) fanOut(stop func() bool) (more bool) {
	steps := 0
	over := func() bool {
		steps++
		return steps%fanStep == 0 && stop()
	}
	for len(r.groups.walks) > 0 {
		n := r.groups.walks[0]
		switch r.walkGroup(n, over) {
		case halfway:
			return true
		case ended:
			r.endFan(n)
			if r.groups.walks = r.groups.walks[1:]; len(r.groups.walks) > 0 && over() {
				return true
			}
		case paused:
			if len(r.groups.walks) > 1 {
				r.groups.walks = append(r.groups.walks[1:], n)
			}
		}
	}
	r.groups.walks = nil
	return false
}

// walkGroup writes to some members of a group: until nothing is left to write, it is another's turn,
// or the loop's turn is over.
func (r *Reactor) walkGroup(n uint32, over func() bool) walked {
	for {
		g := r.groups.at(n)
		f := g.fan
		slot, ok := g.members.next(f.next)
		if !ok || len(f.batch.ends) == 0 {
			if !r.nextBatch(f) {
				return ended
			}
			continue
		}
		if f.visits++; f.visits > fanSlice {
			f.visits = 0
			return paused
		}
		f.next = slot + 1
		from := 0
		if first, late := f.late[slot]; late {
			if from = int(first - f.first); from < len(f.batch.ends) {
				delete(f.late, slot)
			}
		}
		if frames := f.batch.from(from); len(frames) > 0 {
			r.publishTo(slot, n, frames, len(f.batch.ends)-from)
		}
		if over() {
			return halfway
		}
	}
}

// nextBatch begins the next walk, if there is something to bring.
func (r *Reactor) nextBatch(f *fan) bool {
	r.fanning -= len(f.batch.frames)
	f.first += uint64(len(f.batch.ends))
	if f.waiting.messages == 0 {
		f.batch.frames, f.batch.ends = f.batch.frames[:0], f.batch.ends[:0]
		return false
	}
	f.batch = f.waiting.take(f.batch)
	f.next = 0
	return true
}

// mostAtOnce is how much is written to a member at once, but for a single message that is larger:
// one that reads in time must not become a slow consumer by it.
func (r *Reactor) mostAtOnce() int {
	most := r.cfg.MaxQueued / 2
	if r.cfg.SoftQueued > 0 {
		most = min(most, r.cfg.SoftQueued)
	}
	return most
}

// endFan ends what was on its way to a group.
func (r *Reactor) endFan(n uint32) {
	g := r.groups.at(n)
	g.fan = nil
	if g.members.size == 0 {
		r.groups.dissolve(n)
	}
}

// publishTo writes messages of a group to one member, or notes that it missed them, if it is slow.
func (r *Reactor) publishTo(slot Slot, n uint32, frames []byte, messages int) {
	if r.tooSlowFor(slot, len(frames)) {
		r.counters.Dropped += uint64(messages)
		r.miss(slot, r.groups.at(n).name, messages)
		return
	}
	r.counters.Delivers += uint64(messages)
	r.write(slot, frames)
}

// tooSlowFor says whether a client has so much before it that it does not get what it can do without.
func (r *Reactor) tooSlowFor(slot Slot, size int) bool {
	soft := r.cfg.SoftQueued
	return soft >= 0 && r.sessions.at(slot).is(backlogged) && r.transport.Queued(slot)+size > soft
}

// miss notes what a slow member did not get, until it can be told.
func (r *Reactor) miss(slot Slot, group string, messages int) {
	if r.missed == nil {
		r.missed = make(map[Slot]map[string]int)
	}
	if r.missed[slot] == nil {
		r.missed[slot] = make(map[string]int)
	}
	r.missed[slot][group] += messages
}

// tellMissed tells the application what a member has missed, now that it has room again.
func (r *Reactor) tellMissed(slot Slot) {
	missed := r.missed[slot]
	if missed == nil {
		return
	}
	delete(r.missed, slot)
	for group, messages := range missed {
		if r.sessions.at(slot).state != stateReady {
			return
		}
		r.app.Missed(slot, group, messages)
		if why := r.kicked(); why != ReasonNone {
			r.finish(slot, why)
			return
		}
	}
	r.flush(slot)
}

// bring goes on with everything that goes to many, until stop says that the turn is over.
func (r *Reactor) bring(stop func() bool) (more bool) {
	more = r.fanOut(stop)
	return r.goRounds(stop) || more
}

// bringing says that something is on its way to many.
func (r *Reactor) bringing() bool { return len(r.groups.walks)+len(r.rounds) > 0 }
