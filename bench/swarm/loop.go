package swarm

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/bench/epoll"
	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/timingwheel"
)

const (
	wheelTick  = time.Millisecond
	wheelSlots = 16384 // 16 s; a later deadline is looked at once a revolution

	// maxBatches bounds the reads that go before the timers. Timers come after what the
	// network has, or a PONG that is there would be missed; but not for ever after.
	maxBatches = 8

	// visitsPerClock bounds how long a clock reading serves in a run of timers.
	visitsPerClock = 64

	// PublishEvery is how old the counts of a running swarm may be.
	PublishEvery = 100 * time.Millisecond
)

// loop owns a share of the clients: their sockets, timers and counts. All of it belongs
// to the goroutine of run, but for what is guarded by mu.
type loop struct {
	swarm *Swarm
	index int // of the swarm's loops

	poll    *epoll.Poller
	quick   *epoll.Poller // of the probes, nil without any: what they hear waits behind nobody else's events
	wheel   *timingwheel.Wheel
	clients []client // the i-th is number i*loops+index of the swarm
	now     time.Duration
	heard   time.Duration // when the clock was read for the batch under way: what it brings was there
	wroteAt time.Duration // just before the latest write()
	closed  bool          // PINGs and messages from closedAt on count for nothing

	closedAt time.Duration

	senders   []sender      // of each client; nil: they send nothing
	receivers []receiver    // of each client; nil: nothing is published
	sizes     payload.Dice  // of what is sent
	body      []byte        // of what is sent next, as large as the largest
	talkers   []talker      // of each client; nil: they do not talk to each other
	enclosed  []byte        // the latest envelope
	talkUntil time.Duration // what is due from then on is not sent
	hears     bool          // nobody is deaf any more

	second    map[uint32]*socket // of clients that have two, around a handover
	partial   map[connKey]partial
	unsent    map[connKey][]byte
	leave     []time.Duration // when each client is to end its session; nil: never
	unsettled time.Duration   // how often Unsettle was called
	drips     map[uint32]dripping
	trickled  map[uint32]bool       // who has sent a whole frame byte by byte
	muteCodes map[uint32]codec.Code // GOAWAYs that mute clients have read
	input     []byte                // one read's bytes
	foreign   foreign.Translator    // nil: the servers speak our own protocol
	lines     *transport.Lines      // of the loop's stage, by descriptor; nil: connections are plain
	wire      []byte                // what the latest frames of a link became
	frame     []byte                // what a server's latest packet became
	out       link.Out
	after     []followUp
	visiting  int64 // the client whose timer runs, -1 if none

	pace      pace   // of an adaptive ramp
	waits     *waits // of the PINGs that wait for an answer
	counted   tally.Counters
	storms    []tally.Storm // by cohort
	probes    *tally.Probes
	rtt       *tally.Hist // from the write() of the PING to its PONG, or as long as it was waited for
	rttActual *tally.Hist // of those that were answered
	// rttIntended is from the moment the PING was due, with those that were due meanwhile.
	rttIntended     *tally.Hist
	connect         *tally.Hist // from the first connect() to the WELCOME
	connectIntended *tally.Hist // from the intended arrival
	away            *tally.Hist // without a session, from its loss to the next WELCOME
	late            *tally.Hist
	lateness        *tally.Hist
	messages        *tally.Hist   // from the due time to the answer; nil: nobody sends
	messagesWire    *tally.Hist   // the same from the write()
	deliveries      *tally.Hist   // from the due time to the client; nil: nothing is published
	confirmations   *tally.Hist   // from the due time until the sender knew that it came; nil: nobody talks
	recent          *tally.Recent // since the last look
	published       time.Duration
	finished        bool

	mu     sync.Mutex
	inbox  []func()
	shared tally.Counters // a copy of counted, at most PublishEvery old
}

