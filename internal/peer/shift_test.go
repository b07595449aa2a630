package peer

import (
	"fmt"
	"testing"
	"time"
)

// crew is a cluster of hosts that have counts of clients only, and hand them over as they are told: a client is at the other
// node a moment later.
func crew(w *world, loads map[string]Load) (counts map[string]int) { return slowCrew(w, loads, 0) }

// slowCrew is a crew whose clients take their time.
func slowCrew(w *world, loads map[string]Load, slow time.Duration) (counts map[string]int) {
	counts = make(map[string]int)
	for name, l := range loads {
		counts[name] = l.Sessions
	}
	w.trace = func(h *host, a Action) {
		if a.Op != Move {
			return
		}
		from, to := h.name, a.Node
		for range a.Count {
			w.after(time.Duration(20+w.rng.IntN(150))*time.Millisecond+slow, func() {
				counts[from]--
				counts[to]++
			})
		}
	}
	var report func()
	report = func() {
		for _, h := range w.hosts {
			l := loads[h.name]
			if l.Places >= 0 {
				l.Places += l.Sessions - counts[h.name]
			}
			l.Sessions = counts[h.name]
			h.load(l)
		}
		w.after(500*time.Millisecond, report)
	}
	report()
	return counts
}

func TestNewNodeGetsItsShare(t *testing.T) {
	w := newWorld(t, 1)
	loads := map[string]Load{"a": {Sessions: 9000, Places: -1, AdmitRate: 2000}, "b": {Sessions: 9000, Places: -1, AdmitRate: 2000}, "c": {Places: -1, AdmitRate: 2000}}
	w.cluster(2, Config{})
	counts := crew(w, loads)
	w.run(20 * time.Second)
	if counts["a"] != 9000 {
		t.Fatal("clients were moved without need")
	}
	w.start(Config{Node: "c"}).load(loads["c"])
	came := w.now
	w.run(4 * time.Second)
	if counts["c"] != 0 {
		t.Error("clients were moved before the node had settled")
	}
	most := 0
	for counts["c"] < 5850 && w.now < came+time.Minute {
		before := counts["c"]
		w.run(time.Second)
		most = max(most, counts["c"]-before)
	}
	took := w.now - came
	if took > 13*time.Second || took < 9*time.Second {
		t.Errorf("it took %v, want 5 s and 6 at 1,000 a second", took)
	}
	if most > 1150 {
		t.Errorf("%d in one second, of 2,000 that the node takes", most)
	}
	w.run(20 * time.Second)
	for name, n := range counts {
		if n < 5940 || n > 6060 {
			t.Errorf("%s has %d, want 6,000", name, n)
		}
	}
	moved := w.hosts[0].m.Stats().Moved + w.hosts[1].m.Stats().Moved
	if moved > 6000 {
		t.Errorf("%d were moved, want 6,000", moved)
	}
	if w.hosts[2].m.Stats().Moved != 0 {
		t.Error("the new one moves some on")
	}
	counts["a"] += 3000 // long after a join, differences are none of ours
	w.run(armed)
	moved = w.hosts[0].m.Stats().Moved
	counts["a"] += 3000
	w.run(time.Minute)
	if w.hosts[0].m.Stats().Moved != moved {
		t.Error("clients were moved long after a join")
	}
}

// What has been told to go, here or elsewhere, is not told twice because it is in the counts still.
func TestNobodyIsMovedTwice(t *testing.T) {
	for seed := range uint64(6) {
		for _, slow := range []time.Duration{0, time.Second, 3 * time.Second, 12 * time.Second} {
			w := newWorld(t, seed)
			l := Load{Sessions: 300, Places: -1, AdmitRate: 2000}
			loads := map[string]Load{"a": l, "b": l, "c": l, "d": {Places: -1, AdmitRate: 2000}}
			for _, name := range []string{"a", "b", "c"} { // their seconds are not the same
				w.start(Config{Node: name})
				w.run(time.Duration(w.rng.IntN(1000)) * time.Millisecond)
			}
			counts := slowCrew(w, loads, slow)
			w.run(time.Minute)
			w.start(Config{Node: "d"}).load(loads["d"])
			w.run(2 * time.Minute)
			moved := uint64(0)
			for _, h := range w.hosts {
				moved += h.m.Stats().Moved
			}
			if moved > 247 || counts["d"] < 202 {
				t.Errorf("seed %d, slow by %v: %d clients were moved, want some 225: %v", seed, slow, moved, counts)
			}
			if w.hosts[3].m.Stats().Moved != 0 {
				t.Error("the new one moves some on")
			}
		}
	}
}

// While clients come by themselves it is not known who will have too many.
func TestNobodyIsMovedWhileClientsCome(t *testing.T) {
	w := newWorld(t, 5)
	l := Load{Places: -1, AdmitRate: 2000}
	w.cluster(3, Config{})
	counts := crew(w, map[string]Load{"a": l, "b": l, "c": l})
	for range 300 {
		w.run(100 * time.Millisecond)
		counts["a"] += 6
		counts["b"] += 2
		counts["c"] += 1
	}
	if counts["a"] != 1800 {
		t.Errorf("some were moved while others came: %v", counts)
	}
	w.run(time.Minute)
	if counts["a"] > 1000 {
		t.Errorf("none were moved when all had come: %v", counts)
	}
}

