package server

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// Groups of a node with several loops, over sockets.
func TestAGroupSpansTheLoops(t *testing.T) {
	const clients = 100
	s := startNode(t, Config{Loops: 4, Handler: Handler{Opened: func(s *Session) { _ = s.Join("g") }}})
	want := make(map[Ref]bool)
	var all []*wire
	loops := make(map[uint64]bool)
	for i := range clients {
		w, m := joinNode(t, s, fmt.Sprint("c", i))
		all = append(all, w)
		want[s.Ref(m.Session)] = true
		loops[m.Session.Handle>>56] = true
	}
	if len(loops) < 2 {
		t.Fatalf("all clients are on %d loop", len(loops))
	}
	for i := range 10 {
		if err := s.Publish("g", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Broadcast([]byte("all"), nil); err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		for i := range 11 {
			_, body, err := codec.ParseMessage(w.want(codec.Deliver).Payload)
			if want := fmt.Sprint(i); err != nil || i < 10 && string(body) != want || i == 10 && string(body) != "all" {
				t.Fatalf("message %d is %q, %v", i, body, err)
			}
		}
	}
	var after Ref
	for pages := 0; ; pages++ {
		page, err := s.Members(t.Context(), "g", after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range page {
			if !want[ref] {
				t.Errorf("%v is no member, or was on a page before", ref)
			}
			delete(want, ref)
			after = ref
		}
		if len(page) < 7 {
			break
		}
	}
	if len(want) != 0 {
		t.Errorf("%d members are on no page", len(want))
	}
	var visited atomic.Int64
	if err := s.Each(t.Context(), func(*Session) { visited.Add(1) }); err != nil || visited.Load() != clients {
		t.Errorf("Each: %v, and %d were visited", err, visited.Load())
	}
}

// A member that does not read misses what does not fit, holds up nobody, and its application hears how
// much when it reads again.
func TestASlowMemberHearsWhatItHasMissed(t *testing.T) {
	missed := make(chan int, 100)
	s := startNode(t, Config{Loops: 1, Handler: Handler{
		Opened: func(s *Session) { _ = s.Join("g") },
		Missed: func(s *Session, group string, messages int) {
			_ = s.Deliver(fmt.Append(nil, "you missed ", messages, " of ", group))
			missed <- messages
		},
	}})
	target := siege.Target{Addr: s.Addr(), Stage: transportOf(t).Client}
	slow := &wire{target.Peer("slow"), t}
	defer slow.Close()
	if err := slow.DialBy(t.Context(), siege.Narrow); err != nil {
		t.Fatal(err)
	}
	slow.send(helloFrame("slow"))
	slow.want(codec.Welcome)
	fast, _ := joinNode(t, s, "fast")
	body := bytes.Repeat([]byte("x"), 16<<10)
	const messages = 100
	for range messages {
		for err := s.Publish("g", body); err != nil; err = s.Publish("g", body) {
			if !errors.Is(err, ErrBusy) {
				t.Fatal(err)
			}
		}
		fast.want(codec.Deliver)
	}
	got := 0
	for {
		_, body, err := codec.ParseMessage(slow.want(codec.Deliver).Payload)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(body, []byte("you missed")) {
			break
		}
		got++
	}
	if told := <-missed; got+told != messages || told == 0 {
		t.Errorf("got %d, and missed %d of %d", got, told, messages)
	}
	if st := s.Stats(); st.Dropped == 0 || st.Sessions != 2 {
		t.Errorf("%d dropped, %d sessions", st.Dropped, st.Sessions)
	}
}
