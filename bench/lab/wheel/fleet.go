package wheel

import (
	"math/rand/v2"
	"time"
)

// fleet is the driver: n connections that beat once in beatTicks, in random
// order, in a time of its own.
type fleet struct {
	kind    kind
	subject subject
	now     time.Duration
	ids     []uint32 // 0, 1, 2, ...
	orders  [2][]uint32
	cycle   int // ticks so far
}

func newFleet(k kind, n, slots int) *fleet {
	f := &fleet{kind: k, subject: k.make(slots), ids: make([]uint32, n)}
	for i := range f.ids {
		f.ids[i] = uint32(i)
	}
	random := rand.New(rand.NewPCG(7, uint64(n)))
	a := append([]uint32(nil), f.ids...)
	random.Shuffle(n, func(i, j int) { a[i], a[j] = a[j], a[i] })
	// The second order jitters each beat by up to two seconds: nobody's timer is
	// exact, and exact ones would keep the visits of one slot together for ever.
	b := append([]uint32(nil), a...)
	window := max(1, n/15)
	for i := range b {
		j := min(i+random.IntN(window), n-1)
		b[i], b[j] = b[j], b[i]
	}
	f.orders = [2][]uint32{a, b}
	return f
}

// group returns who beats in this tick, and goes to the next.
func (f *fleet) group() []uint32 {
	order := f.orders[f.cycle/beatTicks%2]
	i := f.cycle % beatTicks
	f.cycle++
	return order[len(order)*i/beatTicks : len(order)*(i+1)/beatTicks]
}

// observer is a subject that can be told the time without looking at anybody.
type observer interface{ observe(now time.Duration) }

func (s *wheel) observe(now time.Duration)      { s.wheel.Observe(now) }
func (s *listWheel) observe(now time.Duration)  { s.now = uint32(now / tick) }
func (s *heapTimers) observe(now time.Duration) { s.now = int64(now / tick) }
func (s *sweep) observe(now time.Duration)      { s.now = uint32(now / tick) }

// beats lets time go on by ticks in which everybody beats and, if the subject
// can be told the time without it, nobody is looked at.
func (f *fleet) beats(ticks int, ttl time.Duration) (n int) {
	o, observes := f.subject.(observer)
	for range ticks {
		f.now += tick
		if observes {
			o.observe(f.now)
		} else if !f.kind.realtime {
			f.subject.advance(f.now)
		}
		group := f.group()
		f.subject.refresh(group, ttl)
		n += len(group)
	}
	return n
}

// run is the life of the fleet: beats and ticks. It returns the longest single
// call, in wall time.
func (f *fleet) run(ticks int) (longest time.Duration) {
	for range ticks {
		f.now += tick
		_, once := f.advance()
		longest = max(longest, once)
		f.subject.refresh(f.group(), timeout)
	}
	return longest
}

// runReal is the same for a subject that lives in real time, faster by a
// factor.
func (f *fleet) runReal(ticks int, factor float64) {
	step := time.Duration(float64(tick) / factor)
	ttl := time.Duration(float64(timeout) / factor)
	begin := time.Now()
	for i := range ticks {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * step)))
		f.subject.refresh(f.group(), ttl)
	}
}
