package peer

import (
	"container/heap"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// world is a cluster in virtual time: machines, a bus that fails as it is told to, and owners that do
// what the machines want.
type world struct {
	t      *testing.T
	rng    *rand.Rand
	now    time.Duration
	wall   int64 // ms at the origin
	events events
	order  uint64
	hosts  []*host
	cut    map[[2]string]bool // from, to
	drop   float64            // of messages, to each receiver
	double float64
	mix    bool // messages of one sender may overtake each other
	delay  time.Duration
	last   map[[2]*host]time.Duration
	lose   func(from *host, subject Subject, data []byte) bool
	sent   map[Subject]int
	bytes  int
	trace  func(h *host, a Action)
	timed  func(h *host) (ended func()) // told when a call of a machine begins, and ends, if it is there
}

// host is a process: a machine and its owner.
type host struct {
	w        *world
	name     string
	cfg      Config
	m        *Machine
	out      Out
	skew     int64 // of its wall clock, ms
	frozen   time.Duration
	inbox    [][]byte
	dead     bool
	armed    time.Duration
	sessions map[uint64]*login // by handle
	byID     map[string][]*login
	views    map[string]map[uint64]string
	ups      map[string]int
	hub      []string
	terms    Terms
	replaced bool
	handed   map[string]int
}

// login is a session of a host.
type login struct {
	h           *host
	id          string
	handle      uint64
	incarnation uint64
	attempt     uint32
	stamp       uint64
	told        bool // End was
	ended       bool // by its host
	code        codec.Code
	closed      bool
}

type event struct {
	at    time.Duration
	order uint64
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = event{}
	*e = (*e)[:len(*e)-1]
	return last
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), wall: 1_800_000_000_000, cut: make(map[[2]string]bool),
		delay: 300 * time.Microsecond, last: make(map[[2]*host]time.Duration), sent: make(map[Subject]int)}
}

func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.events, event{w.now + d, w.order, do})
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now + d
	for len(w.events) > 0 && w.events[0].at <= end {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
}

// start begins a process.
func (w *world) start(cfg Config) *host {
	if cfg.Epoch == 0 {
		cfg.Epoch = w.rng.Uint64() | 1
	}
	cfg.Seed = w.rng.Uint64()
	if cfg.Address == "" {
		cfg.Address = cfg.Node + ":7000"
	}
	h := &host{w: w, name: cfg.Node, cfg: cfg, sessions: make(map[uint64]*login), byID: make(map[string][]*login), views: make(map[string]map[uint64]string),
		ups: make(map[string]int), handed: make(map[string]int), armed: never}
	h.m = New(cfg, h.time())
	w.hosts = append(w.hosts, h)
	h.arm()
	return h
}

// cluster starts so many nodes, named a, b, c..., and lets them find each other.
func (w *world) cluster(n int, cfg Config) []*host {
	for i := range n {
		cfg.Node = string(rune('a' + i))
		w.start(cfg)
	}
	w.run(2 * time.Second)
	return w.hosts
}

func (h *host) time() Now { return Now{h.w.now, h.w.wall + h.w.now.Milliseconds() + h.skew} }

// arm has the machine ticked at its deadline.
func (h *host) arm() {
	if at := h.m.Deadline(); at < h.armed {
		h.armed = at
		h.w.after(max(at-h.w.now, 0), func() {
			if h.armed == at {
				h.armed = never
				h.tick()
			}
		})
	}
}

func (h *host) tick() {
	if h.dead || h.w.now < h.frozen {
		return
	}
	ended := h.timed()
	h.m.Tick(h.time(), &h.out)
	ended()
	h.obey()
}

func (h *host) timed() (ended func()) {
	if h.w.timed == nil {
		return func() {}
	}
	return h.w.timed(h)
}

// freeze stops a process for some time; what is sent to it waits for it.
func (h *host) freeze(d time.Duration) {
	h.frozen = max(h.frozen, h.w.now+d)
	h.w.after(h.frozen-h.w.now, func() {
		if h.dead || h.w.now < h.frozen {
			return
		}
		inbox := h.inbox
		h.inbox = nil
		for _, data := range inbox {
			h.receive(data)
		}
		h.tick()
	})
}

// kill ends a process without a word.
func (h *host) kill() {
	h.dead = true
	for _, l := range h.sessions {
		l.closed = true
	}
	h.w.hosts = slices.DeleteFunc(h.w.hosts, func(other *host) bool { return other == h })
}

func (h *host) receive(data []byte) {
	if h.dead {
		return
	}
	if h.w.now < h.frozen {
		h.inbox = append(h.inbox, data)
		return
	}
	ended := h.timed()
	h.m.Received(h.time(), data, &h.out)
	ended()
	h.obey()
}

