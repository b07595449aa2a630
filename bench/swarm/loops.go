package swarm

import (
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
)

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
