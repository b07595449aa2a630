package gate

import (
	"math"
	"sync/atomic"
	"time"
)

// Overload: a configured rate is a ceiling, no measure of what the node can do. Left to
// itself, the kernel queues thousands of connections; a node that serves them more slowly than
// clients have patience serves only those that have given up, for ever. So the node measures
// how long HELLOs wait and how late its loops are, and holds the wait to shortQueue: the
// accept queue is as long as what a loop takes out of it in that time. Whoever finds it full
// is not refused but unanswered, at no cost to the node, and the client's kernel tries again
// by itself.

// Blind has nodes not measure what they can do: they go by what is configured, and their accept queues are
// as long as the system lets them. It is for the laboratory, which shows what the measuring is worth, and is
// set before there is a node.
var Blind bool

// What has paces of its own beside that of the loops.
const (
	authenticator = iota
	handshakes
	besides
)

// Load is what is found of how much the node has to do, and what the loops go by.
type Load struct {
	// Owned by who calls Observe.
	ceiling   float64
	pacer     *Pacer
	beside    [besides]*Pacer // which may be slower than the loops
	stretcher *Stretch
	steady    float64       // the pace, smoothed over steadyFor
	at        time.Duration // of the last look
	short     time.Duration // until then the accept queues are held short
	shakes    float64       // handshakes a second that were asked for; 0: no bound
	crowded   time.Duration // until then handshakes wait for long

	// Any goroutine reads them.
	over    atomic.Bool
	stretch atomic.Int32
	pace    atomic.Uint64 // bits of a float64
	waited  atomic.Int64  // a time.Duration
	late    atomic.Int64  // a time.Duration
}

const (
	// lookEvery is the least time between two looks at the load. In one tick of a few
	// milliseconds a slow node may read no HELLO at all, which is no sign of calm.
	lookEvery = 250 * time.Millisecond
	// slotFloor is the part of the ceiling at which slots are given out at least: whoever is
	// told a slot waits for it, even if the node is well again a moment later.
	slotFloor = 20
	// steadyFor is how slowly the reconnect window follows the pace. What clients are told must
	// be good for their next loss, which a slow minute of this node tells little about.
	steadyFor = time.Minute
	// calm is how long there must be no sign of overload any more: one good look does not end it.
	calm = time.Second
)

// begin makes it that of a node which lets ceiling clients a second in, is told of a heartbeat
// each interval and looks once a tick.
func (l *Load) begin(ceiling float64, interval, tick time.Duration) {
	l.ceiling, l.steady = ceiling, ceiling
	l.pacer = NewPacer(ceiling, 0)
	for i := range l.beside {
		l.beside[i] = NewPacer(ceiling, 0)
	}
	l.stretcher = NewStretch(interval, tick, 0)
	l.pace.Store(math.Float64bits(ceiling))
}

// SetCeiling has ceiling clients a second let in at most. It is for who calls Observe.
func (l *Load) SetCeiling(ceiling float64) {
	l.steady = max(min(l.steady/l.ceiling, 1)*ceiling, min(ceiling, 1))
	l.ceiling = ceiling
	l.pacer.SetCeiling(ceiling)
	for _, p := range l.beside {
		p.SetCeiling(ceiling)
	}
	l.pace.Store(math.Float64bits(min(l.pacer.Pace(), l.besidePace())))
}

// SetHandshakes has so many TLS handshakes a second begin at most; 0: as many as clients are let in. It is
// for who calls Observe, and comes after SetCeiling.
func (l *Load) SetHandshakes(rate float64) {
	l.shakes = rate
	if rate == 0 || rate > l.ceiling {
		rate = l.ceiling
	}
	l.beside[handshakes].SetCeiling(rate)
	l.pace.Store(math.Float64bits(min(l.pacer.Pace(), l.besidePace())))
}

// Due says whether it is time to look, for one who asks once a tick.
func (l *Load) Due(now, tick time.Duration) bool {
	return now-l.at >= lookEvery || tick >= lookEvery
}

// Observe takes what was seen of the loops, and of the authenticator and the TLS handshakes if
// there are any. began says that the node is overloaded and was not before; seen is of all.
func (l *Load) Observe(now time.Duration, loops Sample, auth, shakes *Sample) (seen Sample, began bool) {
	passed := now - l.at
	l.at = now
	l.pacer.Observe(now, loops)
	l.stretch.Store(int32(l.stretcher.Observe(now, max(loops.Waited, loops.Late))))
	over := l.pacer.Overloaded()
	for i, sample := range [besides]*Sample{authenticator: auth, handshakes: shakes} {
		if sample != nil {
			l.beside[i].Observe(now, *sample)
			loops.Waited = max(loops.Waited, sample.Waited)
			over = over || l.beside[i].Overloaded()
		}
	}
	pace := min(l.pacer.Pace(), l.besidePace())
	l.pace.Store(math.Float64bits(pace))
	l.waited.Store(int64(loops.Waited))
	l.late.Store(int64(loops.Late))
	began = !l.over.Swap(over) && over
	if l.pacer.Overloaded() {
		l.short = now + calm
	}
	if l.beside[handshakes].Overloaded() {
		l.crowded = now + calm
	}
	l.steady += (pace - l.steady) * min(1, float64(passed)/float64(steadyFor))
	return loops, began
}

// SlotRate is how many slots a second are to be given out. The handshakes have no part in it: who says HELLO
// over TLS has waited for his turn and had it, and whoever were sent away with a slot then would need another
// turn for it. It is for who calls Observe.
func (l *Load) SlotRate() float64 {
	return min(max(l.pacer.Pace(), l.ceiling/slotFloor), l.beside[authenticator].Pace())
}

// HandshakeRate is how many TLS handshakes a second are to begin; 0: there is no bound. While they wait for long it
// is that of the slots at most, and each of them is one: in such a crowd, who made a handshake and were then told
// to come back would seldom get another one in time, and his slot would be lost. It is for who calls Observe.
func (l *Load) HandshakeRate(now time.Duration) (rate float64, slots bool) {
	if now >= l.crowded {
		return l.shakes, false
	}
	if rate = l.SlotRate(); l.shakes > 0 {
		rate = min(rate, l.shakes)
	}
	return rate, true
}

func (l *Load) besidePace() float64 {
	return min(l.beside[authenticator].Pace(), l.beside[handshakes].Pace())
}

// Steady is the pace, smoothed over a minute. It is for who calls Observe.
func (l *Load) Steady() float64 { return l.steady }

// Short says whether accept queues are to be held short. It is for who calls Observe.
func (l *Load) Short(now time.Duration) bool { return now < l.short || l.pacer.Pace() < l.ceiling }

// Over says that clients wait too long to be let in.
func (l *Load) Over() bool { return l.over.Load() }

// Stretch is what terms are lengthened by, 0 before the first look.
func (l *Load) Stretch() int32 { return l.stretch.Load() }

// Pace is how many clients a second can be let in.
func (l *Load) Pace() float64 { return math.Float64frombits(l.pace.Load()) }

// Waited is the longest wait of a HELLO, as of the last look.
func (l *Load) Waited() time.Duration { return time.Duration(l.waited.Load()) }

// Late is how late the slowest loop was, as of the last look.
func (l *Load) Late() time.Duration { return time.Duration(l.late.Load()) }
