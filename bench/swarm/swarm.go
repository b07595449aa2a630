package swarm

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/tally"
	"github.com/stormwheel/stormwheel/internal/link"
)

// Swarm is very many clients in one process, each one an internal/link driven by a few
// epoll loops. It is not safe for concurrent use, but Now and Progress are.
type Swarm struct {
	cfg      Config
	policies []link.Config      // by cohort
	probing  []link.Config      // the same, of probes
	dripping []link.Config      // the same, of tricklers: it is for the server to lose its patience
	foreign  foreign.Translator // nil: the servers speak our own protocol
	loops    []*loop
	started  time.Time

	// Any goroutine.
	storm  atomic.Pointer[stormStart]
	struck atomic.Bool  // a storm or a silence has begun
	ready  atomic.Int64 // sessions now
	peak   atomic.Int64
	paths  sync.Map // hasPath by endpoint

	running sync.WaitGroup
}

// Config says who connects where, and when.
type Config struct {
	Endpoints []netip.AddrPort // the targets; servers may name more
	Sources   []netip.Addr     // local addresses, dealt out in turn; none: the kernel chooses
	PlaceAll  bool             // all on the first endpoint, instead of evenly
	Conns     int
	Rate      float64 // connects per second
	Profile   string  // of the arrivals; "": linear
	Steps     int     // of the profile step
	// Lifetime is how long sessions last on average before their clients leave; 0: for ever.
	Lifetime time.Duration
	// OnDemand has clients wait for Arrive to connect, and for Unsettle to leave.
	OnDemand bool
	Cohorts  []Cohort // instead of Policy; their shares make up the whole

	// Probes are clients that are left alone and measured apart, HalfOpen ones that say
	// nothing once they are connected, Tricklers ones that send their HELLO, or their PINGs, a
	// byte every TrickleInterval; the server is to close those if they are TooSlow. Deadline is
	// when it does, from the connect or the first byte.
	Probes          int
	ProbesFirst     bool // the first ones, instead of evenly from all
	ProbeInterval   time.Duration
	HalfOpen        int
	Tricklers       int
	TrickleInterval time.Duration
	TricklePings    bool
	TooSlow         bool
	Deadline        time.Duration
	// First and Of make this swarm one of several: of the Conns clients it has numbers First,
	// First+Of, First+2*Of, ... Of 0 is 1.
	First, Of int
	Seed      uint64
	Loops     int // 0: one for every two processors

	Policy      link.Policy
	Interval    time.Duration // 0: what the server says
	PongTimeout time.Duration // 0: the link's default

	Protocol string        // "" is our own
	Timeout  time.Duration // tcp-echo; 0: none
	Username string        // MQTT
	Password string
	Secret   []byte // of the clients' tokens; nil: they have none

	IgnoreAlternates bool
	// AnyAddress lets clients follow a server's alternates beyond loopback.
	AnyAddress bool
}

// stormStart marks the moment from which losses and attempts belong to a storm.
type stormStart struct {
	t0      time.Duration
	victims []string // the endpoints that are struck: what they close without a word is no eviction
	flood   bool     // who arrives from t0 on waits to get in, and is the storm
}

func (s *stormStart) struck(c *client) bool {
	return s != nil && slices.Contains(s.victims, c.link.Info().Endpoint)
}

// New prepares the clients; Start lets them go.
func New(cfg Config) (*Swarm, error) {
	if cfg.Loops == 0 {
		cfg.Loops = max(1, runtime.GOMAXPROCS(0)/2/max(cfg.Of, 1))
	}
	cfg.Of = max(cfg.Of, 1)
	clients := (cfg.Conns - cfg.First + cfg.Of - 1) / cfg.Of
	cfg.Loops = min(cfg.Loops, max(clients, 1))
	s := &Swarm{cfg: cfg}
	base := link.Config{ID: clientID(clientPrefix(cfg.Seed)), Incarnation: rand.Uint64(), Policy: cfg.Policy, Interval: cfg.Interval, PongTimeout: cfg.PongTimeout, FreshTokens: cfg.Secret != nil, IgnoreAlternates: cfg.IgnoreAlternates}
	for _, e := range cfg.Endpoints {
		base.Endpoints = append(base.Endpoints, e.String())
	}
	base.Fill()
	if err := base.Validate(); err != nil {
		return nil, err
	}
	var err error
	if s.foreign, err = foreign.New(cfg.Protocol, foreign.Config{Interval: cfg.Interval, Timeout: cfg.Timeout, Username: cfg.Username, Password: cfg.Password}); err != nil {
		return nil, err
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
		s.each(cfg.Arrivals(), func(l *loop, i uint32, due time.Duration) { l.expect(i, due) })
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
	s.started = time.Now().Add(ahead)
	time.Sleep(ahead)
	for _, l := range s.loops {
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			l.run()
		}()
	}
}

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

