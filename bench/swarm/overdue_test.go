package swarm

import (
	"math/rand/v2"
	"testing"
	"time"
)

// What the ring says is what a look at every PING would.
func TestWhoWaitsForLongIsKnownWithoutALook(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		w := newWaits(10 * time.Second)
		now, open := time.Duration(0), []time.Duration{}
		for range 3000 {
			step := time.Duration(random.IntN(100)) * time.Millisecond
			if random.IntN(500) == 0 { // nothing happened for long
				step = time.Duration(random.IntN(200)) * time.Second
			}
			now += step
			switch {
			case random.IntN(3) > 0 || len(open) == 0:
				open = append(open, now)
				w.begin(now)
			default:
				i := random.IntN(len(open))
				w.end(open[i])
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
			}
			least, most, oldest := 0, 0, time.Duration(0)
			for _, wrote := range open {
				if now-wrote >= w.limit+w.width {
					least++
				}
				if now-wrote >= w.limit {
					most++
					oldest = max(oldest, now-wrote)
				}
			}
			n, age := w.overdue(now)
			if n < least || n > most {
				t.Fatalf("seed %d: %d are overdue, want %d to %d", seed, n, least, most)
			}
			if n > 0 && oldest < 100*w.limit && (age > oldest || age < oldest-w.width) {
				t.Fatalf("seed %d: the oldest waits for %v, want %v", seed, age, oldest)
			}
			if n == 0 && age != 0 {
				t.Fatalf("seed %d: nobody is overdue, for %v", seed, age)
			}
		}
		for _, wrote := range open {
			w.end(wrote)
		}
		if n, _ := w.overdue(now + time.Hour); n != 0 {
			t.Errorf("seed %d: %d wait when nobody does", seed, n)
		}
	}
}

func TestOfAnImpatientClientHalfOfItsPatienceIsLong(t *testing.T) {
	w := newWaits(400 * time.Millisecond)
	w.begin(time.Second)
	for after, want := range map[time.Duration]int{190 * time.Millisecond: 0, 240 * time.Millisecond: 1} {
		if n, _ := w.overdue(time.Second + after); n != want {
			t.Errorf("after %v: %d are overdue, want %d", after, n, want)
		}
	}
}

// It counts on the way of every heartbeat.
func TestCountingWaitsDoesNotAllocate(t *testing.T) {
	w, now := newWaits(time.Second), time.Duration(0)
	if n := testing.AllocsPerRun(1000, func() {
		now += time.Millisecond
		w.begin(now)
		w.overdue(now)
		w.end(now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
