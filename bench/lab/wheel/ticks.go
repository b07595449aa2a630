package wheel

import (
	"math/rand/v2"
	"time"
)

// emptyTick measures an advance that finds nothing, most of the time.
func emptyTick(k kind, r results) {
	s := k.make(fleetSlots)
	defer s.close()
	one := []uint32{0}
	s.arm(one, timeout)
	const ticks = 200_000
	r["empty_ns"] = perOp(timed(func() {
		for i := range ticks {
			s.advance(time.Duration(i+1) * tick)
			if i%200 == 0 {
				s.refresh(one, timeout)
			}
		}
	}), ticks)
}

// flatTick measures a tick that has a thousand visits, whatever the number of
// connections: each is touched once in a period, and its timeout is a period
// and a half.
func flatTick(k kind, n int, r results) {
	const visits = 1000
	period := n / visits
	ttl := time.Duration(period*3/2) * tick
	s := k.make(16384)
	defer s.close()
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = uint32(i)
	}
	s.arm(ids, ttl)
	rand.New(rand.NewPCG(11, uint64(n))).Shuffle(n, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })

	warm, ticks := 3*period, max(200, min(period, 2000))
	if k.sweeps {
		warm, ticks = 2, 20 // it has no state to settle
	}
	var clock time.Duration // what reading it costs
	for range 1000 {
		clock += timed(func() {}) / 1000
	}
	var cost time.Duration
	visited := 0
	for i := range warm + ticks {
		at := i % period * visits
		s.refresh(ids[at:at+visits], ttl)
		now := time.Duration(i+1) * tick
		begin := cpu()
		for more := true; more; {
			var v int
			v, more = s.advance(now)
			if i >= warm {
				visited += v
			}
		}
		if i >= warm {
			cost += cpu() - begin - clock
		}
	}
	r["flat_us"] = float64(max(0, cost)) / 1e3 / float64(ticks)
	r["flat_visits"] = float64(visited) / float64(ticks)
}

// memoryLatency says what this machine's memory costs, to judge visits by: a
// read and a write of a random entry of 16 bytes among n, with nothing else to
// do; and the same when each address comes from the entry before.
func memoryLatency(n int) results {
	type entry struct{ next, a, _, _ uint32 }
	entries := make([]entry, n)
	order := rand.New(rand.NewPCG(5, uint64(n))).Perm(n)
	for i, at := range order {
		entries[at].next = uint32(order[(i+1)%n])
	}
	ids := make([]uint32, n)
	for i, at := range order {
		ids[i] = uint32(at)
	}
	var sum uint32
	apart := timed(func() {
		for _, id := range ids {
			e := &entries[id]
			sum += e.next
			e.a = 1
		}
	})
	steps := min(n, 1_000_000)
	chained := timed(func() {
		at := uint32(0)
		for range steps {
			at = entries[at].next
		}
		sum += at
	})
	return results{"apart_ns": perOp(apart, n), "chained_ns": perOp(chained, steps), "sum": float64(sum % 2)}
}
