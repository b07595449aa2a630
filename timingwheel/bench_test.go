package timingwheel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// bench/lab/wheel compares these with rivals, on one machine in one run.

var sizes = []int{10_000, 100_000, 1_000_000}

// fleet returns a wheel of n entries with a ttl of 300 ticks that beat every
// 120, in random order, as it is after a while; and the order of the beats.
func fleet(b *testing.B, n int) (*Wheel, []ID) {
	w := newWheel(b, Config{Tick: time.Millisecond})
	order := make([]ID, n)
	for i := range order {
		order[i] = w.Add(300 * ms)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	for range 4 {
		beat(w, order)
		w.Advance(w.Now(), Budget{}, done)
	}
	return w, order
}

// beat touches everybody once over 120 ticks.
func beat(w *Wheel, order []ID) {
	for i := range 120 {
		w.Observe(w.Now() + ms)
		for _, id := range order[len(order)*i/120 : len(order)*(i+1)/120] {
			w.Touch(id)
		}
	}
}

func BenchmarkTouch(b *testing.B) {
	for _, n := range append([]int{1000}, sizes...) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, order := fleet(b, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i++; i == n {
					i = 0
				}
				w.Touch(order[i])
			}
		})
	}
}

func BenchmarkAddRemove(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, order := fleet(b, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i++; i == n {
					i = 0
				}
				w.Remove(order[i])
				order[i] = w.Add(300 * ms)
			}
		})
	}
}

func BenchmarkLiveVisit(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, order := fleet(b, n)
			b.ReportAllocs()
			visits := 0
			for b.Loop() {
				b.StopTimer()
				beat(w, order)
				b.StartTimer()
				visits += w.Advance(w.Now(), Budget{}, done).Visited
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(visits), "ns/visit")
		})
	}
}

func BenchmarkExpire(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			w := newWheel(b, Config{Tick: ms, Capacity: n})
			for b.Loop() {
				b.StopTimer()
				for range n {
					w.Add(10 * ms)
				}
				b.StartTimer()
				w.Advance(w.Now()+20*ms, Budget{}, done)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/expiry")
		})
	}
}

func BenchmarkEmptyTick(b *testing.B) {
	w := newWheel(b, Config{Tick: ms})
	w.Add(time.Second)
	now := time.Duration(0)
	for b.Loop() {
		now += ms
		w.Touch(0)
		w.Advance(now, Budget{}, done)
	}
}