func newLoop(s *Swarm, index, clients int) (*loop, error) {
	l := &loop{
		swarm: s, index: index,
		clients:   make([]client, clients),
		second:    map[uint32]*socket{},
		partial:   map[connKey]partial{},
		unsent:    map[connKey][]byte{},
		muteCodes: map[uint32]codec.Code{},
		foreign:   s.foreign,
		input:     make([]byte, 64<<10),
		visiting:  -1,
		waits:     newWaits(s.policies[0].PongTimeout),
		rtt:       tally.NewHist(), rttActual: tally.NewHist(), rttIntended: tally.NewHist(),
		connect: tally.NewHist(), connectIntended: tally.NewHist(), away: tally.NewHist(), late: tally.NewHist(), lateness: tally.NewHist(),
		recent:   tally.NewRecent(),
		probes:   tally.NewProbes(),
		drips:    map[uint32]dripping{},
		trickled: map[uint32]bool{},
	}
	if s.stage != nil {
		l.lines = transport.NewLines(s.stage())
	}
	if s.cfg.Send != "" {
		l.sizes = s.cfg.Send.Dice()
		l.senders, l.body, l.messages = make([]sender, clients), make([]byte, l.sizes.Most()), tally.NewHist()
		l.messagesWire = tally.NewHist()
		for i := range l.senders {
			l.senders[i].at = link.Never
		}
	}
	if s.cfg.Talk != nil {
		l.talkers, l.deliveries, l.confirmations = make([]talker, clients), tally.NewHist(), tally.NewHist()
		for i := range l.talkers {
			l.talkers[i].joinAt = link.Never
		}
	}
	if s.cfg.Deliver {
		l.receivers, l.deliveries = make([]receiver, clients), tally.NewHist()
	}
	l.counted.Messages.Carried = s.cfg.Send != "" || s.cfg.Deliver
	for range max(len(s.cfg.Cohorts), 1) {
		l.storms = append(l.storms, tally.NewStorm())
	}
	var err error
	if l.poll, err = epoll.Open(); err != nil {
		return nil, err
	}
	if s.cfg.Probes > 0 {
		if l.quick, err = l.poll.Within(); err != nil {
			l.poll.Close()
			return nil, err
		}
	}
	l.wheel, err = timingwheel.New(timingwheel.Config{Tick: wheelTick, Slots: wheelSlots, Capacity: clients})
	if err != nil {
		l.closePollers()
		return nil, err
	}
	for i := range l.clients {
		c := &l.clients[i]
		c.arrival, c.wake = link.Never, link.Never
		c.flags = s.cfg.role(l.number(uint32(i)))
		l.wheel.Add(link.Never) // IDs are dense from 0, so that an entry's ID is its client's index
	}
	return l, nil
}

// expect says when a client is to connect: in a crowd together with PINGs, so that one turn does both.
func (l *loop) expect(i uint32, at time.Duration, profile string) {
	l.pace.expect(profile)
	if l.swarm.cfg.Grid > 0 && at > l.now {
		at = max(l.onGrid(at)-l.swarm.cfg.Grid, l.now)
	}
	c := &l.clients[i]
	c.arrival, c.wake, c.due, c.known = at, at, at, l.now
	l.wheel.Pull(timingwheel.ID(i), at)
}

// number is client i's number in the run. Neighbours are dealt out to different swarms and
// loops, so that all of them share a ramp.
func (l *loop) number(i uint32) int {
	return (int(i)*len(l.swarm.loops)+l.index)*l.swarm.cfg.Of + l.swarm.cfg.First
}

// run is the loop's goroutine. It ends after finish.
func (l *loop) run() {
	defer l.closePollers()
	defer l.wheel.Close()
	for {
		sleep := PublishEvery
		if due, ok := l.wheel.NextDue(); ok {
			sleep = min(sleep, due-l.swarm.Now())
		}
		for range maxBatches {
			n, err := l.poll.Wait(sleep)
			if err != nil {
				panic(fmt.Sprintf("bench: epoll_wait: %v", err)) // no input can cause it
			}
			heard := l.swarm.Now()
			l.hearProbes()
			l.now, l.heard = l.swarm.Now(), heard
			for k := range n {
				if r := l.poll.At(k); r.Woken {
					l.takeOrders()
				} else {
					l.event(r)
				}
			}
			if l.finished {
				return
			}
			if n < epoll.BatchEvents {
				break
			}
			sleep = 0
		}
		// Few timers at a time: when very many connects are due at once, those that are
		// connected must say HELLO before all others have begun, or a node takes them for silent.
		l.now = l.swarm.Now()
		l.pace.pass(l.now)
		if l.lines != nil {
			l.lines.Tick(l.now)
		}
		l.wheel.Advance(l.now, timingwheel.Budget{Visits: visitsPerClock}, l.visit)
		if l.now-l.published >= PublishEvery {
			l.publish()
		}
	}
}

// hearProbes takes what the probes' sockets have.
func (l *loop) hearProbes() {
	if l.quick == nil {
		return
	}
	n, err := l.quick.Wait(0)
	if err != nil {
		panic(fmt.Sprintf("bench: epoll_wait: %v", err)) // no input can cause it
	}
	l.now = l.swarm.Now()
	l.heard = l.now
	for k := range n {
		l.event(l.quick.At(k))
	}
}

// pollerOf is the one that watches client i's sockets.
func (l *loop) pollerOf(i uint32) *epoll.Poller {
	if l.quick != nil && l.clients[i].flags.has(flagProbe) {
		return l.quick
	}
	return l.poll
}