// obey does what the machine wants.
func (h *host) obey() {
	for _, a := range h.out.Actions {
		if h.w.trace != nil {
			h.w.trace(h, a)
		}
		switch a.Op {
		case Publish:
			h.w.publish(h, a.Subject, a.Node, slices.Clone(a.Data))
		case Up:
			if h.views[a.Node] != nil {
				h.w.t.Errorf("%s is told twice that %s is up", h.name, a.Node)
			}
			h.views[a.Node] = make(map[uint64]string)
			h.ups[a.Node]++
		case Down:
			if h.views[a.Node] == nil {
				h.w.t.Errorf("%s is told that %s is down, which was not up", h.name, a.Node)
			}
			delete(h.views, a.Node)
		case Login:
			h.views[a.Node][a.Login.Stamp] = string(a.Login.ID)
		case Logout:
			delete(h.views[a.Node], a.Login.Stamp)
		case Message:
			h.hub = append(h.hub, a.Node+":"+string(a.Data))
		case End:
			h.end(a)
		case Retune:
			h.terms = a.Terms
		case Move:
			h.handed[a.Node] += a.Count
		case Replaced:
			h.replaced = true
		}
	}
	h.out.Reset()
	if len(h.views)+1 != len(h.m.Members().Names()) {
		h.w.t.Errorf("%s has members %v, and was told of %d", h.name, h.m.Members().Names(), len(h.views))
	}
	h.arm()
}

// end does as the machine says.
func (h *host) end(a Action) {
	l := h.sessions[a.Handle]
	if l == nil || l.told {
		h.w.t.Errorf("%s is to end a session that it has not, or twice: %x", h.name, a.Handle)
		return
	}
	l.told = true
	h.replace(l, a.Code)
}

// replace ends a session a moment later.
func (h *host) replace(l *login, code codec.Code) {
	if !l.ended {
		l.ended, l.code = true, code
		h.w.after(time.Duration(h.w.rng.IntN(20))*time.Millisecond, func() { h.close(l) })
	}
}

// open has a client come in. As servers do, it ends those of the same id that are here.
func (h *host) open(id string, incarnation, after uint64) *login {
	return h.openAs(id, incarnation, 0, after)
}

// openAs is open for a client that counts its attempts.
func (h *host) openAs(id string, incarnation uint64, attempt uint32, after uint64) *login {
	if h.cfg.Replace {
		for _, l := range h.byID[id] {
			h.replace(l, codec.CodeReplaced)
		}
	}
	handle := h.w.rng.Uint64()
	stamp := h.m.Stamp(h.time(), after)
	h.m.Open(h.time(), Session{ID: id, User: id, Incarnation: incarnation, Attempt: attempt, Handle: handle, Stamp: stamp}, &h.out)
	l := &login{h: h, id: id, handle: handle, incarnation: incarnation, attempt: attempt, stamp: stamp}
	h.sessions[handle], h.byID[id] = l, append(h.byID[id], l)
	h.obey()
	return l
}

// follow has a host want to know where a user is. What it was told of him before it did not keep.
func (h *host) follow(user string) {
	for _, view := range h.views {
		maps.DeleteFunc(view, func(_ uint64, id string) bool { return id == user })
	}
	h.m.Follow(h.time(), user, &h.out)
	h.obey()
}

// close ends a session; one of a frozen process when that goes on.
func (h *host) close(l *login) {
	if h.dead || l.closed {
		return
	}
	if h.w.now < h.frozen {
		h.w.after(h.frozen-h.w.now+time.Millisecond, func() { h.close(l) })
		return
	}
	l.closed = true
	delete(h.sessions, l.handle)
	h.byID[l.id] = slices.DeleteFunc(h.byID[l.id], func(other *login) bool { return other == l })
	h.m.Close(h.time(), l.id, l.stamp, &h.out)
	h.obey()
}

// publish brings a message to all whom the bus lets it reach.
func (w *world) publish(from *host, subject Subject, node string, data []byte) {
	w.sent[subject]++
	w.bytes += len(data)
	if w.lose != nil && w.lose(from, subject, data) {
		return
	}
	for _, to := range w.hosts {
		if subject == To && to.name != node || to == from && subject == To || w.cut[[2]string{from.name, to.name}] && to != from {
			continue
		}
		if to != from && w.drop > 0 && w.rng.Float64() < w.drop {
			continue
		}
		w.carry(from, to, data)
		if w.double > 0 && w.rng.Float64() < w.double {
			w.carry(from, to, data)
		}
	}
}

func (w *world) carry(from, to *host, data []byte) {
	at := w.now + time.Duration(float64(w.delay)*(0.5+w.rng.ExpFloat64()))
	if between := [2]*host{from, to}; !w.mix {
		at = max(at, w.last[between])
		w.last[between] = at
	}
	w.after(at-w.now, func() { to.receive(data) })
}

// part cuts two nodes, from one to the other or both ways.
func (w *world) part(from, to string, both bool) {
	w.cut[[2]string{from, to}] = true
	if both {
		w.cut[[2]string{to, from}] = true
	}
}

func (w *world) heal() { clear(w.cut) }
