package wheel

import (
	"fmt"
	"runtime"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

const (
	fleetSlots = 4096

	// In real time nothing must expire while other things are measured.
	far = 10 * time.Minute

	// A million goroutines at once fit this machine's memory, ten don't.
	mostRealExpiries = 1_000_000
)

// effort is how many operations a measurement is made of, at least, and of how many fleets.
type effort struct {
	ops        int
	fleetTicks int
	fleets     []series
}

var efforts = map[string]effort{
	"tiny":  {10_000, 20, []series{{10_000, 1}, {20_000, 1}}},
	"short": {300_000, 120, []series{{10_000, 2}, {100_000, 2}, {1_000_000, 1}}},
	"full":  {1_000_000, 240, []series{{10_000, 5}, {100_000, 5}, {1_000_000, 3}, {10_000_000, 2}}},
}

// measureAll runs every workload on one subject with n connections, in this
// process alone: a child of the program, so that no subject inherits another's
// heap.
func measureAll(k kind, n int, e effort) results {
	r := results{}
	own := driverCost(k, n, e)
	f := newFleet(k, n, fleetSlots)
	f.arm(r)
	f.expireOnePercent(r)
	f.steady(e, r)
	f.refresh(e, r)
	if k.lazy || k.sweeps {
		f.visit(e, r)
	}
	f.cancelAndArm(e, r)
	f.expireAll(r)
	f.subject.close()
	if !k.realtime {
		emptyTick(k, r)
	}
	if k.lazy || k.name == "sweep" {
		flatTick(k, n, r)
	}
	for _, what := range []string{"steady", "refresh_ns", "refresh_hot_ns", "cancel_ns", "arm_ns", "empty_ns"} {
		if measured, there := r[what]; there {
			r[what] = max(0, measured-own[what])
		}
	}
	return r
}

// driverCost is what the driver itself takes of the measurements in which that
// counts: the same with a subject that does nothing.
func driverCost(k kind, n int, e effort) results {
	idle := driver
	idle.realtime = k.realtime
	f := newFleet(idle, n, fleetSlots)
	r := results{}
	f.steady(e, r)
	f.refresh(e, r)
	f.cancelAndArm(e, r)
	emptyTick(idle, r)
	return r
}

// static is the timeout of the workloads in which timers must not fire.
func (f *fleet) static() time.Duration {
	if f.kind.realtime {
		return far
	}
	return timeout
}

func (f *fleet) n() int { return len(f.ids) }

// arm brings the fleet from nobody to n.
func (f *fleet) arm(r results) {
	n := float64(f.n())
	before := readMemory()
	r["build_ns"] = perOp(timed(func() { f.subject.arm(f.ids, f.static()) }), f.n())
	allocs := mallocs()
	after := readMemory()
	r["build_allocs"] = since(allocs, before.mallocs) / n
	r["bytes"] = (since(after.heap, before.heap) + float64(f.subject.outside())) / n
	r["total_mb"] = r["bytes"] * n / 1e6
	r["scan_kb"] = max(0, since(after.scan, before.scan)) / 1e3
	var cycles []float64
	for range 3 {
		cycles = append(cycles, float64(timed(runtime.GC))/1e6)
	}
	r["gc_ms"] = kit.SampleOf(cycles).Median
}

// advance looks at all that is due, and returns the longest single call.
func (f *fleet) advance() (visited int, longest time.Duration) {
	for more := true; more; {
		begin := time.Now()
		var n int
		n, more = f.subject.advance(f.now)
		longest = max(longest, time.Since(begin))
		visited += n
	}
	return visited, longest
}

// expireOnePercent gives one in a hundred a shorter timeout and lets it pass.
func (f *fleet) expireOnePercent(r results) {
	few := f.orders[0][:f.n()/100]
	f.subject.cancel(few)
	over := f.subject.expired()
	if f.kind.realtime {
		f.subject.arm(few, far)
		r["expire1_ns"] = perOp(f.expireReal(few), len(few))
		f.subject.arm(few, far)
		return
	}
	f.subject.arm(few, 10*time.Second)
	f.now += 9 * time.Second
	f.advance()
	f.now += 6 * time.Second // a sweep every 4 s has come round too
	r["expire1_ns"] = perOp(timed(func() { f.advance() }), len(few))
	f.mustHaveExpired(over + int64(len(few)))
	f.subject.arm(few, timeout)
}

// expireReal lets present timers pass at one instant, and returns what it costs
// until the last callback has run.
func (f *fleet) expireReal(ids []uint32) time.Duration {
	want := f.subject.expired() + int64(len(ids))
	// Setting them must be over when the first one fires.
	instant := time.Now().Add(100*time.Millisecond + time.Duration(len(ids))*4*time.Microsecond)
	for i := 0; i < len(ids); i += 1000 {
		f.subject.refresh(ids[i:min(i+1000, len(ids))], time.Until(instant))
	}
	time.Sleep(time.Until(instant.Add(-10 * time.Millisecond)))
	cost := timed(func() {
		for f.subject.expired() < want && time.Since(instant) < time.Minute {
			time.Sleep(time.Millisecond)
		}
	})
	f.mustHaveExpired(want)
	return cost
}

// mustHaveExpired keeps a subject that does not do its work out of the tables.
func (f *fleet) mustHaveExpired(want int64) {
	if got := f.subject.expired(); got != want && f.kind.name != driver.name {
		panic(fmt.Sprintf("%s: %d expired, want %d", f.kind.name, got, want))
	}
}

// steady is the life of the fleet: the part of a core that it takes, if it can keep up.
func (f *fleet) steady(e effort, r results) {
	over := f.subject.expired()
	idle := f.kind.name == driver.name
	ticks := max(e.fleetTicks/4, min(50*e.fleetTicks, 2*e.ops*beatTicks/f.n()))
	var cost time.Duration
	if f.kind.realtime {
		factor, affordable := f.compression()
		if !affordable {
			return
		}
		// Long enough for the first timeouts to pass: from then on the runtime
		// meets timers that were moved.
		ticks = max(beatTicks, min(ticks, int(3*time.Second*time.Duration(factor)/tick)))
		if !idle {
			f.runReal(timeoutTicks+beatTicks, factor)
		} else {
			ticks = min(ticks, beatTicks)
		}
		cost = timed(func() { f.runReal(ticks, factor) })
		// The timers go on: nothing must fire in what follows.
		f.subject.refresh(f.ids, far)
	} else {
		if f.kind.lazy && !idle {
			f.run(timeoutTicks + 2*beatTicks)
		} else {
			f.run(beatTicks)
		}
		var longest time.Duration
		cost = timed(func() { longest = f.run(ticks) })
		r["pause_live_us"] = float64(longest) / 1e3
	}
	if idle || f.subject.expired() == over { // else somebody was evicted who had beaten
		r["steady"] = float64(cost) / float64(time.Duration(ticks)*tick)
	}
}

// compression is by how much faster the fleet lives with subjects that know
// real time only: as much as leaves them time to keep up.
func (f *fleet) compression() (factor float64, affordable bool) {
	perSecond := 500_000.0
	if f.n() > mostRealExpiries {
		perSecond = 1_200_000
	}
	if f.kind.name == "russell" && f.n() > mostRealExpiries {
		return 0, false // a timeout would take the better part of a minute
	}
	return min(125, perSecond*beat.Seconds()/float64(f.n())), true
}

// refresh measures heartbeats: in random order among all, and of the same
// thousand again and again.
func (f *fleet) refresh(e effort, r results) {
	ticks := max(12, e.ops*beatTicks/f.n())
	beats := 0
	before := mallocs()
	cost := timed(func() { beats = f.beats(ticks, f.static()) })
	r["refresh_allocs"] = since(mallocs(), before) / float64(beats)
	r["refresh_ns"] = perOp(cost, beats)

	few := f.orders[0][:1000]
	rounds := e.ops / len(few)
	r["refresh_hot_ns"] = perOp(timed(func() {
		for range rounds {
			f.subject.refresh(few, f.static())
		}
	}), rounds*len(few))
	f.advance()
}

// visit measures a look at an entry that is alive: half a minute of beats, then
// all of its visits in one go.
func (f *fleet) visit(e effort, r results) {
	visits, rounds := 0, 0
	var cost time.Duration
	for visits < e.ops || rounds < 3 {
		rounds++
		f.beats(beatTicks, timeout)
		cost += timed(func() {
			n, _ := f.advance()
			visits += n
		})
	}
	r["visit_ns"] = perOp(cost, visits)
}

// cancelAndArm measures connections that leave and come, among n.
func (f *fleet) cancelAndArm(e effort, r results) {
	k := min(f.n()/10, 200_000)
	var cancel, arm time.Duration
	var allocs float64
	ops := 0
	for i := 0; ops < e.ops/2; i++ {
		at := i * k % (f.n() - k + 1)
		ids := f.orders[0][at : at+k]
		cancel += timed(func() { f.subject.cancel(ids) })
		before := mallocs()
		arm += timed(func() { f.subject.arm(ids, f.static()) })
		allocs += since(mallocs(), before)
		ops += k
	}
	r["cancel_ns"] = perOp(cancel, ops)
	r["arm_ns"] = perOp(arm, ops)
	r["arm_allocs"] = allocs / float64(ops)
}

// expireAll lets everybody die at once.
func (f *fleet) expireAll(r results) {
	over := f.subject.expired()
	if f.kind.realtime {
		if f.n() <= mostRealExpiries {
			r["expire100_ns"] = perOp(f.expireReal(f.ids), f.n())
		}
		return
	}
	f.advance()
	f.now += timeout + 8*time.Second
	var longest time.Duration
	r["expire100_ns"] = perOp(timed(func() { _, longest = f.advance() }), f.n())
	r["pause_us"] = float64(longest) / 1e3
	f.mustHaveExpired(over + int64(f.n()))
}
