package messaging

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// A node that leaves for good hands what its store holds to others: a message is theirs when they have stored it, or
// a device has it, and only then it is forgotten here.

const (
	handTime  = answerTime + putTime + time.Second // by then who lives has answered
	handPause = 250 * time.Millisecond             // after which what was not taken is offered again, to another node
	handPage  = 64                                 // messages of a user that are under way at a time
	handUsers = 64                                 // users at a time
)

// ErrAlone is what Leave returns where no other node is live.
var ErrAlone = errors.New("messaging: there is no other node that could take what waits here")

// Leave hands all that waits in the store to other live nodes, delayed messages included, and returns when it
// holds nothing. It is to be called when the server's clients have gone, and before Close; from then on the hub
// takes no messages. Errors: ErrNotStarted, ErrClosed, ErrAlone, ctx's, and that of the Store; what was not handed over by then stays
// in the store, and Stats tells how much.
func (h *Hub) Leave(ctx context.Context) error {
	if _, err := h.ready(); err != nil {
		return err
	}
	h.leaving.Store(true)
	if h.cfg.Store == nil {
		return nil
	}
	for attempt := 0; ; attempt++ {
		if err := h.drained(ctx); err != nil {
			return err
		}
		empty, err := h.handAll(ctx, attempt)
		if empty && h.storing.Load() == 0 || err != nil { // receipts may have come
			return err
		}
		select {
		case <-time.After(handPause):
		case <-ctx.Done():
			return ctx.Err()
		case <-h.ctx.Done():
			return ErrClosed
		}
	}
}

// handAll offers each user's messages to a node, and tells whether there were none.
func (h *Hub) handAll(ctx context.Context, attempt int) (empty bool, err error) {
	empty = true
	var working sync.WaitGroup
	defer working.Wait()
	places := make(chan struct{}, handUsers)
	for after := ""; ; {
		page, err := h.cfg.Store.Users(ctx, after, sweepPage)
		if err != nil || len(page) == 0 {
			return empty, err
		}
		empty = false
		for _, w := range page {
			after = w.User
			node, err := h.heir(w.User, attempt)
			if err != nil {
				return false, err
			}
			places <- struct{}{}
			working.Go(func() { h.handUser(ctx, node, &w); <-places })
		}
	}
}

// heir is the node that a user's messages are offered to: one that has him, if that is known.
func (h *Hub) heir(user string, attempt int) (string, error) {
	if h.cfg.Peers == nil {
		return "", ErrAlone
	}
	others := slices.DeleteFunc(h.cfg.Peers.Live(), func(node string) bool { return node == h.cfg.Peers.Node() })
	if len(others) == 0 {
		return "", ErrAlone
	}
	sh := h.shardOf(user)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if u := sh.users[user]; attempt == 0 && u != nil && u.where != nil {
		for _, r := range u.where.remotes {
			if len(r.sessions) > 0 {
				return r.node, nil
			}
		}
	}
	return others[(xxhash.Sum64String(user)+uint64(attempt))%uint64(len(others))], nil
}

// handUser offers what waits for one user, a page at a time, until the node takes no more.
func (h *Hub) handUser(ctx context.Context, node string, w *Waiting) {
	for after := Key(0); ; {
		page, err := h.cfg.Store.Next(ctx, w.User, after, handPage)
		if err != nil || len(page) == 0 || !h.hand(ctx, node, page) {
			break
		}
		after = page[len(page)-1].Key
	}
	if w.Delayed == 0 {
		return
	}
	for after := (Moment{}); ; {
		page, err := h.delayedOf(ctx, w.User, &after)
		if err != nil || len(page) == 0 || !h.hand(ctx, node, page) {
			return
		}
	}
}

