package messaging

import (
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
)

// A node that has sessions of a user is, to all others, one more device of that user: his messages are sent there,
// and what its devices make of them is told back. The node where a message was sent, its origin, keeps it in the
// user's window until then, and has it go again, in its order, to whichever node he comes to next. So nothing
// is handed over between nodes when he moves.

// places is where a user is in the cluster, as far as this node knows. It is made when there is something for
// him, and then kept true by what other nodes tell of logins. Guarded by the shard's lock.
type places struct {
	remotes []*remote // other nodes that have sessions of his, or owe an answer
	foreign []*entry  // other nodes' messages, which devices here have, in order

	located bool          // all nodes were asked
	asked   []string      // those that have not answered; while there are any, his messages are held
	since   time.Duration // when they were asked
	used    time.Duration // when there was something for him last
}

// remote is another node with sessions of a user.
type remote struct {
	node     string
	sessions []sessionThere
	flight   []pushed // in order; its token is not known there, or not here, any more when it is out of it
}

type sessionThere struct {
	id    string
	stamp uint64
}

// pushed is a message that a node has been sent.
type pushed struct {
	token uint64
	e     *entry
}

const (
	locateTime = 300 * time.Millisecond // after which who has not answered does not have him
	placeTime  = 30 * time.Second       // for which places are kept after their last use
)

// maxPlaces is how many are kept so, in a shard. A variable for tests.
var maxPlaces = 65_536 / shards

// place returns a user's places, made if need be. With the lock held.
func (u *user) place() *places {
	if u.where == nil {
		if sh := u.sh; len(sh.placed) >= maxPlaces {
			sh.tidy(16, 0)
		}
		u.where = new(places)
		u.sh.placed = append(u.sh.placed, u)
	}
	u.where.used = u.sh.h.since()
	return u.where
}

// present tells whether there is a device of the user, or may be one. With the lock held.
func (u *user) present() bool {
	return len(u.devices) > 0 || u.where != nil && len(u.where.remotes)+len(u.where.asked) > 0
}

// reachable is present for a user to whom there is something to bring: if nobody knows where he is, the nodes are
// asked. With the lock held.
func (u *user) reachable() bool {
	return len(u.devices) > 0 || u.sh.h.cfg.Peers != nil && (!u.known() || len(u.where.remotes) > 0)
}

// known tells whether it is known on which nodes the user is; they are asked if not. With the lock held.
func (u *user) known() bool {
	if u.sh.h.cfg.Peers == nil {
		return true
	}
	p := u.place()
	if !p.located {
		u.locate()
	}
	return len(p.asked) == 0
}

// sessions is how many the user has, as far as this node knows. With the lock held.
func (u *user) sessions() int {
	n := len(u.devices)
	if u.where != nil {
		for _, r := range u.where.remotes {
			n += len(r.sessions)
		}
	}
	return n
}

// foreign are other nodes' messages that devices here have. With the lock held.
func (u *user) foreign() []*entry {
	if u.where == nil {
		return nil
	}
	return slices.Clone(u.where.foreign)
}

func (p *places) remote(node string) *remote {
	if p == nil {
		return nil
	}
	for _, r := range p.remotes {
		if r.node == node {
			return r
		}
	}
	return nil
}

// busy tells whether a user has something under way, so that his places may not be forgotten. With the lock held.
func (u *user) busy() bool {
	p := u.where
	return u.puts > 0 || u.loading || len(u.window) > 0 || len(p.foreign) > 0 || len(p.asked) > 0 ||
		u.more && len(p.remotes) > 0 || slices.ContainsFunc(p.remotes, func(r *remote) bool { return len(r.flight) > 0 })
}

// tidy looks at up to n places, in turn, and forgets those of which there was no use for an age. With the lock held.
func (sh *shard) tidy(n int, age time.Duration) {
	now := sh.h.since()
	for n = min(n, len(sh.placed)); n > 0; n-- {
		u := sh.placed[0]
		sh.placed[0] = nil
		sh.placed = sh.placed[1:]
		if now-u.where.used < age || u.busy() {
			sh.placed = append(sh.placed, u)
			continue
		}
		u.where = nil
		sh.h.unfollowUser(u.name, followPlaces)
		u.forget()
	}
	if len(sh.placed) == 0 {
		sh.placed = nil
	}
}

