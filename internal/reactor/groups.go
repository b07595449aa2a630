package reactor

// groups are the sets of sessions of one loop that something is published to. A group is there
// as long as it has a member. Owned by the loop.
type groups struct {
	byName map[string]uint32
	chunks []*[groupChunk]group // by number; where a group lies does not change
	made   uint32               // how many numbers there are
	free   []uint32             // those of no group
	of     memberships
	walks  []uint32 // groups with something on its way, in turn
}

// groupChunk is how many groups room is made for at once. To copy a table of a million to a larger one would
// take longer than a turn.
const groupChunk = 256

func (t *groups) at(n uint32) *group { return &t.chunks[n/groupChunk][n%groupChunk] }

type group struct {
	name    string
	members slotSet
	fan     *fan // nil: nothing is on its way
}

// JoinGroup makes a session a member of a group: what is published to it from now on is for the
// session, too. To be one already is no error. It returns ErrClosed, or ErrGroups.
func (r *Reactor) JoinGroup(slot Slot, name string) error {
	if s := r.sessions.at(slot); s.state != stateReady || s.is(gone|superseded) {
		return ErrClosed
	}
	n, ok := r.groups.byName[name]
	if ok && r.groups.at(n).members.has(slot) {
		return nil
	}
	if r.groups.of.count(slot) == MaxGroups {
		return ErrGroups
	}
	if !ok {
		n = r.groups.found(name)
	}
	g := r.groups.at(n)
	g.members.add(slot)
	r.groups.of.add(slot, n)
	if g.fan != nil {
		g.fan.joined(slot)
	}
	r.counters.Memberships++
	return nil
}

// LeaveGroup ends a membership. To be none is no error.
func (r *Reactor) LeaveGroup(slot Slot, name string) {
	if n, ok := r.groups.byName[name]; ok && r.groups.at(n).members.has(slot) {
		r.groups.of.drop(slot, n)
		r.expel(slot, n)
		delete(r.missed[slot], name)
	}
}

// leaveGroups ends all memberships of a session.
func (r *Reactor) leaveGroups(slot Slot) {
	if len(r.missed) > 0 {
		delete(r.missed, slot)
	}
	if r.groups.of.ref(slot) == 0 {
		return
	}
	var in [16]uint32
	for _, n := range r.groups.of.of(slot, in[:0]) {
		r.expel(slot, n)
	}
	r.groups.of.clear(slot)
}

// expel takes a session out of a group, which ends with its last member.
func (r *Reactor) expel(slot Slot, n uint32) {
	g := r.groups.at(n)
	g.members.drop(slot)
	if g.fan != nil {
		delete(g.fan.late, slot)
	}
	if r.counters.Memberships--; g.members.size == 0 && g.fan == nil {
		r.groups.dissolve(n)
	}
}

// GroupsOf returns the names of a session's groups.
func (r *Reactor) GroupsOf(slot Slot) (names []string) {
	for _, n := range r.groups.of.of(slot, nil) {
		names = append(names, r.groups.at(n).name)
	}
	return names
}

// Members appends to dst up to limit handles of a group's members on this loop, in the order of
// their slots, from one on, and says where the next page begins, if there is one.
func (r *Reactor) Members(dst []uint64, name string, from Slot, limit int) (page []uint64, next Slot, more bool) {
	n, ok := r.groups.byName[name]
	if !ok {
		return dst, 0, false
	}
	members := &r.groups.at(n).members
	for slot, ok := members.next(from); ok; slot, ok = members.next(slot + 1) {
		if limit--; limit < 0 {
			return dst, slot, true
		}
		dst = append(dst, r.Handle(slot))
	}
	return dst, 0, false
}

// found makes a group.
func (t *groups) found(name string) (n uint32) {
	if last := len(t.free) - 1; last >= 0 {
		n, t.free = t.free[last], t.free[:last]
	} else {
		n = t.made // below maxGroup: a loop has not so many memberships
		if t.made++; n%groupChunk == 0 {
			t.chunks = append(t.chunks, new([groupChunk]group))
		}
	}
	t.at(n).name = name
	if t.byName == nil {
		t.byName = make(map[string]uint32)
	}
	t.byName[name] = n
	return n
}

// dissolve forgets a group without a member.
func (t *groups) dissolve(n uint32) {
	g := t.at(n)
	delete(t.byName, g.name)
	*g = group{}
	t.free = append(t.free, n)
}