// delayedOf returns the next delayed records of a user behind after, which it sets.
func (h *Hub) delayedOf(ctx context.Context, user string, after *Moment) (own []Record, err error) {
	for len(own) == 0 {
		page, err := h.cfg.Store.Due(ctx, h.wall().Add(2*h.cfg.Life), *after, duePage)
		if err != nil || len(page) == 0 {
			return nil, err
		}
		*after = Moment{page[len(page)-1].Due, page[len(page)-1].Key}
		own = slices.DeleteFunc(page, func(r Record) bool { return r.User != user })
	}
	return own, nil
}

// hand offers records of one user to a node, in order, and forgets those that it has. It tells whether it has all.
func (h *Hub) hand(ctx context.Context, node string, records []Record) bool {
	c := &call{said: make(chan between.Message, len(records))}
	first := h.token.Add(uint64(len(records))) - uint64(len(records)) + 1
	for i := range records {
		r := &records[i]
		m := between.Message{Kind: between.Hand, Token: first + uint64(i), User: []byte(r.User), Body: r.Body, Until: uint64(r.Expires.UnixMilli())}
		if !r.Due.IsZero() {
			m.Due = uint64(r.Due.UnixMilli())
		}
		h.calls.begin(m.Token, c)
		defer h.calls.end(m.Token)
		if h.tellPeer(node, &m) != nil {
			return false
		}
	}
	said, err := h.answers(ctx, c, handTime)
	for _, a := range said {
		if i := a.Token - first; i >= uint64(len(records)) || !h.handed(&records[i], &a) {
			err = ErrPartial
		}
	}
	return err == nil
}

// handed forgets a record that another node has, and tells whether it does.
func (h *Hub) handed(r *Record, a *between.Message) bool {
	result, why := Result(a.Result), (*Refusal)(nil)
	switch result {
	case Held:
		if h.cfg.Store.Durable() {
			return false
		}
	case Refused:
		if why = (&Refusal{codec.NackCode(a.Code), string(a.Reason)}); why.Again() {
			return false
		}
	case Delivered, Durable, Expired:
	default:
		return false
	}
	sh := h.shardOf(r.User)
	sh.mu.Lock()
	defer sh.unlock()
	u := sh.get(r.User)
	e := &entry{user: u, key: r.Key, body: r.Body}
	if i := slices.IndexFunc(u.window, func(e *entry) bool { return e.key == r.Key }); i >= 0 {
		e = u.window[i]
	}
	if result == Durable || result == Held { // who has it tells its sender what becomes of it
		u.drop(e)
	} else {
		u.finish(e, result, "", why)
	}
	u.forget()
	return true
}

// drop forgets a message of which nobody is told. With the lock held.
func (u *user) drop(e *entry) {
	e.done = true
	u.sh.drops = append(u.sh.drops, drop{u.name, e.key})
	if e.windowed {
		u.removeFromWindow(e)
	}
}

// handedHere is HAND: another node's stored message is this one's from now on.
func (h *Hub) handedHere(node string, m *between.Message) {
	name, token := string(m.User), m.Token
	tell := func(o Outcome) {
		a := between.Message{Kind: between.Handed, Token: token, Result: uint64(o.Result)}
		var why *Refusal
		if errors.As(o.Err, &why) {
			a.Code, a.Reason = uint64(why.Code), []byte(why.Reason)
		}
		_ = h.tellPeer(node, &a) // it is offered again otherwise
	}
	if _, err := h.ready(); err != nil || h.leaving.Load() || h.cfg.Store == nil || !ValidUser(name) {
		tell(Outcome{Result: Refused, Err: refuseBusy})
		return
	}
	e := &entry{id: idOf(m.Body), body: slices.Clone(m.Body), at: h.since(), expires: time.UnixMilli(int64(m.Until))}
	if due := time.UnixMilli(int64(m.Due)); m.Due != 0 && due.After(h.wall()) {
		e.due = due
	}
	e.wait(waiter{told: tell})
	sh := h.shardOf(name)
	sh.mu.Lock()
	if e.id == (ID{}) {
		sh.begin(name, e)
	} else {
		sh.take(name, e)
	}
	sh.unlock()
}