// growPlaces does what time asks for.
func (sh *shard) growPlaces(now time.Duration, second bool) {
	sh.mu.Lock()
	asking := sh.asking
	sh.asking = nil
	for _, u := range asking {
		switch p := u.where; {
		case p == nil || len(p.asked) == 0:
		case now-p.since < locateTime:
			sh.asking = append(sh.asking, u)
		case p.asksHome():
			p.asked = nil
			u.askAll()
		default:
			p.asked = nil
			u.found()
		}
	}
	if second {
		sh.tidy(len(sh.placed)/8+16, placeTime)
	}
	sh.unlock()
}

// loggedIn notes that a client came to another node: of no use unless something is known of its user, or waits
// for him.
func (sh *shard) loggedIn(node string, l *cluster.Login) {
	sh.mu.Lock()
	defer sh.unlock()
	if u := sh.expected(l.User); u != nil {
		u.comes(node, l.ID, l.Stamp)
		u.settleIn()
	}
}

// expected returns a user for whom something waits, or whose places are known. With the lock held.
func (sh *shard) expected(name string) *user {
	u := sh.users[name]
	if u != nil && (u.where != nil || u.puts > 0 || u.more || u.loading) {
		return u
	}
	if store := sh.h.cfg.Store; store != nil && store.Waiting(name).Records > 0 {
		return sh.get(name)
	}
	return nil
}

// comes notes a session at another node: one more device, if it is the first there. With the lock held.
func (u *user) comes(node, id string, stamp uint64) {
	p := u.place()
	r := p.remote(node)
	isNew := r == nil
	if isNew {
		r = &remote{node: node}
		p.remotes = append(p.remotes, r)
	}
	there := sessionThere{id, stamp}
	if slices.Contains(r.sessions, there) {
		return
	}
	r.sessions = append(r.sessions, there)
	if isNew || len(r.sessions) == 1 {
		u.giveAllTo(r)
	}
}

// loggedOut notes that a session at another node has ended.
func (sh *shard) loggedOut(node string, l *cluster.Login) {
	sh.mu.Lock()
	defer sh.unlock()
	u := sh.users[l.User]
	if u == nil {
		return
	}
	if r := u.where.remote(node); r != nil {
		r.sessions = slices.DeleteFunc(r.sessions, func(s sessionThere) bool { return s == sessionThere{l.ID, l.Stamp} })
		u.leftOver(r)
		u.settleIn()
	}
}

// leftOver ends a remote that has no sessions and owes no answer: one that owes some gives them, or is lost.
// With the lock held.
func (u *user) leftOver(r *remote) {
	if len(r.sessions) > 0 || len(r.flight) > 0 {
		return
	}
	p := u.where
	p.remotes = slices.DeleteFunc(p.remotes, func(other *remote) bool { return other == r })
	if !u.present() {
		u.detach()
	}
}

// settleIn is for the end of what has changed a user. With the lock held.
func (u *user) settleIn() {
	u.load()
	u.forget()
}

// peerUp asks a node that has come for those who have something under way; what is known of others is forgotten.
func (sh *shard) peerUp(node string) {
	sh.mu.Lock()
	defer sh.unlock()
	var names []string
	for _, u := range sh.placed {
		if u.busy() {
			names = append(names, u.name)
		}
	}
	sh.tidy(len(sh.placed), 0)
	sh.h.askAbout(node, names)
}

// peerDown has all sessions of a node be gone.
func (sh *shard) peerDown(node string) {
	sh.eachPlaced(func(u *user) {
		if r := u.where.remote(node); r != nil {
			r.sessions = nil
			u.giveUp(r)
			u.leftOver(r)
		}
		u.answeredFor(node)
	})
}

// peerForgot sends a node again what it has been sent and has not answered: it will not.
func (sh *shard) peerForgot(node string) {
	sh.eachPlaced(func(u *user) {
		if r := u.where.remote(node); r != nil {
			u.pushAgain(r)
			u.leftOver(r)
		}
		u.answeredFor(node)
	})
}

// eachPlaced calls do, with the lock held, for all users whose places are known.
func (sh *shard) eachPlaced(do func(*user)) {
	sh.mu.Lock()
	defer sh.unlock()
	for _, u := range slices.Clone(sh.placed) {
		if u.where != nil {
			do(u)
			u.settleIn()
		}
	}
}
