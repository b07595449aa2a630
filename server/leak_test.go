package server

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// What a node must have given back when its last connection has ended: looked at on its
// loops themselves, whichever process they are in.

// clean says that nothing of anybody is left in a node that began as empty.
func (r report) clean(empty report) bool {
	return r.Conns == 0 && r.Sessions == 0 && r.Pending == 0 && r.Admitted == 0 && r.Lingering == 0 &&
		r.Queued == 0 && r.Budget == 0 && r.Slots == 0 && r.Wheel == 0 && r.Extras == 0 && r.Names == 0 &&
		r.Goroutines <= empty.Goroutines && r.Descriptors <= empty.Descriptors
}

// fault is what does not add up in a node whose connections have all ended, or empty.
func (r report) fault() string {
	var closes uint64
	for _, n := range r.Closes {
		closes += n
	}
	if closes != r.Accepted || r.Fault != "" {
		return fmt.Sprintf("%d connections were accepted and %d ended, wheel: %q", r.Accepted, closes, r.Fault)
	}
	return ""
}

// look adds up what is in use on a loop. On the loop, or when it has ended.
func (r *report) look(l *loop) {
	if l.rest.conn != nil {
		r.Descriptors -= 2 // a loop that has met a client has these
	}
	u := l.reactor.InUse()
	r.Slots += u.Slots
	r.Wheel += u.Deadlines
	r.Extras += u.Extras
	r.Names += u.NameBytes
}

// wantNothingLeft waits until a node whose clients have gone has nothing of them left.
func wantNothingLeft(t *testing.T, s *Server) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		var r report
		select {
		case <-s.done: // its loops have ended, its wheels are closed
			for _, l := range *s.loops.Load() {
				r.look(l)
			}
		default:
			s.askAll()
			r = s.report()
		}
		// Descriptors and goroutines are the test's, too: they are looked at later.
		fault := r.fault()
		if r.clean(report{Goroutines: r.Goroutines, Descriptors: r.Descriptors}) && fault == "" {
			return
		}
		if time.Now().After(end) {
			t.Errorf("the clients are gone, but the node says %s %+v", fault, r)
			return
		}
	}
}

// openDescriptors is how many this process has, where the system tells.
func openDescriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// wantDescriptors waits until no more than before are open.
func wantDescriptors(t *testing.T, before int) {
	t.Helper()
	open := 0
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if open = openDescriptors(); open <= before {
			return
		}
	}
	t.Errorf("%d descriptors are open, %d were before the node", open, before)
}

func (c *child) report(how string) (r report) {
	c.t.Helper()
	c.ask(how, &r)
	return r
}

// leavesNothing has the child looked at when the test's clients have gone.
func (c *child) leavesNothing() {
	c.t.Helper()
	empty := c.empty("report")
	c.t.Cleanup(func() {
		if c.t.Failed() {
			return
		}
		var r report
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if r = c.report("report"); r.clean(empty) && r.fault() == "" {
				return
			}
		}
		c.t.Errorf("%d goroutines and %d descriptors at the start; the clients are gone, but the node says %s %+v",
			empty.Goroutines, empty.Descriptors, r.fault(), r)
	})
}

// What tests wait for is looked at as it is, not as a turn of long ago left it.
func TestAReportIsOfNow(t *testing.T) {
	s := startNode(t, Config{Tick: 5 * time.Second})
	w, _ := joinNode(t, s, "a")
	if r := s.report(); r.Conns != 1 || r.Sessions != 1 {
		t.Errorf("a client is in, and the node says %+v", r)
	}
	w.Close()
	eventually(t, "it has left", func() bool { r := s.report(); return r.Conns == 0 && r.Closes["peer_closed"] == 1 })
}

// A node that has stopped has given back the memory that the collector does not know.
func TestStopGivesTheWheelsBack(t *testing.T) {
	s := startNode(t, Config{Loops: 1})
	joinNode(t, s, "a")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	fresh, err := newLoop(s, nil, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh.again.Stop()
	left := (*s.loops.Load())[0].reactor.WheelBytes()
	want := fresh.reactor.WheelBytes()
	if left > want {
		t.Errorf("the wheel of a stopped node has %d bytes, an empty one %d", left, want)
	}
}
