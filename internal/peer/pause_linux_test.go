package peer

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPause says how long the machine of a home is busy at once, with 100,000 users registered there of whom a fifth are
// followed: when another node has come and all is complete again, and when what was told to a follower may be lost.
func BenchmarkPause(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range b.N {
		w, home, follower := busyHome(100_000, 20_000)
		var longest time.Duration
		w.timed = func(h *host) (ended func()) {
			began := threadTime()
			return func() {
				if h == home {
					longest = max(longest, threadTime()-began)
				}
			}
		}
		w.start(Config{Node: "c", Replace: true, HomesAbove: 1})
		for !home.m.homing.complete || len(home.m.Members().Names()) < 3 {
			w.run(10 * time.Millisecond)
		}
		w.run(time.Second)
		b.ReportMetric(longest.Seconds()*1e3, "ms-complete")
		longest = 0
		home.m.restartLane(home.time(), home.m.known[follower.name])
		home.arm()
		w.run(time.Second)
		b.ReportMetric(longest.Seconds()*1e3, "ms-anew")
	}
}

// threadTime is the processor time of this thread: what else the machine does is not in it.
func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	_ = syscall.Getrusage(thread, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// busyHome is two nodes, of which one is the home of so many users at the other, which follows some.
func busyHome(users, followed int) (w *world, home, follower *host) {
	w = newWorld(nil, 1)
	home, follower = w.start(Config{Node: "a", Replace: true, HomesAbove: 1}), w.start(Config{Node: "b", Replace: true, HomesAbove: 1})
	w.run(10 * time.Second)
	for i, n := 0, 0; n < users; i++ {
		id := fmt.Sprintf("client-%08d", i)
		if follower.m.homeOf(id).name != "a" {
			continue
		}
		follower.open(id, 1, 0)
		if n < followed {
			follower.follow(id)
		}
		if n++; n%1000 == 0 {
			w.run(5 * time.Millisecond)
		}
	}
	w.run(10 * time.Second)
	return w, home, follower
}

// All who follow are told when all is complete, and one when what it was told may be lost; but the machine is never busy for long.
func TestAHomeTellsFollowersSomeAtATime(t *testing.T) {
	const followed = 6 * scanUsers
	w, home, follower := busyHome(followed, followed)
	w.t = t
	before := 0
	w.timed = func(h *host) (ended func()) {
		return func() {
			if h != home {
				return
			}
			now := len(h.m.homing.pending)
			if now > before+scanUsers {
				t.Errorf("%d more are to be told after one call", now-before)
			}
			before = now
		}
	}
	known := make(map[string]bool)
	w.trace = func(h *host, a Action) {
		if h == follower && a.Op == Known && a.Sure && a.Node == home.name {
			known[string(a.Login.User)] = true
		}
	}
	told := func(when string) {
		t.Helper()
		missing := 0
		for user, f := range follower.m.follows {
			if f.home == home.m.mark && !known[user] {
				missing++
			}
		}
		if missing > 0 || len(known) < scanUsers {
			t.Errorf("%s %d were told of, %d not", when, len(known), missing)
		}
		if h := home.m.homing; h.round || len(h.pending) > 0 {
			t.Errorf("%s it is not at its end", when)
		}
		clear(known)
	}
	w.start(Config{Node: "c", Replace: true, HomesAbove: 1})
	w.run(10 * time.Second)
	told("when another has come")
	home.m.restartLane(home.time(), home.m.known[follower.name])
	home.arm()
	w.run(5 * time.Second)
	told("when a lane has begun anew")
}
