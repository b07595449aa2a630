package server

import (
	"math/bits"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// transport is what a reactor needs of its loop's sockets; a slot names a connection.
// All of it runs on the loop. Write, Close and Abort may end the connection before they
// return, and then they have called reactor.closed.
type transport interface {
	// Write hands over b, which may be reused after the return, and says how many bytes
	// now wait for the kernel.
	Write(slot timingwheel.ID, b []byte) (queued int)
	// Queued says how many bytes wait for the kernel.
	Queued(slot timingwheel.ID) int
	// Unsent says how many bytes the kernel holds that the peer's has not acknowledged; 0 where
	// nobody can tell.
	Unsent(slot timingwheel.ID) int
	// Held says how many bytes were read and not consumed.
	Held(slot timingwheel.ID) int
	// Unread says how many bytes wait in the kernel to be read.
	Unread(slot timingwheel.ID) int
	// Waited says how long ago the last bytes of the peer reached the kernel, and whether the
	// peer is still there: it has sent neither FIN nor RST.
	Waited(slot timingwheel.ID) (waited time.Duration, there bool)
	// FinishWrite sends FIN and keeps reading.
	FinishWrite(slot timingwheel.ID)
	// Close ends the connection the ordinary way.
	Close(slot timingwheel.ID)
	// RemoteAddr is where the peer is.
	RemoteAddr(slot timingwheel.ID) netip.Addr
	// Abort ends it with RST, so that nothing of a dead peer stays in the kernel.
	Abort(slot timingwheel.ID)
}

// reactor is one loop's share of a node: its sessions, its wheel, its counters. It does
// no I/O of its own and reads no clock; time and bytes come in as arguments. Everything
// in it is owned by the loop, apart from what node points to.
type reactor struct {
	cfg       *Config
	node      *gate.Node
	transport transport
	index     uint8 // of the loop, the highest byte of its handles
	wall      func() time.Time
	askAuth   func(handle uint64, req AuthRequest) bool // nil: everybody may come in
	close     func(closing)                             // ends a session of any loop
	refused   func(why Reason)                          // is told of a client for whom there is no room
	exited    func()                                    // called when a handler has ended the loop's goroutine
	mailbox   *mailbox                                  // the loop's, nil without a loop

	clock     clock
	now       time.Duration // logical, as of the last observation
	wheel     *timingwheel.Wheel
	sessions  sessions
	delivered numbers
	views     views
	extras    extras
	names     names
	terms     codec.Terms
	stretch   int32 // what the terms are lengthened by
	counters  Counters

	out  []byte     // frames of the current callback, for the current slot
	kick codec.Code // set by a handler for the current slot

	notice codec.GoAwayMessage   // what the next GOAWAY says beside its code
	token  [gate.MaxSealLen]byte // the ticket or resume token of the current frame

	onVisit  timingwheel.VisitFunc // r.visit, bound once
	posting  bool                  // posts that were taken are not done yet
	stopping bool                  // farewells go out, slot by slot
	nextStop timingwheel.ID
	allTold  bool // they have all gone out
	told     told // sessions that a drain has asked to go
	nextTold timingwheel.ID

	lookShift           uint8 // sessions are looked at every 1<<lookShift seconds, about once a timeout
	frameRate, byteRate rate
	shed                shedding
	announcing          announcement
	waited              time.Duration // the longest that a HELLO has waited since the last turn
	late                bool          // the last turn began later than deadlines allow for
	arrivals            arrivals      // connections in the order they came, those that are silent among them
	panicLog            time.Duration // when a handler's panic was last logged, neverLogged: none was
}

func newReactor(cfg *Config, node *gate.Node, index uint8, t transport, now time.Duration, wall func() time.Time) (*reactor, error) {
	wheel, err := timingwheel.New(timingwheel.Config{Tick: cfg.Tick, Start: now})
	if err != nil {
		return nil, err
	}
	r := &reactor{
		cfg: cfg, node: node, transport: t, index: index, wall: wall,
		clock:   newClock(now, cfg.Timeout, cfg.Tick),
		wheel:   wheel,
		terms:   codec.Terms{Interval: cfg.Heartbeat, Timeout: cfg.Timeout, Number: 1},
		stretch: 1,
		now:     now,

		lookShift: uint8(max(bits.Len64(uint64(cfg.Timeout/time.Second))-1, 0)),
		frameRate: newRate(cfg.MaxFrameRate, 0),
		byteRate:  newRate(cfg.MaxByteRate, 2*int64(cfg.MaxFrame+codec.Overhead)),
		panicLog:  neverLogged,
	}
	r.onVisit = r.visit
	return r, nil
}

// observe takes note of real time now. Every entry point does so first.
func (r *reactor) observe(now time.Duration) {
	r.now = r.clock.observe(now)
	r.wheel.Observe(r.now)
}

// open takes in a new connection and returns its slot. The deadline for HELLO runs from
// here, and nothing extends it.
func (r *reactor) open(now time.Duration) (slot timingwheel.ID, ok bool) {
	r.observe(now)
	slot = r.wheel.Add(r.cfg.HelloTimeout)
	if slot >= maxSlots {
		r.wheel.Remove(slot)
		return 0, false
	}
	r.sessions.grow(slot)
	*r.sessions.at(slot) = session{state: stateHandshaking, rateSecond: r.second(), place: placeOf(r.index, slot), need: 1}
	r.delivered.forget(slot)
	r.counters.Accepted++
	r.counters.Conns++
	return slot, true
}

// closed forgets a connection that the transport has ended. why is the transport's
// explanation and counts only if the reactor did not end it itself.
func (r *reactor) closed(slot timingwheel.ID, why Reason) {
	s := r.sessions.at(slot)
	if s.state == stateFree {
		return
	}
	r.leave(slot, why)
	if s.state == stateLingering {
		r.node.Conns.EndLinger()
	}
	r.names.drop(s.name)
	r.views.drop(slot)
	r.untrack(s)
	r.hold(slot, 0)
	r.extras.drop(s)
	switch {
	case s.is(admitted):
		r.node.Conns.Leave()
	case s.is(knocking):
		r.node.Conns.EndKnock()
	}
	*s = session{}
	r.counters.Conns--
	r.wheel.Remove(slot)
}

// leave counts the end of a connection, once, and tells the handler.
func (r *reactor) leave(slot timingwheel.ID, why Reason) {
	s := r.sessions.at(slot)
	if s.is(gone) {
		return
	}
	s.set(gone)
	r.settle(s)
	if x := r.extras.of(s); x.invited {
		r.node.Seals.Restore(x.ticket)
	}
	if s.is(counted) {
		r.node.Addrs.Leave(gate.AddrKey(r.transport.RemoteAddr(slot)))
	}
	r.counters.Closes[why]++
	if s.state != stateReady {
		return
	}
	r.counters.Sessions--
	r.untell(slot, why)
	if r.cfg.Handler.Closed != nil {
		r.callClosed(slot, why)
		r.kick = 0
	}
	r.views.drop(slot)
}

func (r *reactor) handle(slot timingwheel.ID) uint64 {
	h := uint64(r.wheel.Handle(slot)) // generation<<32 | slot
	return uint64(r.index)<<56 | uint64(slot)<<32 | h>>32
}

// find returns the slot of a handle, if its connection is still the same.
func (r *reactor) find(handle uint64) (timingwheel.ID, bool) {
	slot, generation := handle>>32&(maxSlots-1), handle<<32
	return r.wheel.Resolve(timingwheel.Handle(generation | slot))
}

// resolve is find for a session: a client that was welcomed and not sent away.
func (r *reactor) resolve(handle uint64) (timingwheel.ID, bool) {
	slot, ok := r.find(handle)
	return slot, ok && r.sessions.at(slot).state == stateReady
}

func (r *reactor) sessionID(slot timingwheel.ID) codec.SessionID {
	return codec.SessionID{Epoch: r.node.Epoch, Handle: r.handle(slot)}
}
