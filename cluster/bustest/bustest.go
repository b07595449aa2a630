// Package bustest holds any cluster.Bus to what it promises.
package bustest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// Run holds buses to the contract. connect returns those of so many nodes, named by Name, that reach each other
// and end with the test.
func Run(t *testing.T, connect func(t *testing.T, nodes int) []cluster.Bus) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, all []cluster.Bus)
	}{
		{"WhatIsPublishedComesToAllOthers", comesToAllOthers},
		{"WhoHasNotSubscribedGetsNothing", notSubscribed},
		{"ASendersOrderHoldsOverSubjects", orderOverSubjects},
		{"OneCallAtATime", oneCallAtATime},
		{"TheBodyIsThePublishersAgain", bodyIsThePublishers},
		{"ALargeMessageComesWhole", largeMessage},
		{"AnEmptyMessageComes", emptyMessage},
		{"WatchTellsOnceThatANodeHasGone", watchTells},
		{"AStoppedWatchTellsNothing", stoppedWatch},
		{"WhatIsClosedSaysSo", closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, connect(t, 3))
		})
	}
}

// Name is that of the node with the bus of that index.
func Name(i int) string { return fmt.Sprintf("n%d", i) }

// inbox is what a node has got.
type inbox struct {
	mu  sync.Mutex
	all []string
}

