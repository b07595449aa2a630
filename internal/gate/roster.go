package gate

import "encoding/binary"

// Duplicates says what becomes of a login under a client id that has as many sessions as it may.
type Duplicates uint8

// The policies.
const (
	StandBeside Duplicates = iota // there is no bound
	Replace                       // the oldest makes way
	Refuse                        // it is refused
)

// Roster is which sessions there are under each client id, on all loops of a node. It is asked when
// a client comes or goes, under a lock of one of its shards, and never in between. Any goroutine may
// use it.
//
// A login is one of a process: what HELLO calls an incarnation. A later attempt of the same one, in a
// handover or back from a loss, takes the place of the earlier: it is no login, and counts as none.
// Incarnation 0 is nobody's: always another process.
//
// Ids are not kept. What stands for one is a seal of 128 bits, of which the 72 that are compared tell
// ten million ids apart but for a chance of 1 in 10^8; nobody can choose ids that fall together.
// A session costs 32 bytes and 4 to 8 in the table, without a pointer. Each call takes as many steps as
// the id has sessions.
type Roster struct {
	seals  *Seals
	policy Duplicates
	most   int // sessions of an id
	shards [rosterShards]shard
}

// rosterShards is the number of values of a seal's last byte.
const rosterShards = 256

// Login is a session as the roster knows it.
type Login struct {
	Handle      uint64
	Incarnation uint64
	Attempt     uint32
}

// Displaced is a session that has to make way for another.
type Displaced struct {
	Handle uint64
	Same   bool // it is of the same process, and made way for a later attempt
}

// Standing is what the roster makes of a client that may come in.
type Standing uint8

// The standings.
const (
	Alone Standing = iota // it is listed and displaces nobody
	Among                 // it is listed; Displace is to be called when it was welcomed
	Late                  // not listed: a later attempt of its process is
	Taken                 // not listed: its id has as many sessions as it may
)

// NewRoster makes the roster of a node. Under Replace and Refuse an id has at most so many sessions, 1
// at least.
func NewRoster(seals *Seals, policy Duplicates, most int) *Roster {
	return &Roster{seals: seals, policy: policy, most: max(most, 1)}
}

// Policy is what becomes of a login beyond the bound.
func (r *Roster) Policy() Duplicates { return r.policy }

// Enter lists a client that is about to be welcomed, if it may come in; Leave takes it back if it was
// not, or has ended. oldest is the session that has been there for longest, if the standing is Taken.
func (r *Roster) Enter(id []byte, l Login) (standing Standing, oldest uint64) {
	s, tag := r.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enter(tag, l, r.policy, r.most)
}

// Displace appends to all who makes way for a client whose standing was Among, now that it has been
// welcomed, and takes them from the list: its own earlier sessions, and beyond the bound under Replace
// the oldest login. That is the client itself if as many that entered after it were welcomed before. It is
// nobody if it has been displaced already.
func (r *Roster) Displace(id []byte, l Login, all []Displaced) []Displaced {
	s, tag := r.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	most := r.most
	if r.policy != Replace {
		most = 0
	}
	return s.displace(tag, l, most, all)
}

// Leave takes a session from the list, if it is on it.
func (r *Roster) Leave(id []byte, handle uint64) {
	s, tag := r.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(tag, func(e *entry) bool { return e.handle == handle })
}

// Lookup appends to all the sessions of an id, the oldest login first.
func (r *Roster) Lookup(id []byte, all []uint64) []uint64 {
	s, tag := r.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := s.first(tag); at != nil; at = s.after(at) {
		all = append(all, at.handle)
	}
	return all
}

// Len is how many sessions are listed.
func (r *Roster) Len() (n int) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		n += s.used
		s.mu.Unlock()
	}
	return n
}

func (r *Roster) shard(id []byte) (s *shard, tag uint64) {
	seal := r.seals.own.seal("roster", nil, id)
	return &r.shards[seal[sealLen-1]], binary.BigEndian.Uint64(seal[:])
}
