package messaging

import (
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Questions are answered one at a time, off the loops, by a walk over the users: their answer may cost
// milliseconds where there are many.

const (
	maxAsks  = 1024 // that wait
	maxNames = 200  // names in a page, which is less than 32 KiB
)

// ask has a question answered.
func (h *Hub) ask(a *asked) error {
	e := &a.e
	want := question{kind: e.Question, user: string(e.User), room: string(e.Room), prefix: string(e.Prefix),
		after: string(e.After), limit: maxNames}
	if e.Limit > 0 && e.Limit < maxNames {
		want.limit = int(e.Limit)
	}
	if want.kind < envelope.OnlineUsers || want.kind > envelope.UserDevices {
		return refuseQuestion
	}
	if h.cfg.Peers != nil {
		return h.askAll(a, &want)
	}
	select {
	case h.asks <- func() { h.answer(answer{from: a.d.from(), number: a.number, page: h.page(&want)}) }:
		return nil
	default:
		return refuseBusy
	}
}

// askAll is ask of all nodes.
func (h *Hub) askAll(a *asked, want *question) error {
	from, number := a.d.from(), a.number
	if !h.later(func() {
		h.pageOfAll(want, func(page []byte, why *Refusal) { h.answer(answer{from: from, number: number, why: why, page: page}) })
	}) {
		return refuseBusy
	}
	return nil
}

func (h *Hub) answerAsks() {
	for {
		select {
		case do := <-h.asks:
			do()
		case <-h.ctx.Done():
			return
		}
	}
}

type question struct {
	kind                      envelope.Question
	user, room, prefix, after string
	limit                     int
}

// page is the answer: names in ascending order from behind after, and how many there are in all.
func (h *Hub) page(q *question) []byte {
	return pageOf(h.list(q))
}

func pageOf(names []string, count uint64, more bool) []byte {
	e := envelope.Envelope{Kind: envelope.Page, Count: count}
	if more {
		e.After = []byte(names[len(names)-1])
	}
	for _, name := range names {
		e.Content = envelope.AppendName(e.Content, []byte(name))
	}
	body, _ := envelope.Append(nil, &e)
	return body
}

// list returns up to limit names behind after, how many there are in all, and whether there are more behind
// these.
func (h *Hub) list(q *question) (names []string, count uint64, more bool) {
	found := func(name string) {
		count++
		if name > q.after {
			names = append(names, name)
		}
	}
	if q.kind == envelope.UserDevices {
		h.devicesOf(q.user, found)
	} else {
		for i := range h.shards {
			h.shards[i].find(q, found)
			names = smallest(names, q.limit+1)
		}
	}
	if names = smallest(names, q.limit+1); len(names) > q.limit {
		return names[:q.limit], count, true
	}
	return names, count, false
}

func smallest(names []string, n int) []string {
	slices.Sort(names)
	return names[:min(n, len(names))]
}

// find tells of the users that a question is about.
func (sh *shard) find(q *question, found func(name string)) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for name, u := range sh.users {
		in := len(u.seen) > 0
		if q.kind == envelope.RoomMembers {
			in = slices.ContainsFunc(u.rooms, func(s stay) bool { return s.room == q.room })
		}
		if in && strings.HasPrefix(name, q.prefix) {
			found(name)
		}
	}
}

func (h *Hub) devicesOf(user string, found func(id string)) {
	sh := h.shardOf(user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if u := sh.users[user]; u != nil {
		for _, s := range u.seen {
			found(s.id)
		}
	}
}
