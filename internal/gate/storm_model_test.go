package gate

import (
	"math/rand/v2"
	"time"
)

// storm is clients that all come in the first second to a node whose loops run for a moment of
// every period, in virtual time. Whoever finds a loop's accept queue full comes again each second, as his
// kernel has it (Linux's net.ipv4.tcp_syn_linear_timeouts), and whoever is not served after 5 s after a
// while that he draws; an old client comes again a second later, however often.
type storm struct {
	ceiling float64
	period  time.Duration
	each    []int                        // that each loop takes in one of its moments, if so many wait
	old     int                          // one of so many clients is old; 0: none is
	silent  int                          // connections a second that never say HELLO
	still   func(now time.Duration) bool // whether the node stands still; nil: never

	random *rand.Rand
	load   Load
	prompt Promptness
	knocks map[time.Duration][]knock // by the millisecond
	leaves map[time.Duration][]int   // whose patience ends
	in     []bool
	count  int
	gone   int // that were taken out of a queue in vain
	loops  []stormLoop

	lastIn, gap time.Duration // when the last one came in, and the longest time without anybody
}

type knock struct {
	client        int // -1: it is silent
	began, queued time.Duration
}

// stormLoop is one loop as the ticker sees it.
type stormLoop struct {
	waiting []knock
	backlog int
	meter   Meter
	taken   uint64 // in the units of CostOfTaken
	waited  time.Duration
}

const patience = 5 * time.Second

// try has a client begin an attempt.
func (s *storm) try(client int, at time.Duration) {
	at = at.Truncate(time.Millisecond)
	s.knocks[at] = append(s.knocks[at], knock{client: client, began: at})
	s.leaves[at+patience] = append(s.leaves[at+patience], client)
}

// come is what happens outside the node. Each attempt comes to a loop by chance.
func (s *storm) come(now time.Duration) {
	for _, client := range s.leaves[now] {
		switch pause := s.random.Int64N(int64(patience)); {
		case s.in[client]:
		case s.old > 0 && client%s.old == 0:
			s.try(client, now+time.Second)
		default:
			s.try(client, now+1+time.Duration(pause))
		}
	}
	for range s.silent*int(now%time.Second/time.Millisecond+1)/1000 - s.silent*int(now%time.Second/time.Millisecond)/1000 {
		s.knocks[now] = append(s.knocks[now], knock{client: -1, began: now})
	}
	for _, k := range s.knocks[now] {
		l := &s.loops[s.random.IntN(len(s.loops))]
		switch {
		case len(l.waiting) < l.backlog:
			k.queued = now
			l.waiting = append(l.waiting, k)
		case now < k.began+4*time.Second:
			s.knocks[now+time.Second] = append(s.knocks[now+time.Second], k)
		}
	}
	delete(s.leaves, now)
	delete(s.knocks, now)
}

// serve is one moment of a loop. Who has gone, or is silent, costs it half of what one costs who comes in.
func (s *storm) serve(now time.Duration, l *stormLoop, each int) {
	for work := 2 * each; work > 0 && len(l.waiting) > 0; l.waiting = l.waiting[1:] {
		k := l.waiting[0]
		l.waited = max(l.waited, now-k.queued)
		work--
		if k.client >= 0 && now >= k.began+patience {
			l.taken += CostOfGone
			s.gone++
			continue
		}
		if l.taken += CostOfTaken; k.client >= 0 {
			work--
			s.in[k.client] = true
			s.count++
			s.gap, s.lastIn = max(s.gap, now-s.lastIn), now
		}
	}
}

// look is the ticker's, as package server does it.
func (s *storm) look(now, late time.Duration) {
	sample := Sample{Late: late}
	for i := range s.loops {
		l := &s.loops[i]
		sample.Taken += l.taken / CostOfTaken
		sample.Waited = max(sample.Waited, l.waited)
		l.waited = 0
		l.meter.Observe(now, l.taken)
	}
	s.load.Observe(now, sample, nil, nil)
	s.prompt.Observe(now, late)
	for i := range s.loops {
		s.loops[i].backlog = Backlog(s.load.Short(now), s.prompt.Prompt(now), s.loops[i].meter.Rate()/CostOfTaken, late)
	}
}

// run serves clients until hardly any is out, and returns how long that took.
func (s *storm) run(clients int, giveUp time.Duration) time.Duration {
	s.random = rand.New(rand.NewPCG(1, 2))
	s.load.begin(s.ceiling, 30*time.Second, lookEvery)
	s.knocks, s.leaves, s.in = make(map[time.Duration][]knock), make(map[time.Duration][]int), make([]bool, clients)
	s.loops = make([]stormLoop, len(s.each))
	for i := range s.loops {
		s.loops[i].backlog = UsualBacklog
	}
	for i := range clients {
		s.try(i, time.Duration(s.random.Int64N(int64(time.Second))))
	}
	ran := time.Duration(0)
	for now := time.Duration(0); now < giveUp; now += time.Millisecond {
		s.come(now)
		if now%s.period != 0 || s.still != nil && s.still(now) {
			continue
		}
		if s.load.Due(now, 0) {
			s.look(now, now-ran)
		}
		ran = now
		for i := range s.loops {
			s.serve(now, &s.loops[i], s.each[i])
		}
		if s.count >= clients*98/100 {
			return now
		}
	}
	return giveUp
}
