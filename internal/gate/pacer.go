package gate

import (
	"math"
	"time"
)

// Pacer finds the rate at which a node can really take clients in. The configured rate is a
// ceiling and no measure: a small machine, a noisy neighbour or a handshake that costs more
// make a node slower, and then its queue holds clients that have given up before they are
// served.
//
// While waits are long the pace falls, by a half an observation at most, to the rate that
// is really served; while they are short it rises by a quarter of the ceiling a second. (TCP's
// additive increase and multiplicative decrease, Chiu and Jain 1989, with the measured rate
// as its floor as in BBR, so that it does not swing: an offered load of any size is served at
// a constant rate, which is what the pace then is.)
//
// Owned by whoever calls Observe.
type Pacer struct {
	ceiling, floor float64 // clients a second
	pace           float64
	meter          Meter
	overloaded     bool
}

// Sample is what was seen since the last observation.
type Sample struct {
	Taken  uint64        // clients whose HELLO was read, since the start
	Waited time.Duration // the longest that a HELLO lay in the kernel before it was read
	Late   time.Duration // how late the slowest loop was
}

const (
	// LongWait is the wait above which a node is overloaded. What waits in the accept queue
	// is held to a little more.
	LongWait = 500 * time.Millisecond
	// recovery is the time from nothing to the ceiling when the load is gone.
	recovery = 4 * time.Second
	// headroom is how far above the measured rate the pace stays: a node that admits exactly
	// what it served would count its own refusals as its limit.
	headroom = 1.1
	// longestStep bounds the time that one observation stands for, so that looking seldom is
	// slower in both directions. After a stall of the process it would stand for seconds.
	longestStep = 500 * time.Millisecond
)

// NewPacer begins at the ceiling, in clients a second.
func NewPacer(ceiling float64, now time.Duration) *Pacer {
	return &Pacer{ceiling: ceiling, floor: min(ceiling, 1), pace: ceiling, meter: Meter{at: now}}
}

// SetCeiling changes the ceiling. A pace that load has not lowered goes with it.
func (p *Pacer) SetCeiling(ceiling float64) {
	if p.pace >= p.ceiling {
		p.pace = ceiling
	}
	p.ceiling, p.floor = ceiling, min(ceiling, 1)
	p.pace = min(p.pace, ceiling)
}

// Observe takes a sample, about once a tick.
func (p *Pacer) Observe(now time.Duration, s Sample) {
	step := min(now-p.meter.at, longestStep)
	if step <= 0 {
		return
	}
	served := p.meter.Observe(now, s.Taken) * headroom
	wait := max(s.Waited, s.Late)
	p.overloaded = wait > LongWait
	switch {
	case p.overloaded:
		p.pace = max(p.pace*math.Pow(0.5, float64(step)/float64(longestStep)), min(served, p.pace))
	case wait > LongWait/2:
		p.pace += p.ceiling * float64(step) / float64(8*recovery)
	default:
		p.pace += p.ceiling * float64(step) / float64(recovery)
	}
	p.pace = min(max(p.pace, served, p.floor), p.ceiling)
}

// Pace is how many clients a second the node can take in now.
func (p *Pacer) Pace() float64 { return p.pace }

// Overloaded says whether waits are too long at present.
func (p *Pacer) Overloaded() bool { return p.overloaded }

// Meter turns a count that only grows into a rate a second, smoothed over a second.
type Meter struct {
	at    time.Duration
	count uint64
	rate  float64
}

// Observe takes the count as of now and returns the rate.
func (m *Meter) Observe(now time.Duration, count uint64) float64 {
	dt := (now - m.at).Seconds()
	if dt <= 0 {
		return m.rate
	}
	fresh := float64(count-min(count, m.count)) / dt
	m.rate += (fresh - m.rate) * (1 - math.Exp(-dt))
	m.at, m.count = now, count
	return m.rate
}

// Rate is what the last observation made it.
func (m *Meter) Rate() float64 { return m.rate }
