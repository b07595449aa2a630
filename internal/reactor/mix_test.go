package reactor

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// mix is a node of two loops to which everything happens at once, by chance: clients come, return, go
// and fall silent, are paused, moved, closed and superseded, in groups, with grants that end and have
// limits, with messages both ways. It looks for what is left when all have gone.
type mix struct {
	t       *testing.T
	rnd     *rand.Rand
	loops   []*node
	clients []*mixed
	asked   []mixQuestion

	awaited, settled int
	posted           uint64
	handled          map[gateName]int // SENDs of an incarnation, by number
	opened, closed   int
}

// gateName names a SEND for ever.
type gateName struct {
	incarnation, number uint64
}

// mixed is a client's connection.
type mixed struct {
	on     *node
	slot   Slot
	handle uint64
	p      *peer
	from   Origin
	pass   []byte
	number uint64
	held   []byte
}

// mixQuestion is a client that is being checked.
type mixQuestion struct {
	on     *node
	handle uint64
	check  time.Duration
}

// mixDesk asks the mix.
type mixDesk struct {
	m  *mix
	on *node
}

func (d mixDesk) Ask(handle uint64, _ *codec.HelloMessage, _ netip.Addr) bool {
	d.m.asked = append(d.m.asked, mixQuestion{d.on, handle, 0})
	return d.m.rnd.IntN(20) > 0
}

func (d mixDesk) Renew(q Renewal) bool {
	d.m.asked = append(d.m.asked, mixQuestion{d.on, q.Handle, q.Check})
	return d.m.rnd.IntN(4) > 0
}

func newMix(t *testing.T, seed uint64) *mix {
	m := &mix{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), handled: make(map[gateName]int)}
	cfg := rigConfig{MaxConns: 3 + m.rnd.IntN(8), MaxSameID: 1 + m.rnd.IntN(2), MaxQueued: 70 << 10, SoftQueued: 2 << 10,
		Duplicates: gate.Duplicates(m.rnd.IntN(3)), Index: m.rnd.IntN(2) == 0, Alternates: []string{"b:1"}}
	cfg.Handler = handler{
		Opened:  func(s *caller) { m.opened++; m.act(s) },
		Message: m.message,
		Settled: func(Outcome, Waiter) { m.settled++ },
		Missed:  func(s *caller, _ string, _ int) { m.act(s) },
		Closed:  func(s *caller, _ Reason) { m.closed++; m.act(s) },
	}
	if seed%4 == 0 {
		cfg.MaxQueuedTotal = 100 << 10
	}
	m.loops = newLoops(t, 2, cfg)
	m.loops[0].r.node.Budget.Max = cfg.MaxQueuedTotal
	for _, n := range m.loops {
		n.r.tell = func(v Verdict) { m.loops[v.Loop()].r.mailbox.Verdict(v) }
		if seed%3 == 0 {
			n.r.asker = mixDesk{m, n}
		}
	}
	return m
}

func (m *mix) message(s *caller, number uint64, body []byte) {
	origin := s.r.app.Origin(s.slot)
	if name := (gateName{origin.Incarnation, number}); origin.Incarnation != 0 && number != 0 {
		if m.handled[name]++; m.handled[name] > 1 {
			m.t.Errorf("%+v is handled twice", name)
		}
	}
	switch m.rnd.IntN(6) {
	case 0:
		_ = s.Reply(number, body)
	case 1:
		_ = s.r.Nack(s.slot, &codec.NackMessage{Number: number, Code: codec.NackBusy})
	case 2:
	default:
		_ = s.Ack(number)
	}
	if m.act(s); s.r.failed() {
		delete(m.handled, gateName{origin.Incarnation, number}) // it may come again
	}
}

// act is what a callback may do, and an application that fails.
func (m *mix) act(s *caller) {
	r, slot := s.r, s.slot
	switch m.rnd.IntN(24) {
	case 0, 1:
		_ = r.PauseRead(slot)
	case 2:
		_ = r.ResumeRead(slot)
	case 3, 4, 5:
		_ = r.JoinGroup(slot, m.group())
	case 6:
		r.LeaveGroup(slot, m.group())
	case 7, 8:
		if s.DeliverAwaited(make([]byte, m.rnd.IntN(3000)), "x") == nil {
			m.awaited++
		}
	case 9:
		if r.Request(slot, []byte("ask"), "x") == nil {
			m.awaited++
		}
	case 10:
		_ = s.Deliver(make([]byte, m.rnd.IntN(3000)))
	case 11:
		_ = r.DeliverOptional(slot, make([]byte, m.rnd.IntN(3000)))
	case 12:
		_ = r.Extend(slot, r.wall().Add(time.Duration(m.rnd.IntN(20)-1)*time.Second))
	case 13:
		_ = r.Move(slot, m.goAway())
	case 14:
		_ = r.Extend(slot, time.Time{})
	case 15:
		_ = r.Ack(slot, codec.AckMessage{Range: codec.Range{First: 1, Last: 40}, What: 1})
	case 16:
		switch m.rnd.IntN(6) {
		case 0:
			r.Kick(codec.CodeKicked, nil)
		case 1:
			r.Kick(codec.CodeKicked, m.goAway())
		case 2:
			r.Panicked()
		}
	}
}

