package swarm

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Swarm is very many clients in one process, each one an internal/link driven by a few
// epoll loops. It is not safe for concurrent use, but Now and Progress are.
type Swarm struct {
	cfg      Config
	policies []link.Config          // by cohort
	probing  []link.Config          // the same, of probes
	dripping []link.Config          // the same, of tricklers: it is for the server to lose its patience
	foreign  foreign.Translator     // nil: the servers speak our own protocol
	stage    func() transport.Stage // makes that of a loop; nil: connections are plain
	loops    []*loop
	schedule payload.Schedule // of the publications that clients are to get
	started  time.Time
	epoch    time.Duration // the same moment on the clock of Monotonic

	// Any goroutine.
	storm  atomic.Pointer[stormStart]
	struck atomic.Bool  // a storm or a silence has begun
	ready  atomic.Int64 // sessions now
	peak   atomic.Int64
	paths  sync.Map // hasPath by endpoint

	recent *tally.Recent // what Progress has returned: a second's worth for the collector less; of its caller

	running sync.WaitGroup
}

// New prepares the clients; Start lets them go.
func New(cfg Config) (*Swarm, error) {
	stage, err := cfg.carried()
	if err != nil {
		return nil, err
	}
	return newSwarm(cfg, stage)
}

// newSwarm is New of clients that have a stage.
func newSwarm(cfg Config, stage func() transport.Stage) (*Swarm, error) {
	if cfg.Loops == 0 {
		cfg.Loops = max(1, runtime.GOMAXPROCS(0)/2/max(cfg.Of, 1))
	}
	cfg.Of = max(cfg.Of, 1)
	clients := (cfg.Conns - cfg.First + cfg.Of - 1) / cfg.Of
	cfg.Loops = min(cfg.Loops, max(clients, 1))
	s := &Swarm{cfg: cfg, stage: stage, schedule: payload.Schedule(cfg.Every), recent: tally.NewRecent()}
	base := link.Config{ID: clientID(clientPrefix(cfg.Seed)), Incarnation: rand.Uint64(), Policy: cfg.Policy, Interval: cfg.Interval, PongTimeout: cfg.PongTimeout, FreshTokens: cfg.Secret != nil, IgnoreAlternates: cfg.IgnoreAlternates}
	for _, e := range cfg.Endpoints {
		base.Endpoints = append(base.Endpoints, e.String())
	}
	base.Endpoints = append(base.Endpoints, cfg.Sockets...)
	base.Fill()
	if err := base.Validate(); err != nil {
		return nil, err
	}
	var err error
	if s.foreign, err = foreign.New(cfg.Protocol, foreign.Config{Interval: cfg.Interval, Timeout: cfg.Timeout, SendBytes: int(cfg.Send.Dice().Most()), Username: cfg.Username, Password: cfg.Password}); err != nil {
		return nil, err
	}
	if cfg.Talk != nil {
		base.ID = cfg.Talk.deviceID(clientPrefix(cfg.Seed))
	}
	s.policies = cfg.linkConfigs(base)
	probe, trickler := base, base
	probe.Interval = cfg.ProbeInterval
	s.probing = cfg.linkConfigs(probe)
	trickler.WelcomeTimeout, trickler.PongTimeout = time.Hour, time.Hour
	s.dripping = cfg.linkConfigs(trickler)
	s.loops = make([]*loop, cfg.Loops)
	for j := range s.loops {
		if s.loops[j], err = newLoop(s, j, (clients-j+cfg.Loops-1)/cfg.Loops); err != nil {
			for _, l := range s.loops[:j] {
				err = errors.Join(err, l.wheel.Close())
				l.closePollers()
			}
			return nil, err
		}
	}
	if !cfg.OnDemand {
		s.each(cfg.Arrivals(), func(l *loop, i uint32, due time.Duration) { l.expect(i, due, cfg.Profile) })
		for _, l := range s.loops {
			l.leave = l.departures()
		}
	}
	return s, nil
}

// Abandon releases what a swarm holds that is not started. Loops that run end by Finish.
func (s *Swarm) Abandon() {
	if !s.started.IsZero() {
		return
	}
	for _, l := range s.loops {
		_ = l.wheel.Close() // nothing uses it
		l.closePollers()
	}
}