func (l *loop) closePollers() {
	l.poll.Close()
	if l.quick != nil {
		l.quick.Close()
	}
}

// start is a client's arrival. A link chooses its endpoint at random; where the placement
// wants another, the seed is drawn again, so that the link itself stays as it is.
func (l *loop) start(i uint32, c *client) {
	if !c.flags.has(flagStarted) {
		c.flags |= flagStarted
		l.counted.Started++
		behind := l.pace.arrived()
		c.arrival += behind
		l.counted.HeldBack = max(l.counted.HeldBack, behind)
		if storm := l.swarm.storm.Load(); storm != nil && storm.flood {
			c.outage.lose(c.arrival)
			tally.CountIn(&l.stormOf(i).LostPerBin, c.arrival-storm.t0)
			l.counted.StormClients++
		}
	}
	number := l.number(i)
	rng := rand.NewPCG(l.swarm.cfg.Seed, uint64(number)+1<<32)
	want := l.swarm.firstEndpoint(number)
	seed := rng.Uint64()
	cfg := l.swarm.linkConfig(number, c.flags)
	for try := 64 * len(cfg.Endpoints); try > 0 && cfg.First(seed) != want; try-- {
		seed = rng.Uint64()
	}
	c.link.Init(cfg, tenancy(number, c.tenant), seed)
	c.link.Start(l.now, &l.out)
	l.perform(i, c)
}

// mute silences a client for good. It reports whether it was ready and had nothing
// half-sent.
func (l *loop) mute(i uint32) bool {
	c := &l.clients[i]
	_, waiting := l.unsent[connKey{i, c.attempt}]
	if waiting || l.second[i] != nil || c.flags.has(flagMute) || c.flags.has(flagProbe) || c.link.State() != link.StateReady {
		return false
	}
	c.flags |= flagMute
	l.counted.Muted++
	return true
}

// finish ends all clients with BYE and the loop with them. The counts stand as they were.
func (l *loop) finish() {
	if storm := l.swarm.storm.Load(); storm != nil {
		tally.ReachBin(&l.storms[0].BackPerBin, l.now-storm.t0)
	}
	for i := range l.clients {
		c := &l.clients[i]
		l.regained(c)
		storm := l.stormOf(uint32(i))
		if c.outage.hit {
			storm.Clients++
		}
		if c.outage.offline {
			storm.Offline++
		}
		if c.outage.out {
			storm.Outages += l.now - c.outage.at
		} else if c.outage.hit && !c.outage.moving {
			storm.Returns = append(storm.Returns, c.outage.at-l.swarm.storm.Load().t0)
		}
	}
	for i := range l.clients {
		if c := &l.clients[i]; c.flags.has(flagAsked) {
			if !c.asked.apart {
				l.counted.Pending++
			}
			l.unanswered(c)
		}
	}
	l.endMessages()
	l.finished = true
	for i, s := range l.second {
		if s.attempt != 0 {
			l.close(i, s, false)
		}
	}
	for i := range l.clients {
		c := &l.clients[i]
		if c.attempt == 0 {
			continue
		}
		if !c.flags.has(flagMute) && c.link.State() == link.StateReady {
			c.link.Stop(l.now, &l.out)
			for _, a := range l.out.Actions {
				if a.Op == link.Write && a.Attempt == c.attempt {
					_, _, _ = epoll.Write(int(c.fd), l.sealed(&c.socket, l.toServer(&a))) // best effort: a peer that does not take it gets the FIN
				}
			}
			l.out.Reset()
		}
		l.close(uint32(i), &c.socket, c.flags.has(flagMute))
	}
}

// stormOf is the part of the storm that is of client i's cohort.
func (l *loop) stormOf(i uint32) *tally.Storm {
	if len(l.storms) == 1 {
		return &l.storms[0]
	}
	return &l.storms[l.swarm.cfg.cohort(l.number(i))]
}

// call has f run on the loop, soon.
func (l *loop) call(f func()) {
	l.mu.Lock()
	l.inbox = append(l.inbox, f)
	l.poll.Wake() // while the loop can't take f, which may be its end
	l.mu.Unlock()
}

func (l *loop) takeOrders() {
	l.mu.Lock()
	orders := l.inbox
	l.inbox = nil
	l.mu.Unlock()
	for _, f := range orders {
		f()
	}
}

func (l *loop) publish() {
	l.published = l.now
	l.pace.look()
	overdue, oldest := l.waits.overdue(l.now)
	l.recent.Overdue, l.recent.Oldest = max(l.recent.Overdue, overdue), max(l.recent.Oldest, oldest)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shared = l.counted
}
