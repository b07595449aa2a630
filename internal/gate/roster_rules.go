package gate

// Who is let in under an id, and who makes way, on a shard whose lock is held.

// enter is Roster.Enter.
func (s *shard) enter(tag uint64, l Login, policy Duplicates, most int) (standing Standing, oldest uint64) {
	others, own := 0, (*entry)(nil)
	for e, before := s.first(tag), (*entry)(nil); e != nil; e, before = s.after(e), e {
		switch {
		case l.sameAs(e) && e.attempt > l.Attempt:
			return Late, 0
		case l.sameAs(e):
			own = e
		case !e.follows(before):
			others++
		}
	}
	if own == nil && others >= most {
		switch policy {
		case Refuse:
			return Taken, s.first(tag).handle
		case Replace:
			standing = Among
		}
	}
	if own != nil {
		standing = Among
	}
	s.insert(tag, l, own, standing == Alone)
	return standing, 0
}

// displace is Roster.Displace; most is 0 if others stay, however many.
//
// Who was entered and not welcomed counts for nobody: it may never be.
func (s *shard) displace(tag uint64, l Login, most int, all []Displaced) []Displaced {
	me := s.first(tag)
	for me != nil && me.handle != l.Handle {
		me = s.after(me)
	}
	if me == nil {
		return all
	}
	me.link |= 1
	known := len(all)
	s.remove(tag, func(e *entry) bool {
		own := l.sameAs(e) && e.handle != l.Handle && e.attempt <= l.Attempt
		if own {
			all = append(all, Displaced{Handle: e.handle, Same: true})
		}
		return own
	})
	if most == 0 || len(all) > known {
		return all // it is no login
	}
	for s.processes(tag) > most {
		all = s.displaceOldest(tag, all)
	}
	return all
}

// processes is how many there are under a tag that have been welcomed.
func (s *shard) processes(tag uint64) (n int) {
	for e, before := s.first(tag), (*entry)(nil); e != nil; e = s.after(e) {
		if !e.welcomed() {
			continue
		}
		if !e.follows(before) {
			n++
		}
		before = e
	}
	return n
}

// displaceOldest takes the sessions of the process from the list that came first, whoever asks.
func (s *shard) displaceOldest(tag uint64, all []Displaced) []Displaced {
	oldest := s.first(tag)
	for !oldest.welcomed() {
		oldest = s.after(oldest)
	}
	who := Login{Handle: oldest.handle, Incarnation: oldest.incarnation}
	s.remove(tag, func(e *entry) bool {
		its := e.welcomed() && (e.handle == who.Handle || who.sameAs(e))
		if its {
			all = append(all, Displaced{Handle: e.handle})
		}
		return its
	})
	return all
}
