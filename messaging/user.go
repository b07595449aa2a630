package messaging

import (
	"slices"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// shard holds a part of the users.
type shard struct {
	h *Hub

	mu      sync.Mutex // guards all below, and the users
	users   map[string]*user
	ages    ages
	recent  recent
	puts    []*entry      // to be stored, in order
	moves   map[drop]bool // delayed records among puts, which are to take their place in the queue
	drops   []drop        // to be forgotten by the store
	loads   []*user       // of whom the next records are wanted
	sweeps  []string      // users whose queues may have expired
	swept   time.Duration // when a full one was looked through
	retries []*user       // with an entry that no device has, and devices
	tells   []told        // for unlock
	sends   []receiptTo   // for unlock
	undone  []*asked      // for unlock: of sessions that are gone

	placed []*user // those with places, in the order in which they are looked at
	asking []*user // those whom other nodes were asked about

	others      map[string]map[string][]*otherDevice // at other nodes, by group of watchers and user; see others.go
	othersKnown int                                  // of them

	work chan struct{} // wakes the keeper
}

// user is somebody about whom there is something to know: a session, a message under way, a device
// that went a moment ago. Others take no memory. Guarded by the shard's lock.
type user struct {
	sh      *shard
	name    string
	devices []*device // the sessions, oldest login first
	seen    []sighted // the client ids that watchers believe online
	rooms   []stay    // where the sessions are, or were when they went

	// The queue: window is what devices have, or had, and none has acknowledged, in order; the store
	// has the rest. While more is set or puts are under way, what is new goes behind it.
	window  []*entry
	puts    int32 // entries that the store is to take
	more    bool  // the store may have records behind after
	loading bool  // the next records were asked for
	retry   bool  // it is among the shard's retries
	after   Key   // the last record that came to the window

	where *places // in the cluster; nil: nobody has asked

	messages, joins bucket
}

// codeNoName ends a client for good: nobody can have its name here.
const codeNoName codec.Code = 3900

// device is one session. What is not said to be else never changes.
type device struct {
	user  *user
	ref   server.Ref
	id    string
	data  any // the embedder's
	stamp uint64

	incarnation uint64

	rooms   []*room  // owned by the session's loop
	watches []string // owned by the session's loop: groups of watchers
	stalled *stalled // owned by the session's loop; nil: nothing waits for another node

	asked []*asked // guarded by the shard's lock: what the policy has not decided, in order
	ready []*asked // guarded by the shard's lock: what it has decided, and the loop is to do
	gone  bool     // guarded by the shard's lock

	ending bool // guarded by the shard's lock: it was one too many
}

// from is who has sent what the session sends.
func (d *device) from() server.Sender { return server.Sender{ID: d.id, Incarnation: d.incarnation} }

// isIn tells whether the session is in a room. On its loop.
func (d *device) isIn(name string) bool {
	return name != "" && slices.ContainsFunc(d.rooms, func(r *room) bool { return r.name == name })
}

func (sh *shard) init(h *Hub) {
	sh.h = h
	sh.users, sh.moves = make(map[string]*user), make(map[drop]bool)
	sh.recent.init(h.seed)
	sh.work = make(chan struct{}, 1)
}

// get returns a user's record, made if need be. With the lock held.
func (sh *shard) get(name string) *user {
	u := sh.users[name]
	if u == nil {
		u = &user{sh: sh, name: name}
		if sh.h.cfg.Store != nil {
			u.more = sh.h.cfg.Store.Waiting(name).Records > 0
		}
		sh.users[name] = u
	}
	return u
}

// forget drops the record of a user about whom there is nothing to know. With the lock held.
func (u *user) forget() {
	if len(u.devices) == 0 && len(u.seen) == 0 && u.puts == 0 && len(u.window) == 0 && !u.loading && !u.retry && u.where == nil {
		delete(u.sh.users, u.name)
	}
}

// opened is Handler.Opened.
func (h *Hub) opened(s *server.Session) {
	srv := h.srv.Load()
	if srv == nil {
		h.stamps.end(s.Stamp())
		_ = s.Close(server.Close{Reason: "messaging has not started"})
		return
	}
	d := &device{ref: s.Ref(), id: s.ID(), incarnation: s.Sender().Incarnation, data: s.Data()}
	name := s.User()
	why := ""
	switch {
	case d.id == h.cfg.Name:
		why = "this name is taken"
	case !ValidUser(name):
		why = "no user has such a name" // the authenticator's
	}
	if why != "" {
		h.stamps.end(s.Stamp())
		_ = s.Close(server.Close{Code: codeNoName, Reason: why})
		return
	}
	_ = s.SetData(d)
	sh := h.shardOf(name)
	sh.mu.Lock()
	u := sh.get(name)
	d.user, d.stamp = u, h.claim(s, d)
	u.devices = append(u.devices, d)
	h.counts.devices.Add(1)
	if len(u.devices) == 1 {
		h.counts.users.Add(1)
	}
	u.endOldest(srv)
	u.sight(d)
	for _, e := range slices.Clone(u.window) { // those that have it may be dead
		if !e.held {
			u.give(e, d)
		}
	}
	for _, e := range u.foreign() {
		u.give(e, d)
	}
	u.load()
	sh.unlock()
}

// endOldest ends the oldest sessions of a user who has too many: some of them may be ending. With the lock
// held.
func (u *user) endOldest(srv *server.Server) {
	most := u.sh.h.cfg.MaxDevices
	if most <= 0 || len(u.devices) <= most {
		return
	}
	for _, d := range u.devices[:len(u.devices)-most] {
		if !d.ending {
			d.ending = true
			_ = srv.Close(d.ref, server.Close{Code: codec.CodeReplaced, Reason: "too many devices of one user"})
		}
	}
}

// closedSession is Handler.Closed. All outcomes of what the session had have been told.
func (h *Hub) closedSession(s *server.Session, _ server.Reason) {
	d, ok := s.Data().(*device)
	if !ok {
		return
	}
	h.leaveAll(d)
	h.unwatchAll(d)
	u := d.user
	u.sh.mu.Lock()
	d.gone = true
	d.giveUp()
	for i, other := range u.devices {
		if other == d {
			u.devices = append(u.devices[:i], u.devices[i+1:]...)
			break
		}
	}
	h.counts.devices.Add(-1)
	if h.cfg.Peers != nil {
		h.cfg.Peers.Closed(d.id, d.stamp)
	}
	u.goneFromSight(d)
	if len(u.devices) == 0 {
		h.counts.users.Add(-1)
	}
	if !u.present() {
		u.detach()
	}
	u.forget()
	u.sh.unlock()
	h.abandon(d)
}

// unlock ends what was done with the lock held, and then tells whom it concerns.
func (sh *shard) unlock() {
	tells, sends, undone := sh.tells, sh.sends, sh.undone
	sh.tells, sh.sends, sh.undone = nil, nil, nil
	work := len(sh.puts)+len(sh.drops)+len(sh.loads)+len(sh.sweeps) > 0
	sh.mu.Unlock()
	if work {
		wake(sh.work)
	}
	for _, t := range tells {
		sh.h.tell(t)
	}
	for _, r := range sends {
		sh.h.sendReceipt(r)
	}
	for _, a := range undone {
		sh.h.undo(a)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// bucket bounds how often something may be done. Guarded by the shard's lock.
type bucket struct {
	left float64
	at   time.Duration // 0: full
}

// take takes one of what comes at a rate, and of which so much may come at once, or four seconds' worth.
func (b *bucket) take(now time.Duration, rate, burst float64) bool {
	if rate < 0 {
		return true
	}
	burst = max(burst, 4*rate)
	now = max(now, 1)
	if b.at == 0 {
		b.left = burst
	}
	b.left = min(burst, b.left+(now-b.at).Seconds()*rate)
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