// On is how many sessions an endpoint has.
func (s *Swarm) On(endpoint string) int {
	answers := make(chan int, len(s.loops))
	s.eachLoop(func(l *loop) {
		n := 0
		for i := range l.clients {
			c := &l.clients[i]
			if c.link.State() == link.StateReady && !c.flags.has(flagMute) && c.link.Info().Endpoint == endpoint {
				n++
			}
		}
		answers <- n
	})
	total := 0
	for range s.loops {
		total += <-answers
	}
	return total
}

// LongestTimeout is the longest of what the servers said in the terms of the sessions.
func (s *Swarm) LongestTimeout() time.Duration {
	return s.longest(func(c *client) time.Duration { return c.last.timeout() })
}

// LongestInterval is the longest time that a session goes without a PING.
func (s *Swarm) LongestInterval() time.Duration {
	return s.longest(func(c *client) time.Duration { return c.link.Interval() })
}

func (s *Swarm) longest(of func(c *client) time.Duration) time.Duration {
	answers := make(chan time.Duration, len(s.loops))
	s.eachLoop(func(l *loop) {
		var longest time.Duration
		for i := range l.clients {
			if c := &l.clients[i]; c.link.State() == link.StateReady {
				longest = max(longest, of(c))
			}
		}
		answers <- longest
	})
	var longest time.Duration
	for range s.loops {
		longest = max(longest, <-answers)
	}
	return longest
}

// speaking are the numbers of the clients that are ready, no probes and not mute, on an endpoint or,
// if it is "", on any.
func (s *Swarm) speaking(endpoint string) []int {
	answers := make(chan []int, len(s.loops))
	s.eachLoop(func(l *loop) {
		var numbers []int
		for i := range l.clients {
			c := &l.clients[i]
			if !c.flags.has(flagMute) && !c.flags.has(flagProbe) && c.ready() && (endpoint == "" || c.link.Info().Endpoint == endpoint) {
				numbers = append(numbers, l.number(uint32(i)))
			}
		}
		answers <- numbers
	})
	var all []int
	for range s.loops {
		all = append(all, <-answers...)
	}
	slices.Sort(all) // the choice is the seed's alone
	return all
}

// shares are the clients of those numbers, by loop.
func (s *Swarm) shares(numbers []int) [][]uint32 {
	shares := make([][]uint32, len(s.loops))
	for _, number := range numbers {
		loop, i := s.place(number)
		shares[loop] = append(shares[loop], i)
	}
	return shares
}

// place is which of the loops has the client of that number, and as which of its own.
func (s *Swarm) place(number int) (loop int, i uint32) {
	n := (number - s.cfg.First) / s.cfg.Of
	return n % len(s.loops), uint32(n / len(s.loops))
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

func (s *Swarm) begin(storm *stormStart) {
	s.struck.Store(true)
	s.storm.Store(storm)
}

func (s *Swarm) eachLoop(f func(l *loop)) {
	for _, l := range s.loops {
		l.call(func() { f(l) })
	}
}

// onLoops runs f on every loop, and returns when the counts are published.
func (s *Swarm) onLoops(f func(l *loop)) {
	done := make(chan struct{}, len(s.loops))
	s.eachLoop(func(l *loop) {
		f(l)
		l.publish()
		done <- struct{}{}
	})
	for range s.loops {
		<-done
	}
}

// Progress sums what the loops last published, and takes the times since the last call.
func (s *Swarm) Progress() (tally.Counters, *tally.Recent) {
	var sum tally.Counters
	recent := tally.NewRecent()
	for _, l := range s.loops {
		l.mu.Lock()
		sum.Add(&l.shared.Counters)
		recent.Add(l.shared.recent)
		l.shared.recent.Reset()
		l.mu.Unlock()
	}
	return sum, recent
}

// Counts is Progress without taking the times.
func (s *Swarm) Counts() tally.Counters {
	var sum tally.Counters
	for _, l := range s.loops {
		l.mu.Lock()
		sum.Add(&l.shared.Counters)
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
		t.Add(&tally.Tally{Counters: l.counted, Storm: storm, Cohorts: l.storms, Probes: l.probes,
			RTT: l.rtt, RTTActual: l.rttActual, RTTIntended: l.rttIntended, Connect: l.connect, ConnectIntended: l.connectIntended, Late: l.late, Lateness: l.lateness})
	}
	return t
}
