package server

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// The window is the node's, whatever loop a client is on, and the first client of a loop
// is told it like any other.
func TestWindowIsConnectionsByRateOnEveryLoop(t *testing.T) {
	const clients, rate = 48, 10
	for _, loops := range []int{1, 2, 16} {
		t.Run(fmt.Sprint("loops=", loops), func(t *testing.T) {
			s := startNode(t, Config{Loops: loops, Tick: 5 * time.Millisecond, FailoverRate: rate})
			window := func(conns int) time.Duration {
				return time.Duration(float64(conns) / rate * 1.05 * float64(time.Second))
			}
			near := func(got, want time.Duration) bool { return (got - want).Abs() <= want/20+time.Millisecond }
			var in []*wire
			for n := range clients {
				// All loops have heard of the clients before: Stats is as old as the oldest turn.
				eventually(t, "the node knows its clients", func() bool {
					st := s.Stats()
					return st.Window == window(n) && st.Sessions == int64(n)
				})
				eventually(t, "two turns of every loop", newTurns(s, 2))
				w, m := joinNode(t, s, "a")
				if !near(m.Terms.Window, window(n)) && !near(m.Terms.Window, window(n+1)) { // itself included, or not yet
					t.Fatalf("WELCOME of client %d on loop %d says window %v, want %v", n+1, m.Session.Handle>>56, m.Terms.Window, window(n))
				}
				in = append(in, w)
			}
			if used := s.Stats().Loops; used < min(loops, 8) {
				t.Fatalf("%d clients are on %d of %d loops", clients, used, loops)
			}
			for _, w := range in {
				eventually(t, "PONG tells the window of all", func() bool {
					w.send(codec.AppendPing(nil, 1, 0))
					m, err := codec.ParsePong(w.want(codec.Pong).Payload)
					return err == nil && near(m.Terms.Window, window(clients))
				})
			}
		})
	}
}

// newTurns returns a condition that holds when every loop that has clients has finished n
// more turns.
func newTurns(s *Server, n int) func() bool {
	seen := make(map[*loop]time.Duration)
	count := make(map[*loop]int)
	return func() bool {
		for _, l := range *s.loops.Load() {
			if at := l.snapshot().SnapshotAt; at != seen[l] {
				seen[l] = at
				count[l]++
			}
		}
		for _, l := range *s.loops.Load() {
			if count[l] <= n {
				return false
			}
		}
		return true
	}
}
