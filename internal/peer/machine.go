package peer

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stormwheel/stormwheel/internal/pulse"
)

// Machine is a node of the cluster. See the package's documentation for who may call.
type Machine struct {
	cfg     Config
	hash    uint64 // of its name
	mark    uint32 // what stands for this run in others' lists of who is heard
	started uint64 // the clock at New
	number  uint16
	clock   clock
	draw    draw

	table table
	log   claimLog

	known   map[string]*node
	nodes   []*node // the same, by name: so that what is done does not hang on a map's order
	members *Members

	own        *node   // this node, among those that live
	live       []*node // as in members
	homing     homing
	directory  directory
	follows    map[string]*followed
	followList []*followed
	lanes      []*node // with records that wait

	load    Load
	drain   uint64 // the clock when it began to drain; 0: it does not
	left    bool
	rivaled bool // Replaced was told

	due        time.Duration // when Tick is to be called
	flushAt    time.Duration // never, if nothing waits
	announceAt time.Duration
	lookAt     time.Duration // when something is due of a peer
	excused    time.Duration // until then no peer is down but of its own accord

	again []byte // records of an AGAIN that is being made

	told  Terms
	stale bool          // told may not be what holds
	tuned time.Duration // when that was looked at last
	shift shift

	stats Stats
}

// never is a deadline that does not come.
const never = time.Duration(math.MaxInt64)

const (
	// tardy is how late a call may be before the owner, not the peers, is taken to have been asleep: stopped,
	// suspended, starved.
	tardy = 250 * time.Millisecond // with each pulse Tick is wanted, so that a sleep of 0.45 s is noticed: others close connections then
	// wakeTime is how long after a sleep the bus is not believed that a peer is gone: its connections were closed
	// by those who took this node for dead, and they need a moment to connect again.
	wakeTime = 2 * time.Second
)

// New makes the machine of a node that knows no peer. The config is not checked, but for its defaults;
// ValidNode is for names. The first Tick announces it.
func New(cfg Config, now Now) *Machine {
	cfg = cfg.withDefaults()
	m := &Machine{cfg: cfg, draw: draw(cfg.Seed), hash: xxhash.Sum64String(cfg.Node), mark: markOf(cfg.Node, cfg.Epoch), load: Load{Places: -1},
		known: make(map[string]*node), members: newMembers(cfg.Node, nil),
		due: now.Since, announceAt: now.Since, flushAt: never, lookAt: never}
	m.started = m.clock.now(now.Wall)
	m.number = uint16(m.draw.next())
	m.shift.sliceAt, m.homing.at = never, never
	m.own = &node{name: cfg.Node, hash: m.hash, epoch: cfg.Epoch, mark: m.mark, live: true}
	m.viewChanged(now)
	return m
}

// markOf stands for a run of a node.
func markOf(name string, epoch uint64) uint32 { return uint32(mix(xxhash.Sum64String(name) ^ epoch)) }

// Deadline is when Tick wants to be called, since the owner's origin. It may be in the past after any
// call but Tick, and may be earlier than before after Open, Close, SetLoad and Received.
func (m *Machine) Deadline() time.Duration { return m.due }

// Tick does what is due. It must be called at or soon after Deadline, and after what the bus already
// has was given to Received; to call it early is harmless. An owner that was itself asleep for longer
// than 0.45 s does not take its peers for dead: they get as long anew, whatever the bus says in the next 2 s.
func (m *Machine) Tick(now Now, out *Out) {
	m.observe(now)
	if m.left {
		m.due = never
		return
	}
	m.tickHomes(now, out)
	if now.Since >= m.flushAt {
		m.flush(now, out)
	}
	if now.Since >= m.announceAt {
		m.announce(now, out)
		m.rebalance(now, out)
		m.stale, m.lookAt = true, now.Since
	}
	if now.Since >= m.shift.sliceAt {
		m.slice(now, out)
	}
	if now.Since >= m.lookAt {
		m.lookAfter(now, out)
	}
	m.due = min(m.flushAt, m.announceAt, m.lookAt, m.shift.sliceAt, m.homing.at, pulse.Next(now.Since))
	if len(m.homing.pending) > 0 {
		m.wake(m.homing.stateAt)
	}
	m.retune(now, out)
}

// observe notes the time. Who comes much later than he wanted to be called was asleep, and heard nobody: the
// silence of those that live begins anew, others are excused for so long.
func (m *Machine) observe(now Now) {
	late := now.Since - m.due
	if late <= tardy || m.left {
		return
	}
	m.excused = now.Since + wakeTime
	for _, p := range m.nodes {
		if p.live {
			p.heardAt, p.hearsAt = now.Since, now.Since
			continue
		}
		p.heardAt = min(p.heardAt+late, now.Since)
		p.hearsAt = min(p.hearsAt+late, now.Since)
	}
	m.due = now.Since
}

// wake has Tick called at a time, or before.
func (m *Machine) wake(at time.Duration) { m.due = min(m.due, at) }

// announce tells all how the node is doing. What was claimed leaves before: then the number of the latest
// claim misses none that is on its way.
func (m *Machine) announce(now Now, out *Out) {
	m.chooseMode(now)
	m.flush(now, out)
	a := announcement{started: m.started, clock: m.clock.now(now.Wall), drain: m.drain, head: m.log.head, number: m.number,
		state: m.State(), load: m.load, address: []byte(m.cfg.Address), version: []byte(m.cfg.Version)}
	a.heard, a.whole = m.heard(now)
	a.registers, a.silent = m.homing.registers, m.homing.silent
	start := out.begin(kindNode, m)
	out.data = appendAnnouncement(out.data, &a)
	m.publish(out, Nodes, "", start)
	m.announceAt = onPulse(now.Since, m.cfg.Announce)
}

// onPulse is when something is to be done that takes place each so often: with a pulse, if one is near.
func onPulse(now, every time.Duration) time.Duration {
	if at := pulse.Last(now + every); every-(now+every-at) > every/2 {
		return at
	}
	return now + every
}

// publish sends what was appended to out since it had start bytes.
func (m *Machine) publish(out *Out, subject Subject, node string, start int) {
	m.stats.Published++
	m.stats.PublishedBytes += uint64(len(out.data) - start)
	out.publish(subject, node, start)
}

// Leave tells the peers that this node ends: it is down for them at once. The machine says nothing any
// more.
func (m *Machine) Leave(now Now, out *Out) {
	m.observe(now)
	if m.left {
		return
	}
	m.left = true
	m.announce(now, out)
	m.due = never
}

// Members are the nodes that live now. It is another one after each Up and Down, and is never changed:
// any goroutine may use it.
func (m *Machine) Members() *Members { return m.members }

// countMembers makes Members anew.
func (m *Machine) countMembers(now Now) {
	m.members = newMembers(m.cfg.Node, m.nodes)
	m.stale = true
	m.viewChanged(now)
}

// find is where a node is among those that are known, or would be.
func (m *Machine) find(name string) (int, bool) {
	return slices.BinarySearchFunc(m.nodes, name, func(p *node, name string) int { return strings.Compare(p.name, name) })
}