func (m *mix) group() string { return fmt.Sprint("g", m.rnd.IntN(4)) }

func (m *mix) goAway() []byte {
	b, err := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeDraining, Alternates: []byte("b:1")})
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

// post is what another goroutine asks of a session, or of many.
func (m *mix) post() {
	if len(m.clients) == 0 {
		return
	}
	c := m.clients[m.rnd.IntN(len(m.clients))]
	r := c.on.r
	box := &r.mailbox
	switch m.rnd.IntN(16) {
	case 0, 1:
		m.posted++
		body := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, c.handle), m.posted)
		_ = box.Deliver(c.handle, append(body, make([]byte, m.rnd.IntN(3000))...))
	case 2:
		if box.DeliverAwaited(c.handle, []byte("post"), "x") == nil {
			m.awaited++
		}
	case 3:
		if box.Request(c.handle, []byte("post"), "x") == nil {
			m.awaited++
		}
	case 4:
		if m.rnd.IntN(4) == 0 {
			box.Close(c.handle, codec.CodeKicked, nil)
		}
	case 5:
		_ = box.Move(c.handle, m.goAway())
	case 6, 7:
		_ = box.Member(c.handle, m.group(), m.rnd.IntN(4) > 0)
	case 8, 9:
		_ = box.Call(c.handle, func(slot Slot) { m.act(&caller{r: r, slot: slot}) })
	case 10, 11:
		frame, group := codec.AppendDeliver(nil, 0, make([]byte, m.rnd.IntN(1500))), m.group()
		for _, n := range m.loops {
			_ = n.r.mailbox.OnLoop(func(r *Reactor) { r.Publish(group, frame) })
		}
	case 12:
		_ = box.OnLoop(func(r *Reactor) {
			r.BeginRound(&Round{Visit: func(slot Slot) ([]byte, bool) {
				m.act(&caller{r: r, slot: slot})
				return codec.AppendDeliver(nil, 0, nil), m.rnd.IntN(10) > 0
			}})
		})
	case 14:
		_ = box.DeliverOptional(c.handle, make([]byte, m.rnd.IntN(3000)))
	case 15:
		_ = box.Nack(c.handle, &codec.NackMessage{Number: c.number, Code: codec.NackBusy})
	case 13:
		if from := r.node.Senders.Find(fmt.Sprint("id", c.from.Incarnation%2), c.from.Incarnation); from != nil {
			in := codec.Range{First: 1, Last: c.number + 1}
			_ = from.Settle(in, gate.Mark{}, func(session uint64, run codec.Range) error {
				return m.loops[session>>56].r.mailbox.Ack(session, codec.AckMessage{Range: run})
			})
		}
	}
}

// step is one thing that happens.
func (m *mix) step() {
	switch m.rnd.IntN(10) {
	case 0, 1:
		m.come()
	case 2, 3, 4, 5:
		if len(m.clients) > 0 {
			if c := m.clients[m.rnd.IntN(len(m.clients))]; c.there() {
				m.speak(c)
			}
		}
	case 6, 7:
		m.post()
	case 8:
		m.disturb()
	default:
		m.turn()
	}
	for _, n := range m.loops {
		if r := n.r; len(r.out) > 0 || r.answering != (answering{}) || r.kick != 0 || r.goodbye != nil {
			m.t.Fatalf("%d bytes, %+v and an end of %v are left for another session", len(r.out), r.answering, r.kick)
		}
	}
}

// disturb is what the network does, and the authenticator.
func (m *mix) disturb() {
	if len(m.asked) > 0 {
		q := m.asked[0]
		m.asked = m.asked[1:]
		a := Answer{Handle: q.handle, Check: q.check, Expires: q.on.r.wall().Add(time.Duration(m.rnd.IntN(30)) * time.Second)}
		if m.rnd.IntN(4) == 0 {
			a.Why = ReasonUnauthorized
		}
		if m.rnd.IntN(2) == 0 {
			a.Limits = &Limits{FrameRate: 50, UnsettledBytes: 9000, MaxFrame: 9000}
		}
		q.on.r.mailbox.Answer(a)
	}
	if len(m.clients) == 0 {
		return
	}
	switch c := m.clients[m.rnd.IntN(len(m.clients))]; m.rnd.IntN(7) {
	case 0, 1:
		c.p.blocked = true
	case 2, 3:
		c.p.blocked, c.p.queued = false, 0
	case 4:
		c.p.reset = m.rnd.IntN(4) == 0
	case 5:
		c.p.left = m.rnd.IntN(4) == 0
	case 6:
		if m.rnd.IntN(4) == 0 && c.there() {
			c.on.r.Closed(c.slot, ReasonPeerClosed)
		}
	}
}

