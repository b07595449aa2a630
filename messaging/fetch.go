package messaging

import (
	"bytes"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// fetches are the rooms that are not ready: their homes are asked, so many at a time, or have to begin. Its lock
// may be taken with that of a room held, and none is taken then.
type fetches struct {
	mu   sync.Mutex
	want map[*room]bool // true: its home was asked, and has not answered
	out  int
}

// maxFetches bounds the questions under way: each may bring a whole ring.
const maxFetches = 64

// add notes a room that is to be looked at again.
func (f *fetches) add(r *room) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.want == nil {
		f.want = make(map[*room]bool)
	}
	if _, there := f.want[r]; !there {
		f.want[r] = false
	}
}

// asks notes that the home of a room is being asked, unless so many are.
func (f *fetches) asks(r *room) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.want[r]:
		return true
	case f.out >= maxFetches:
		return false
	}
	f.want[r] = true
	f.out++
	return true
}

// answered notes that nothing is under way for a room, and, if it is ready, that nothing has to be.
func (f *fetches) answered(r *room, ready bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.want[r] {
		f.out--
		f.want[r] = false
	}
	if ready {
		delete(f.want, r)
	}
}

func (f *fetches) all() (all []*room) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.want {
		all = append(all, r)
	}
	return all
}

// fetch asks the room's home for what this node does not have. With the room's lock held.
func (h *Hub) fetch(r *room) {
	f := r.far
	h.fetches.add(r)
	if f.token != 0 || f.home == h.self || !h.fetches.asks(r) {
		return
	}
	m := between.Message{Kind: between.Fetch, Token: h.token.Add(1), Room: []byte(r.name), Epoch: r.epoch, Offset: r.head}
	if r.members > 0 || len(f.joins) > 0 {
		m.Result |= between.Follows
	}
	if f.was {
		m.Result |= between.Was
	}
	if h.tellPeer(f.home, &m) != nil {
		h.fetches.answered(r, false)
		return
	}
	f.token = m.Token
}

// fetchAgain looks at the rooms that are not ready, and tells whether there are some.
func (h *Hub) fetchAgain(now time.Duration) (busy bool) {
	for _, r := range h.fetches.all() {
		r.mu.Lock()
		if r.far.let != 0 && now-r.far.let >= letTime {
			r.far.let = 0
		}
		switch h.lookAt(r); {
		case r.dead:
			h.fetches.answered(r, true)
		case r.far.let != 0 && r.far.ready && !r.far.gap:
		case r.far.ready && !r.far.gap, r.members == 0 && len(r.far.joins) == 0 && !r.far.was:
			h.fetches.answered(r, true)
		default:
			busy = true
			if r.far.token == 0 {
				h.fetches.answered(r, false)
			}
			h.fetch(r)
		}
		if r.far.gap {
			h.tellGap(r)
		}
		h.letJoin(r, !r.far.ready)
		r.mu.Unlock()
		h.dropIdle(r)
	}
	return busy
}

func init() {
	hears[between.Ring] = (*Hub).ringCame
	hears[between.Said] = (*Hub).saidElsewhere
	hears[between.Heads] = (*Hub).headsCame
}

// ringCame takes the home's answer.
func (h *Hub) ringCame(node string, m *between.Message) {
	r := h.room(string(m.Room), false)
	if r == nil {
		return
	}
	f := r.far
	if h.lookAt(r); f.token != m.Token || f.home != node {
		r.mu.Unlock()
		return
	}
	f.token = 0
	h.fetches.answered(r, m.Result == 0)
	if m.Result == 0 {
		h.follow(r, m)
	} else {
		h.soon()
	}
	r.mu.Unlock()
	h.dropIdle(r)
	if m.Result == 0 && h.fetches.waiting() {
		wake(h.roaming)
	}
}

// waiting tells whether there are rooms whose home was not asked for lack of places.
func (f *fetches) waiting() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out < maxFetches && f.out < len(f.want)
}

// follow has the room be what its home has. With its lock held.
func (h *Hub) follow(r *room, m *between.Message) {
	f := r.far
	f.ready, f.was, f.spoke, f.others, f.told = true, false, false, countOf(m), 0
	h.recount(r) // the home may have forgotten how many are here
	all := ringOf(m)
	switch {
	case m.Epoch == r.epoch && m.Offset <= r.head:
	case m.Epoch == r.epoch && m.Offset-r.head <= uint64(len(all)):
		for _, s := range all[len(all)-int(m.Offset-r.head):] {
			h.hear(r, s)
		}
	default:
		r.reset(m.Epoch, m.Offset-uint64(len(all)))
		for _, s := range all {
			r.head++
			r.keep(s, h.cfg.RingMessages, h.cfg.RingBytes)
		}
		h.tellGap(r)
	}
	h.letJoin(r, false)
}

// ringOf are the publications of a RING that end at its Offset, without a hole.
func ringOf(m *between.Message) (all []said) {
	var last uint64
	for list := m.List; ; {
		body, rest, ok := between.NextName(list)
		if !ok {
			break
		}
		list = rest
		s, at, err := readSaid(body)
		if err != nil || at.Epoch != m.Epoch {
			return nil
		}
		if at.Offset != last+1 {
			all = nil
		}
		all, last = append(all, s), at.Offset
	}
	if last != m.Offset {
		return nil
	}
	return all
}

// readSaid reads a publication, which is copied.
func readSaid(body []byte) (s said, at envelope.Position, err error) {
	body = append([]byte(nil), body...)
	e, err := envelope.Parse(body)
	if err == nil && e.Kind != envelope.Publication {
		err = envelope.ErrKind
	}
	return said{plainID(e.ID), body}, e.Position, err
}

func plainID(id envelope.ID) ID { return ID{string(id.Sender), id.Incarnation, id.Number} }

// hear takes the room's next publication. With its lock held.
func (h *Hub) hear(r *room, s said) {
	r.head, r.silent = r.head+1, h.since()
	r.keep(s, h.cfg.RingMessages, h.cfg.RingBytes)
	if r.members > 0 && h.srv.Load().Publish(membersOf(r.name), s.body) != nil {
		h.oweGap(r)
	}
}

// saidElsewhere takes what a room's home has said to all nodes.
func (h *Hub) saidElsewhere(node string, m *between.Message) {
	e, err := envelope.Parse(m.Body)
	if err != nil || e.Kind != envelope.Publication {
		return
	}
	r := h.room(string(e.Room), false)
	if r == nil {
		return
	}
	defer r.mu.Unlock()
	h.lookAt(r)
	switch at := e.Position; {
	case r.far.home != node || !r.far.ready, at.Epoch == r.epoch && at.Offset <= r.head:
	case at.Epoch == r.epoch && at.Offset == r.head+1:
		h.hear(r, said{plainID(e.ID), bytes.Clone(m.Body)})
	default:
		h.behind(r)
	}
}

// behind has the room be fetched: something is missing. With its lock held.
func (h *Hub) behind(r *room) {
	r.far.ready = false
	h.fetch(r)
}

// headsCame looks whether something is missing in the rooms of a home.
func (h *Hub) headsCame(node string, m *between.Message) {
	for list := m.List; ; {
		name, epoch, head, rest, ok := between.NextHead(list)
		if !ok {
			return
		}
		list = rest
		if r := h.room(string(name), false); r != nil {
			h.lookAt(r)
			if r.far.home == node && r.far.ready && (epoch != r.epoch || head > r.head) {
				h.behind(r)
			}
			r.mu.Unlock()
		}
	}
}
