package wheel

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// A rival that does not do the work is no rival: all that can be told the time
// must expire the same connections' number in every tick.
func TestEverySubjectExpiresTheSameInEveryTick(t *testing.T) {
	const n, ticks = 500, 2000
	var want []int64
	for _, k := range kinds {
		if k.realtime || k.name == "sweep4s" {
			continue
		}
		s := k.make(fleetSlots)
		random := rand.New(rand.NewPCG(1, 2))
		alive := map[uint32]int{} // the tick in which it is over
		for id := range uint32(n) {
			ttl := 1 + random.IntN(600)
			s.arm([]uint32{id}, time.Duration(ttl)*tick)
			alive[id] = ttl
		}
		var got []int64
		for i := range ticks {
			for more := true; more; {
				_, more = s.advance(time.Duration(i+1) * tick)
			}
			got = append(got, s.expired())
			// The others' ttl is the heartbeat's argument, ours was Add's.
			for range 3 {
				id := uint32(random.IntN(n))
				if ttl := alive[id]; i < ttl-1 {
					s.refresh([]uint32{id}, time.Duration(ttl)*tick)
					alive[id] = 0 // once: the driver doesn't follow it further
				}
			}
		}
		s.close()
		if got[ticks-1] != n {
			t.Errorf("%s: %d expired, want all %d", k.name, got[ticks-1], n)
		}
		if want == nil {
			want = got
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: %d expired by tick %d, the first subject %d", k.name, got[i], i+1, want[i])
				break
			}
		}
	}
}

// Each workload checks itself: a subject that expires another number panics.
func TestTheWorkloadsRunOnASmallFleet(t *testing.T) {
	e := effort{ops: 10_000, fleetTicks: 20}
	for _, k := range kinds {
		if testing.Short() && k.realtime {
			continue
		}
		r := measureAll(k, 10_000, e)
		for _, key := range []string{"build_ns", "arm_ns", "refresh_ns", "cancel_ns", "expire1_ns", "expire100_ns", "bytes"} {
			if v, ok := r[key]; !ok || v < 0 { // 0: no more than the driver alone
				t.Errorf("%s: %s is %v", k.name, key, v)
			}
		}
	}
}

// madeUp is a run whose figures are made up.
func madeUp(t *testing.T) (k *kit.Kept, text func() string) {
	k = kit.New(kit.Place{}, Section, kit.Effort{Name: "short"}, "make x")
	return k, func() string {
		t.Helper()
		p, err := kit.PageOf(Section, k)
		if err != nil {
			t.Fatal(err)
		}
		return p.String()
	}
}

func TestTheSectionSaysByHowMuch(t *testing.T) {
	k, text := madeUp(t)
	for round, ns := range []float64{20, 30, 40} {
		s := at("wheel", 1_000_000)
		s.Round = round
		k.Add(s, results{"visit_ns": ns, "refresh_ns": 10})
		s.Subject = "timers"
		k.Add(s, results{"refresh_ns": 50 * 10})
	}
	got := text()
	for _, want := range []string{
		"| live visit, 1 M | at most 15 ns | 30 ns [20 - 40] | 3 | **missed** by 15 ns. A visit reads",
		"| a heartbeat against `Timer.Reset` | at least 20x | 50x | 3 | reached |",
		"| look at a live entry, ns | 30 [20 - 40] | - |",
		"| heartbeat, random among N, ns | 10 | 500 (50x) |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant in it %q", got, want)
		}
	}
}

func TestATickIsFlatOrSaysWhyNot(t *testing.T) {
	k, text := madeUp(t)
	for n, us := range map[int]float64{10_000: 9, 1_000_000: 25} {
		k.Add(at("wheel", n), results{"flat_us": us})
		k.Add(at(memoryKind, n), results{"apart_ns": us})
	}
	const want = "| a tick with 1,000 visits, 1,000,000 against 10,000 connections | at most 1.50x | 25 µs against 9 µs: 2.78x | 1 | **missed** by 1.28x. It is flat in the number of steps"
	if got := text(); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant in it %q", got, want)
	}
}

func TestChartsHoldEveryPoint(t *testing.T) {
	k, _ := madeUp(t)
	for _, s := range plan(k) {
		for _, name := range kindNames() {
			k.Add(at(name, s.n), results{"steady": float64(s.n) / 1e8})
		}
	}
	if got, want := strings.Count(fleetGraph(k).SVG(k), "<circle"), len(kindNames())*len(plan(k)); got != want {
		t.Errorf("points: got %d, want %d", got, want)
	}
}