func (m *mix) turn() {
	d := time.Duration(m.rnd.IntN(1000)) * time.Millisecond
	left := m.rnd.IntN(6)
	for _, n := range m.loops {
		n.now += d
		n.runClosings()
		n.turn(func() bool { left--; return left < 0 })
	}
	say(m.loops)
}

// checkPosts looks whether what was posted for a session came to it alone, and in its order.
func (m *mix) checkPosts(c *mixed) {
	last := uint64(0)
	for _, f := range frames(m.t, c.p.in) {
		if f.Type != codec.Deliver || len(f.Payload) < 24 || f.Flags != 0 {
			continue
		}
		handle, number := binary.BigEndian.Uint64(f.Payload[8:]), binary.BigEndian.Uint64(f.Payload[16:])
		if handle != 0 && (handle != c.handle || number <= last) {
			m.t.Errorf("session %x got post %d of %x behind %d", c.handle, number, handle, last)
		}
		last = max(last, number)
	}
}

// end has all go, and looks.
func (m *mix) end() {
	for _, c := range m.clients {
		c.p.blocked, c.p.queued = false, 0
		m.checkPosts(c)
	}
	if m.rnd.IntN(2) == 0 {
		m.loops[0].r.node.Stopping.Store(true)
	}
	for range 400 {
		for _, n := range m.loops {
			n.now += 900 * time.Millisecond
			n.runClosings()
			for n.turn(never) && n.r.Posting() {
			}
		}
		say(m.loops)
	}
	for i, n := range m.loops {
		r := n.r
		if u := r.InUse(); u != (InUse{}) {
			m.t.Errorf("loop %d: in use are %+v", i, u)
		}
		if err := r.wheel.Validate(); err != nil {
			m.t.Error(err)
		}
		c := r.counters
		if c.Conns != 0 || c.Sessions != 0 || c.Draining != 0 || c.Queued != 0 || c.Partial != 0 || c.Kept != 0 || c.Paused != 0 || c.Memberships != 0 {
			m.t.Errorf("loop %d counts %+v", i, c)
		}
		if len(r.groups.byName) != 0 || len(r.groups.walks) != 0 || len(r.missed) != 0 || r.fanning != 0 || len(r.rounds) != 0 ||
			r.resumed.len() != 0 || len(r.asking) != 0 || len(r.groups.free) != int(r.groups.made) {
			m.t.Errorf("loop %d: %d groups, %d walks, %d missed, %d bytes are fanned out, %d rounds, %d to be resumed, %d ask", i, len(r.groups.byName),
				len(r.groups.walks), len(r.missed), r.fanning, len(r.rounds), r.resumed.len(), len(r.asking))
		}
		for _, w := range append(r.movers, r.invited...) {
			if w != 0 {
				m.t.Errorf("loop %d: somebody is still to move", i)
			}
		}
		if r.mailbox.doingLeft != 0 || r.mailbox.doingBytes != 0 || r.mailbox.bytes != 0 || r.mailbox.sure != 0 {
			m.t.Errorf("loop %d: its mailbox counts %d and %d bytes", i, r.mailbox.doingLeft, r.mailbox.doingBytes)
		}
		for _, x := range r.extras.chunks {
			for k := range x {
				if x[k] != (extra{}) {
					m.t.Fatalf("loop %d: %+v is left", i, x[k])
				}
			}
		}
	}
	g := m.loops[0].r.node
	if g.Conns.Open() != 0 || g.Conns.Knocking() != 0 || g.Conns.Pending() != 0 || g.Conns.Lingering() != 0 || g.Budget.Queued() != 0 {
		m.t.Errorf("%d open, %d knock, %d pending, %d linger, %d bytes of the budget", g.Conns.Open(), g.Conns.Knocking(), g.Conns.Pending(), g.Conns.Lingering(), g.Budget.Queued())
	}
	if g.Roster != nil && g.Roster.Len() != 0 {
		m.t.Errorf("%d are on the roster", g.Roster.Len())
	}
	if m.awaited != m.settled || m.opened != m.closed {
		m.t.Errorf("%d awaited and %d outcomes, %d opened and %d closed", m.awaited, m.settled, m.opened, m.closed)
	}
}

// Whatever happens together, nothing is left, nothing goes to another session, and nothing is told twice.
func TestEverythingAtOnce(t *testing.T) {
	seeds := uint64(300)
	for seed := range seeds {
		m := newMix(t, seed)
		for i := range 500 {
			if i == 300 && seed%5 == 0 {
				m.loops[0].drain(1000)
			}
			m.step()
		}
		if m.end(); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