func listen(t *testing.T, b cluster.Bus, subjects ...string) *inbox {
	t.Helper()
	in := new(inbox)
	for _, s := range subjects {
		err := b.Subscribe(s, func(body []byte) {
			in.mu.Lock()
			defer in.mu.Unlock()
			in.all = append(in.all, s+" "+string(body))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func (in *inbox) now() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.all)
}

func (in *inbox) has(text string) bool { return slices.Contains(in.now(), text) }

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func publish(t *testing.T, b cluster.Bus, subject, body string) {
	t.Helper()
	if err := b.Publish(subject, []byte(body)); err != nil {
		t.Fatalf("Publish(%q): %v", subject, err)
	}
}

// Met waits until each bus hears all others: subscriptions take a moment to be known.
func Met(t *testing.T, all []cluster.Bus) {
	t.Helper()
	var heard []*inbox
	for _, b := range all {
		heard = append(heard, listen(t, b, "bustest.met"))
	}
	until(t, "all hear all", func() bool {
		for i, b := range all {
			publish(t, b, "bustest.met", Name(i))
		}
		for i, in := range heard {
			for j := range all {
				if i != j && !in.has("bustest.met "+Name(j)) {
					return false
				}
			}
		}
		return true
	})
}

func comesToAllOthers(t *testing.T, all []cluster.Bus) {
	var in []*inbox
	for _, b := range all {
		in = append(in, listen(t, b, "sw.all"))
	}
	Met(t, all)
	publish(t, all[0], "sw.all", "hello")
	publish(t, all[1], "sw.all", "last")
	for _, i := range []int{1, 2} {
		until(t, "the others have it", func() bool { return in[i].has("sw.all hello") })
	}
	until(t, "what came after", func() bool { return in[0].has("sw.all last") })
	if got := in[0].now(); len(got) != 1 {
		t.Errorf("the publisher has got %q, want only what another published", got)
	}
	if got := in[1].now(); len(got) != 1 {
		t.Errorf("another has got %q, want hello once", got)
	}
}

func notSubscribed(t *testing.T, all []cluster.Bus) {
	in := listen(t, all[1], "sw.to.n1", "end")
	Met(t, all)
	publish(t, all[0], "sw.to.n2", "for another")
	publish(t, all[0], "sw.to.n1", "for me")
	publish(t, all[0], "end", "")
	until(t, "the end", func() bool { return in.has("end ") })
	if got := in.now(); !slices.Equal(got, []string{"sw.to.n1 for me", "end "}) {
		t.Errorf("got %q", got)
	}
}

func orderOverSubjects(t *testing.T, all []cluster.Bus) {
	const (
		messages = 20_000
		ahead    = 2000 // what is under way at a time: a bus may lose what a flood brings
	)
	subjects := []string{"sw.n", "sw.all", "sw.to.n0"}
	var mu sync.Mutex
	next, lost := make([]uint32, len(all)), make([]uint32, len(all)) // by sender
	for _, s := range subjects {
		err := all[0].Subscribe(s, func(body []byte) {
			mu.Lock()
			defer mu.Unlock()
			from, n := body[0], binary.BigEndian.Uint32(body[1:])
			if n < next[from] {
				t.Errorf("of n%d came %d behind %d", from, n, next[from]-1)
				return
			}
			lost[from] += n - next[from]
			next[from] = n + 1
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	Met(t, all)
	come := func(from int) uint32 {
		mu.Lock()
		defer mu.Unlock()
		return next[from]
	}
	deadline := time.Now().Add(patience)
	var sent sync.WaitGroup
	for i := 1; i < len(all); i++ {
		sent.Go(func() {
			for n := uint32(0); come(i) < messages && time.Now().Before(deadline); n++ {
				for began := time.Now(); n >= come(i)+ahead && time.Since(began) < time.Second; {
					time.Sleep(time.Millisecond)
				}
				body := binary.BigEndian.AppendUint32([]byte{byte(i)}, n)
				if err := all[i].Publish(subjects[int(n)%len(subjects)], body); err != nil {
					t.Errorf("Publish: %v", err)
				}
			}
		})
	}
	sent.Wait()
	mu.Lock()
	defer mu.Unlock()
	for i := 1; i < len(all); i++ {
		// A connection that was given up on a machine that is starved costs what was on its way.
		if next[i] < messages || lost[i] > messages/2 {
			t.Errorf("of n%d came %d, of which %d are missing, want %d", i, next[i], lost[i], messages)
		}
	}
}

func oneCallAtATime(t *testing.T, all []cluster.Bus) {
	var busy sync.Mutex
	var calls atomic.Int64
	for _, s := range []string{"a", "b", "c"} {
		err := all[0].Subscribe(s, func([]byte) {
			if !busy.TryLock() {
				t.Error("two calls at a time")
				return
			}
			time.Sleep(time.Millisecond)
			busy.Unlock()
			calls.Add(1)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	Met(t, all)
	until(t, "sixty calls", func() bool {
		for _, s := range []string{"a", "b", "c"} {
			publish(t, all[1], s, "")
			publish(t, all[2], s, "")
		}
		return calls.Load() >= 60
	})
}

func bodyIsThePublishers(t *testing.T, all []cluster.Bus) {
	in := listen(t, all[1], "sw.all")
	Met(t, all)
	body := []byte("first")
	if err := all[0].Publish("sw.all", body); err != nil {
		t.Fatal(err)
	}
	copy(body, "wrong")
	until(t, "it came", func() bool { return len(in.now()) > 0 })
	if got := in.now()[0]; got != "sw.all first" {
		t.Errorf("got %q: the body was not copied", got)
	}
}

func largeMessage(t *testing.T, all []cluster.Bus) {
	in := listen(t, all[1], "sw.all")
	Met(t, all)
	body := bytes.Repeat([]byte("0123456789abcdef"), 32<<10) // 512 KiB: what any bus takes
	if err := all[0].Publish("sw.all", body); err != nil {
		t.Fatal(err)
	}
	until(t, "it came", func() bool { return len(in.now()) > 0 })
	if got := in.now()[0]; got != "sw.all "+string(body) {
		t.Errorf("got %d bytes, want the %d that were sent", len(got)-7, len(body))
	}
}

func emptyMessage(t *testing.T, all []cluster.Bus) {
	in := listen(t, all[1], "sw.all")
	Met(t, all)
	if err := all[0].Publish("sw.all", nil); err != nil {
		t.Fatal(err)
	}
	until(t, "it came", func() bool { return in.has("sw.all ") })
}

func watchTells(t *testing.T, all []cluster.Bus) {
	// The name of a node is what is published to: a bus that probes goes by that.
	for i, b := range all {
		listen(t, b, "sw.to."+Name(i))
	}
	Met(t, all)
	lost := make(chan string, 10)
	all[0].Watch(Name(1), func() { lost <- Name(1) })
	all[0].Watch(Name(2), func() { lost <- Name(2) })
	if err := all[1].Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-lost:
		if got != Name(1) {
			t.Errorf("%s is told lost, want %s", got, Name(1))
		}
	case <-time.After(patience):
		t.Fatal("nobody tells that a node has gone")
	}
	publish(t, all[0], "sw.all", "")
	select {
	case got := <-lost:
		t.Errorf("%s is told lost, too", got)
	case <-time.After(50 * time.Millisecond):
	}
}

func stoppedWatch(t *testing.T, all []cluster.Bus) {
	for i, b := range all {
		listen(t, b, "sw.to."+Name(i))
	}
	Met(t, all)
	lost := make(chan string, 10)
	stop := all[0].Watch(Name(1), func() { lost <- "stopped" })
	all[0].Watch(Name(1), func() { lost <- "other" })
	stop()
	if err := all[1].Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-lost:
		if got != "other" {
			t.Errorf("told %q", got)
		}
	case <-time.After(patience):
		t.Fatal("nobody tells that a node has gone")
	}
	select {
	case got := <-lost:
		t.Errorf("told %q, too", got)
	case <-time.After(50 * time.Millisecond):
	}
}

func closed(t *testing.T, all []cluster.Bus) {
	for range 2 {
		if err := all[0].Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := all[0].Publish("sw.all", nil); err != cluster.ErrClosed {
		t.Errorf("Publish: %v, want ErrClosed", err)
	}
	if err := all[0].Subscribe("sw.all", func([]byte) {}); err != cluster.ErrClosed {
		t.Errorf("Subscribe: %v, want ErrClosed", err)
	}
}
