package reactor

import (
	"math/bits"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// Reactor is one loop's share of a node: its sessions, its wheel, its counters. It does
// no I/O of its own and reads no clock; time and bytes come in as arguments. Everything
// in it is owned by the loop, apart from its mailbox and what node points to.
type Reactor struct {
	cfg       *Config
	node      *gate.Node
	transport Transport
	app       App
	asker     Asker // nil: everybody may come in
	forward   func(Closing)
	tell      func(Verdict)
	index     uint8 // of the loop, the highest byte of its handles
	wall      func() time.Time
	mailbox   Mailbox

	clock     clock
	now       time.Duration // logical, as of the last observation
	wheel     *timingwheel.Wheel
	sessions  sessions
	live      liveTable
	groups    groups
	missed    map[Slot]map[string]int // what slow members of groups did not get
	rounds    []*Round
	begun     uint64          // rounds
	ahead     map[Slot]uint64 // the last of rounds that has visited a session before it came there; nil: none
	fanning   int             // bytes of publications that are under way
	delivered numbers
	senders   senders
	awaits    awaitTable
	extras    extras
	names     names
	terms     codec.Terms
	stretch   int32 // what the terms are lengthened by
	counters  Counters

	out       []byte     // frames of the current callback, for the current slot
	answering answering  // and what follows them
	kick      codec.Code // set by the application for the current slot
	goodbye   []byte     // the GOAWAY that goes with it; nil: as for any end

	notice codec.GoAwayMessage   // what the next GOAWAY says beside its code
	token  [gate.MaxSealLen]byte // the ticket or return pass of the current frame

	onDue     timingwheel.VisitFunc // r.due, bound once
	over      func(Part) bool       // whether the time of a part of the present turn is over
	postsOver func() bool           // over(part()), bound once
	manyOver  func() bool           // over(manyPart()), bound once
	restOver  func() bool           // over(Rest), bound once
	posting   bool                  // posts that were taken are not done yet
	overdue   bool                  // the last turn left more that is due beside them

	stopping   pass                 // over who is to be told that the node stops
	allTold    bool                 // they have all been told
	moving     pass                 // over who is to be told to move
	movers     movers               // told to, by the drain
	invited    movers               // told to, by the application
	asking     map[uint64]time.Time // clients that wait until another session ends, and when theirs does
	shedding   shedding
	announcing announcement
	tuning     tuning

	lookShift uint8  // sessions are looked at every 1<<lookShift seconds, about once a timeout
	usual     bounds // of what a session may send
	special   boundsTable
	kept      keptTable
	resumed   arrivals      // sessions that are to be read up to the present
	waited    time.Duration // the longest that a HELLO has waited since somebody asked
	late      bool          // the last turn began later than deadlines allow for
	arrivals  arrivals      // connections in the order they came, those that are silent among them
}

// New makes the reactor of a loop whose life begins at now. cfg is shared and only read; it is not
// checked but for what the wheel makes of it.
func New(cfg *Config, env Env, now time.Duration) (*Reactor, error) {
	wheel, err := timingwheel.New(timingwheel.Config{Tick: cfg.Tick, Start: now})
	if err != nil {
		return nil, err
	}
	r := &Reactor{
		cfg: cfg, node: env.Node, transport: env.Transport, app: env.App, asker: env.Ask,
		forward: env.Forward, tell: env.Tell, index: env.Loop, wall: env.Wall,

		clock:   newClock(now, cfg.Timeout, cfg.Tick),
		wheel:   wheel,
		terms:   codec.Terms{Interval: cfg.Heartbeat, Timeout: cfg.Timeout, Number: 1},
		stretch: 1,
		now:     now,

		lookShift: uint8(max(bits.Len64(uint64(cfg.Timeout/time.Second))-1, 0)),
		usual:     boundsOfAll(cfg),
	}
	r.tuning.former = r.usual
	r.onDue = r.due
	r.postsOver = func() bool { return r.over(r.part()) }
	r.manyOver = func() bool { return r.over(r.manyPart()) }
	r.restOver = func() bool { return r.over(Rest) }
	r.updateWindow() // its first client is here before its first turn
	return r, nil
}

// Release gives the wheel's memory back. Nothing may be called after it.
func (r *Reactor) Release() error { return r.wheel.Close() }

// Mailbox is where other goroutines leave what they ask of the loop's sessions.
func (r *Reactor) Mailbox() *Mailbox { return &r.mailbox }

// Counters are the loop's; only the loop may read them.
func (r *Reactor) Counters() *Counters { return &r.counters }

// Session is what the transport keeps beside its connection.
func (r *Reactor) Session(slot Slot) *Session { return r.sessions.at(slot) }

// Waited is the longest that a HELLO has waited in the kernel since it was last asked for.
func (r *Reactor) Waited() time.Duration {
	waited := r.waited
	r.waited = 0
	return waited
}

// AllTold says that the node stops, and that everybody here has been told.
func (r *Reactor) AllTold() bool { return r.allTold }

// observe takes note of real time now. Every entry point does so first.
func (r *Reactor) observe(now time.Duration) {
	r.now = r.clock.observe(now)
	r.wheel.Observe(r.now)
}

// Handle names a connection for ever: no other will have the same while the node runs.
func (r *Reactor) Handle(slot Slot) uint64 {
	h := uint64(r.wheel.Handle(slot)) // generation<<32 | slot
	return uint64(r.index)<<56 | uint64(slot)<<32 | h>>32
}

// find returns the slot of a handle, if its connection is still the same.
func (r *Reactor) find(handle uint64) (Slot, bool) {
	slot, generation := handle>>32&(maxSlots-1), handle<<32
	return r.wheel.Resolve(timingwheel.Handle(generation | slot))
}

// resolve is find for a session: a client that was welcomed and not sent away.
func (r *Reactor) resolve(handle uint64) (Slot, bool) {
	slot, ok := r.find(handle)
	return slot, ok && r.sessions.at(slot).state == stateReady
}

// SessionID names a session on this node and across its restarts.
func (r *Reactor) SessionID(slot Slot) codec.SessionID {
	return codec.SessionID{Epoch: r.node.Epoch, Handle: r.Handle(slot)}
}

// ClientID is a view of the id that the client of a session gave, valid until it ends.
func (r *Reactor) ClientID(slot Slot) []byte { return r.names.get(r.sessions.at(slot).name) }