// A difference between nodes that have long been there is no reason, though another has come.
func TestOnlyWhoCameGetsClients(t *testing.T) {
	w := newWorld(t, 6)
	l := Load{Sessions: 400, Places: -1, AdmitRate: 2000}
	loads := map[string]Load{"a": {Sessions: 100, Places: -1, AdmitRate: 2000}, "b": l, "c": l}
	w.start(Config{Node: "a"})
	w.run(2 * time.Second)
	w.start(Config{Node: "b"})
	w.run(2 * time.Second)
	w.start(Config{Node: "c"})
	counts := crew(w, loads)
	w.run(time.Minute)
	if counts["a"] != 100 || counts["b"] != 400 {
		t.Errorf("%v", counts)
	}
}

func TestNobodyIsMovedWithoutNeed(t *testing.T) {
	for _, c := range []struct {
		why  string
		a, b Load
		cfg  Config
	}{
		{"within a tenth", Load{Sessions: 1090, Places: -1, AdmitRate: 100}, Load{Sessions: 910, Places: -1, AdmitRate: 100}, Config{}},
		{"a few", Load{Sessions: 20, Places: -1, AdmitRate: 100}, Load{Places: -1, AdmitRate: 100}, Config{}},
		{"told to stay", Load{Sessions: 2000, Places: -1, AdmitRate: 100}, Load{Places: -1, AdmitRate: 100}, Config{Stay: true}},
		{"shares by places", Load{Sessions: 9000, Places: 1000, AdmitRate: 100}, Load{Sessions: 900, Places: 100, AdmitRate: 100}, Config{}},
		{"a full receiver", Load{Sessions: 9000, Places: 91000, AdmitRate: 100}, Load{Sessions: 10, Places: 0, AdmitRate: 100}, Config{}},
		{"a late receiver", Load{Sessions: 9000, Places: -1, AdmitRate: 100}, Load{Places: -1, AdmitRate: 100, Lag: 2 * time.Second}, Config{}},
		{"one that lets nobody in", Load{Sessions: 9000, Places: -1, AdmitRate: 100}, Load{Places: -1}, Config{}},
	} {
		w := newWorld(t, 2)
		w.cluster(2, c.cfg)
		counts := crew(w, map[string]Load{"a": c.a, "b": c.b})
		w.run(time.Minute)
		if counts["a"] != c.a.Sessions {
			t.Errorf("%s: %d were moved", c.why, c.a.Sessions-counts["a"])
		}
	}
}

func TestDrainingNodeGetsNobody(t *testing.T) {
	w := newWorld(t, 3)
	h := w.cluster(3, Config{})
	l := Load{Places: -1, AdmitRate: 1000}
	counts := crew(w, map[string]Load{"a": {Sessions: 3000, Places: -1, AdmitRate: 1000}, "b": l, "c": l, "d": l})
	h[2].m.Drain(h[2].time(), true, &h[2].out)
	h[2].obey()
	w.run(time.Minute)
	if counts["c"] != 0 || counts["b"] < 1400 {
		t.Errorf("%v", counts)
	}
	h[0].m.Drain(h[0].time(), true, &h[0].out) // its clients go by its drain
	h[0].obey()
	moved := h[0].m.Stats().Moved
	w.start(Config{Node: "d"}).load(l)
	w.run(time.Minute)
	if got := h[0].m.Stats().Moved; got != moved {
		t.Errorf("%d were moved while it drained", got-moved)
	}
}

// Several nodes hand over to several: none gets more than its pace, none ends below its share.
func TestManyHandOver(t *testing.T) {
	w := newWorld(t, 4)
	loads := make(map[string]Load)
	for i := range 8 {
		l := Load{Sessions: 2000 + 500*i, Places: 20_000 - 2000 - 500*i, AdmitRate: 500}
		if i >= 5 {
			l = Load{Places: 10_000, AdmitRate: 500}
		}
		loads[fmt.Sprint("n", i)] = l
		w.start(Config{Node: fmt.Sprint("n", i)}).load(l)
	}
	w.run(2 * time.Second)
	counts := crew(w, loads)
	for range 120 {
		before := counts["n6"]
		w.run(time.Second)
		if got := counts["n6"] - before; got > 300 {
			t.Errorf("%d in a second, of 500", got)
		}
	}
	total, places := 0, 5*20_000+3*10_000
	for _, n := range counts {
		total += n
	}
	for name, n := range counts {
		l := loads[name]
		share := float64(total) * float64(l.Sessions+l.Places) / float64(places)
		if float64(n) > share*1.12+leastSurplus || float64(n) < share*0.8 {
			t.Errorf("%s has %d, its share is %.0f", name, n, share)
		}
	}
}
