package messaging

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// What is to be said in a room goes to its home. This node keeps it until the home has answered, and gives it to
// the next home when that one is gone: in the order in which it came. So it may be said twice, by the same id, of
// which a room knows those in its ring and receivers the others.

// says are what rooms are to say. Its lock is taken before that of a room.
type says struct {
	open atomic.Int64 // of all rooms

	mu    sync.Mutex
	rooms map[string]*saying
	all   map[uint64]*say // by token
	bytes int
}

// saying is what one room is to say, in order.
type saying struct {
	list  []*say
	waits bool // its home is not ready
}

type say struct {
	token uint64
	room  string
	body  []byte        // an envelope of kind message
	at    time.Duration // when it came
	home  string        // that was told; empty: none
	life  uint64        // of that node
	told  func(envelope.Position, *Refusal)
}

// sayTime is how long a home is looked for: a SEND is answered within 5 s.
const sayTime = answerTime + time.Second

// sayAbroad has a room say something, and told called once, from any goroutine, when it has: within 5 s.
func (h *Hub) sayAbroad(room string, id ID, e *envelope.Envelope, at time.Duration, told func(envelope.Position, *Refusal)) *Refusal {
	if len(e.Content) > h.cfg.MaxContent {
		return refuseLarge
	}
	body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Message, User: e.User, ID: id.envelope(), Time: e.Time, Taken: h.wall(), Content: e.Content})
	if err != nil {
		return refuseMalformed
	}
	q := &h.says
	if q.open.Load() == 0 && h.cfg.Peers.Home(room) == h.self {
		if pos, ready, why := h.sayHere(room, body); ready {
			told(pos, why)
			return nil
		}
	}
	s := &say{token: h.token.Add(1), room: room, body: body, at: at, told: told}
	q.mu.Lock()
	if q.bytes+len(body) > h.cfg.MaxStoring || h.ctx.Err() != nil {
		q.mu.Unlock()
		return refuseBusy
	}
	of := q.add(s)
	done := q.tell(h, of, s)
	q.mu.Unlock()
	done.tell()
	return nil
}

// add has a say be the room's last. With the lock held.
func (q *says) add(s *say) *saying {
	if q.rooms == nil {
		q.rooms, q.all = make(map[string]*saying), make(map[uint64]*say)
	}
	of := q.rooms[s.room]
	if of == nil {
		of = new(saying)
		q.rooms[s.room] = of
	}
	of.list = append(of.list, s)
	q.all[s.token] = s
	q.bytes += len(s.body)
	q.open.Add(1)
	return of
}

// drop forgets a say that has its answer. With the lock held.
func (q *says) drop(s *say) {
	delete(q.all, s.token)
	q.bytes -= len(s.body)
	q.open.Add(-1)
	of := q.rooms[s.room]
	of.list = slices.DeleteFunc(of.list, func(o *say) bool { return o == s })
	if len(of.list) == 0 {
		delete(q.rooms, s.room)
	}
}

// sayDone are says that have their answers, on their way to who waits for them.
type sayDone []func()

func (d sayDone) tell() {
	for _, tell := range d {
		tell()
	}
}

// tell gives what a room is to say, from s on, to its home, as far as that takes it. With the lock held.
func (q *says) tell(h *Hub, of *saying, from *say) (done sayDone) {
	if of.waits {
		return nil
	}
	first := slices.Index(of.list, from)
	for _, s := range slices.Clone(of.list[first:]) {
		home := h.cfg.Peers.Home(s.room)
		s.home, s.life = home, h.view.life(home)
		if home != h.self {
			m := between.Message{Kind: between.Say, Token: s.token, Room: []byte(s.room), Body: s.body}
			if of.waits = h.tellPeer(home, &m) != nil; of.waits {
				return done
			}
			continue
		}
		at, ready, why := h.sayHere(s.room, s.body)
		if of.waits = !ready; of.waits {
			return done
		}
		q.drop(s)
		done = append(done, func() { s.told(at, why) })
	}
	return done
}

// again gives all that a room is to say to its home once more, if that is another, or was not ready. With the
// lock held.
func (q *says) again(h *Hub, of *saying) sayDone {
	home := h.cfg.Peers.Home(of.list[0].room)
	life := h.view.life(home)
	if !of.waits && !slices.ContainsFunc(of.list, func(s *say) bool { return s.home != home || s.life != life }) {
		return nil
	}
	of.waits = false
	return q.tell(h, of, of.list[0])
}

// sayAgain looks for homes that are ready now, and gives up what waits for too long. It tells whether something
// waits.
func (h *Hub) sayAgain(now time.Duration) (busy bool) {
	q := &h.says
	if q.open.Load() == 0 {
		return false
	}
	var done sayDone
	q.mu.Lock()
	for _, of := range q.rooms {
		for len(of.list) > 0 && now-of.list[0].at >= sayTime {
			s := of.list[0]
			q.drop(s)
			done = append(done, func() { s.told(envelope.Position{}, refuseHomeless) })
		}
		if len(of.list) > 0 {
			done = append(done, q.again(h, of)...)
			busy = busy || of.waits
		}
	}
	q.mu.Unlock()
	done.tell()
	return busy
}

// giveUp refuses all: nobody is left to say it.
func (q *says) giveUp() {
	var done sayDone
	q.mu.Lock()
	for _, s := range q.all {
		q.drop(s)
		done = append(done, func() { s.told(envelope.Position{}, refuseBusy) })
	}
	q.mu.Unlock()
	done.tell()
}

func init() { hears[between.Taken] = (*Hub).sayTaken }

// sayTaken takes the home's answer.
func (h *Hub) sayTaken(node string, m *between.Message) {
	q := &h.says
	q.mu.Lock()
	s := q.all[m.Token]
	switch {
	case s == nil || s.home != node:
		q.mu.Unlock()
		return
	case m.Result == between.Later:
		q.rooms[s.room].waits = true
		q.mu.Unlock()
		h.soon()
		return
	}
	q.drop(s)
	q.mu.Unlock()
	if m.Result != 0 {
		s.told(envelope.Position{}, &Refusal{codec.NackCode(m.Code), string(m.Reason)})
		return
	}
	s.told(envelope.Position{Epoch: m.Epoch, Offset: m.Offset}, nil)
}