// Start begins the ramp at a moment on the clock of Monotonic, and returns then.
func (s *Swarm) Start(at time.Duration) {
	ahead := at - Monotonic()
	s.started, s.epoch = time.Now().Add(ahead), at
	time.Sleep(ahead)
	for _, l := range s.loops {
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			l.run()
		}()
	}
}

// Monotonic is a clock that all processes of this machine share.
func Monotonic() time.Duration { return payload.Monotonic() }

// Now is the swarm's clock: the time since Start.
func (s *Swarm) Now() time.Duration { return time.Since(s.started) }

// Ready is how many sessions there are.
func (s *Swarm) Ready() int { return int(s.ready.Load()) }

func (s *Swarm) nowReady(change int64) {
	n := s.ready.Add(change)
	for {
		peak := s.peak.Load()
		if n <= peak || s.peak.CompareAndSwap(peak, n) {
			return
		}
	}
}

// Mute silences count of the ready clients, chosen by the seed, and returns how many it
// became.
func (s *Swarm) Mute(count int) int {
	shares := s.shares(pick(s.speaking(""), count, s.cfg.Seed))
	s.struck.Store(true)
	muted := make(chan int, len(s.loops))
	s.eachLoop(func(l *loop) {
		n := 0
		for _, i := range shares[l.index] {
			if l.mute(i) {
				n++
			}
		}
		l.publish()
		muted <- n
	})
	total := 0
	for range s.loops {
		total += <-muted
	}
	return total
}

// BeginStorm says that the endpoints are about to be struck, at t0.
func (s *Swarm) BeginStorm(t0 time.Duration, victims ...string) {
	s.begin(&stormStart{t0: t0, victims: victims})
}

// EndStorm has what happens to clients from now on be no part of it.
func (s *Swarm) EndStorm() {
	if storm := s.storm.Load(); storm != nil {
		storm.over.Store(true)
	}
}

func (s *Swarm) begin(storm *stormStart) {
	if !storm.watched {
		s.struck.Store(true)
	}
	s.storm.Store(storm)
}

// Progress sums what the loops have counted, and takes the times since the last call, which are valid until
// the next. One goroutine at a time may call it.
func (s *Swarm) Progress() (tally.Counters, *tally.Recent) {
	recent := s.recent
	recent.Reset()
	var adding sync.Mutex
	s.onLoops(func(l *loop) {
		l.publish()
		adding.Lock()
		defer adding.Unlock()
		recent.Add(l.recent)
		l.recent.Reset()
	})
	return s.Counts(), recent
}

// Counts are those of the loops, at most PublishEvery old.
func (s *Swarm) Counts() tally.Counters {
	var sum tally.Counters
	for _, l := range s.loops {
		l.mu.Lock()
		sum.Add(&l.shared)
		l.mu.Unlock()
	}
	return sum
}

// Finish ends all clients and loops, and sums up. The counts are those of the moment
// before. It is called once.
func (s *Swarm) Finish() tally.Tally {
	t := tally.New()
	t.Ready, t.Peak = s.Ready(), int(s.peak.Load())
	s.eachLoop(func(l *loop) { l.finish() })
	s.running.Wait()
	for _, l := range s.loops {
		storm := tally.NewStorm()
		for _, one := range l.storms {
			storm.Add(one)
		}
		if begun := s.storm.Load(); begun != nil && begun.watched {
			storm.From(time.Duration(begun.found.Load()))
			for i := range l.storms {
				l.storms[i].From(time.Duration(begun.found.Load()))
			}
		}
		t.Add(&tally.Tally{Counters: l.counted, Storm: storm, Cohorts: l.storms, Probes: l.probes,
			RTT: l.rtt, RTTActual: l.rttActual, RTTIntended: l.rttIntended, Connect: l.connect, ConnectIntended: l.connectIntended, Away: l.away, Late: l.late, Lateness: l.lateness, Messages: l.messages, MessagesWire: l.messagesWire, Deliveries: l.deliveries,
			Confirmations: l.confirmations, Ledger: l.ledger(), Rest: l.recent})
	}
	return t
}
