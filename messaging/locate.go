package messaging

import (
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// A user about whom nothing is known is asked for at all nodes, once; what is new for him is held for that long.
// Who is asked for because something waits for him is answered for only where he is.

// locate asks for the user: his home, if he has one, else all nodes. With the lock held.
func (u *user) locate() {
	h, p := u.sh.h, u.where
	p.located, p.since = true, h.since()
	if h.followUser(u.name, followPlaces) {
		p.asked = []string{atHome}
		u.sh.asking = append(u.sh.asking, u)
		return
	}
	u.askOthers()
}

// askAll asks all nodes for the user, since his home has not told where he is. With the lock held.
func (u *user) askAll() {
	u.where.since = u.sh.h.since()
	if u.askOthers(); len(u.where.asked) == 0 {
		u.found()
	}
}

func (u *user) askOthers() {
	h, p := u.sh.h, u.where
	m := between.Message{Kind: between.Locate, List: between.AppendName(nil, u.name)}
	for _, node := range h.cfg.Peers.Live() {
		if node != h.cfg.Peers.Node() && h.tellPeer(node, &m) == nil {
			p.asked = append(p.asked, node)
		}
	}
	if len(p.asked) > 0 {
		u.sh.asking = append(u.sh.asking, u)
	}
}

// ifThere is the token of a LOCATE that is answered only for those who are there.
const ifThere = 1

// askAbout asks one node for users for whom something waits, from any goroutine and with any lock held.
func (h *Hub) askAbout(node string, users []string) {
	for page := range slices.Chunk(users, askPage) {
		m := between.Message{Kind: between.Locate, Token: ifThere, List: between.AppendNames(nil, page)}
		_ = h.tellPeer(node, &m) // it goes Down otherwise, and comes back
	}
}

// locateHere is LOCATE: another node asks for users.
func (h *Hub) locateHere(node string, m *between.Message) {
	for name, rest, ok := between.NextName(m.List); ok; name, rest, ok = between.NextName(rest) {
		sh := h.shardOf(string(name))
		sh.mu.Lock()
		answer := between.Message{Kind: between.Located, User: name, Stamp: h.stamps.asOf()}
		if u := sh.users[string(name)]; u != nil {
			for _, d := range u.devices {
				answer.List = between.AppendSession(answer.List, d.id, d.stamp)
			}
		}
		if m.Token != ifThere || len(answer.List) > 0 {
			_ = h.tellPeer(node, &answer) // with the lock held: it says how it is as of its stamp
		}
		sh.mu.Unlock()
	}
}

// locatedThere is LOCATED: a node says what sessions of a user it has.
func (h *Hub) locatedThere(node string, m *between.Message) {
	name := string(m.User)
	sh := h.shardOf(name)
	sh.mu.Lock()
	defer sh.unlock()
	u := sh.users[name]
	if len(m.List) > 0 {
		u = sh.expected(name)
	}
	if u == nil || len(m.List) == 0 && u.where == nil {
		return
	}
	if r := u.where.remote(node); r != nil { // of those whose login it did not know it says nothing
		r.sessions = slices.DeleteFunc(r.sessions, func(s sessionThere) bool { return s.stamp <= m.Stamp && !within(m.List, s) })
	}
	for id, stamp, rest, ok := between.NextSession(m.List); ok; id, stamp, rest, ok = between.NextSession(rest) {
		u.comes(node, string(id), stamp)
	}
	if r := u.where.remote(node); r != nil {
		u.leftOver(r)
	}
	u.answeredFor(node)
	u.settleIn()
}

func within(list []byte, s sessionThere) bool {
	for id, stamp, rest, ok := between.NextSession(list); ok; id, stamp, rest, ok = between.NextSession(rest) {
		if string(id) == s.id && stamp == s.stamp {
			return true
		}
	}
	return false
}

// answeredFor notes that a node has said where a user is, or never will. With the lock held.
func (u *user) answeredFor(node string) {
	p := u.where
	if p == nil {
		return
	}
	if i := slices.Index(p.asked, node); i >= 0 {
		if p.asked = slices.Delete(p.asked, i, i+1); len(p.asked) == 0 {
			u.found()
		}
	}
}

// found has what was held go on: it is known where the user is. With the lock held.
func (u *user) found() {
	if !u.present() {
		u.detach()
		return
	}
	for _, e := range slices.Clone(u.window) {
		if e.held && !e.done {
			u.giveAll(e)
		}
	}
	u.settleIn()
}

const (
	askPage  = 200                   // users that a node is asked for at a time
	askPause = 50 * time.Millisecond // between two such questions: 4,000 users a second
)

// askForQueued asks all nodes for those for whom something waits here, whenever a node has come: it may have them,
// and have said so when this node did not listen. Until the hub is closed.
func (h *Hub) askForQueued() {
	for {
		select {
		case <-h.look:
			h.askForAll()
		case <-h.ctx.Done():
			return
		}
	}
}

func (h *Hub) askForAll() {
	pause := time.NewTicker(askPause)
	defer pause.Stop()
	for after := ""; ; {
		page, err := h.cfg.Store.Users(h.ctx, after, askPage)
		if err != nil && h.ctx.Err() == nil {
			h.storeFailed("at", "users that other nodes may have", "error", err)
		}
		if len(page) == 0 || err != nil {
			return
		}
		var names []string
		for _, w := range page {
			if after = w.User; w.Records > 0 {
				h.followUser(w.User, followQueue)
				names = append(names, w.User)
			}
		}
		for _, node := range h.cfg.Peers.Live() {
			if node != h.cfg.Peers.Node() {
				h.askAbout(node, names)
			}
		}
		select {
		case <-pause.C:
		case <-h.ctx.Done():
			return
		}
	}
}
