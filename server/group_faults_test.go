package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// listener is a member that reads the numbers of what is published until it has the last, or its
// connection ends.
type listener struct {
	*siege.Peer
	ref   Ref
	got   []uint64
	ended chan struct{} // closed when it reads no more; got may be read then
	over  atomic.Bool
}

// lastNumber says that nothing follows.
const lastNumber = 1 << 63

// listen has a peer that has said HELLO read, and speak as heartbeats are due unless it is silent.
func listen(t *testing.T, s *Server, p *siege.Peer, silent bool) *listener {
	t.Helper()
	f, err := p.NextBut(codec.Welcome)
	m, bad := codec.ParseWelcome(f.Payload)
	if err := errors.Join(err, bad); err != nil {
		t.Fatal(err)
	}
	l := &listener{Peer: p, ref: s.Ref(m.Session), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for {
			_ = p.SetReadDeadline(time.Now().Add(patience)) // for each wait
			f, err := p.Next()
			if err != nil || f.Type == codec.GoAway && p.Away.Code != codec.CodeDraining {
				return
			}
			if f.Type != codec.Deliver {
				continue
			}
			_, body, err := codec.ParseMessage(f.Payload)
			if err != nil || len(body) != 8 {
				return
			}
			n := binary.BigEndian.Uint64(body)
			if n == lastNumber {
				l.over.Store(true)
				return
			}
			l.got = append(l.got, n)
		}
	}()
	if !silent {
		go func() {
			ping := codec.AppendPing(nil, 1, 0)
			for beat := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-l.ended:
					return
				case <-beat.C:
					_ = p.SetWriteDeadline(time.Now().Add(patience))
					_, _ = p.Write(ping)
				}
			}
		}()
	}
	return l
}

// whole fails if the numbers are not one after the other, from first on (0: from anywhere).
func (l *listener) whole(t *testing.T, what string, first uint64) {
	t.Helper()
	<-l.ended
	for i, n := range l.got {
		if i == 0 && first == 0 {
			first = n
		}
		if n != first+uint64(i) {
			t.Errorf("%s: number %d of what it got is %d, and %d was the first", what, i, n, first)
			return
		}
	}
}

// wantTheLast waits for the last publication.
func (l *listener) wantTheLast(t *testing.T) {
	t.Helper()
	select {
	case <-l.ended:
	case <-time.After(patience):
		t.Fatal("a member waits for the last publication")
	}
	if !l.over.Load() {
		t.Errorf("a member that stays has lost its connection: %v", l.Away.Code)
	}
}

// publishNumbers publishes 1, 2, ... until it is to stop, and then the last.
func publishNumbers(t *testing.T, s *Server, stop *atomic.Bool) {
	publish := func(n uint64) {
		if err := publishAtLast(s, "g", binary.BigEndian.AppendUint64(nil, n)); err != nil {
			t.Error(err)
		}
	}
	pace := time.NewTicker(500 * time.Microsecond)
	defer pace.Stop()
	for n := uint64(1); !stop.Load(); n++ {
		publish(n)
		<-pace.C
	}
	publish(lastNumber)
}

// Members leave, close, are reset, closed, evicted, moved, superseded and do not read while
// publications flow: each gets all of them in their order, once, for as long as it is a member.
func TestPublicationsWhileMembersComeAndGo(t *testing.T) {
	s := startNode(t, Config{Loops: 4, Index: true, Duplicates: Replace, Heartbeat: 500 * time.Millisecond, Timeout: 3 * time.Second,
		Alternates: []string{"127.0.0.1:1"}, Handler: Handler{Opened: func(s *Session) { _ = s.Join("g") }}})
	target := siege.Target{Addr: s.Addr(), Stage: transportOf(t).Client}
	join := func(hello []byte, silent bool) *listener {
		t.Helper()
		p := target.Peer("member")
		t.Cleanup(func() { p.Close() })
		if err := p.Dial(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write(hello); err != nil {
			t.Fatal(err)
		}
		return listen(t, s, p, silent)
	}
	const each = 8
	fates := []string{"stays", "leaves", "says BYE", "resets", "is closed", "is evicted", "is moved", "is superseded"}
	members := make(map[string][]*listener)
	for i := range each {
		for _, fate := range fates {
			hello := helloFrame(fmt.Sprint(fate, i))
			if fate == "is superseded" {
				hello = senderFrame(fmt.Sprint(fate, i), 1)
			}
			members[fate] = append(members[fate], join(hello, fate == "is evicted"))
		}
	}
	deaf := target.Peer("deaf")
	t.Cleanup(func() { deaf.Close() })
	if err := deaf.JoinBy(t.Context(), siege.Narrow); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var publisher sync.WaitGroup
	publisher.Go(func() { publishNumbers(t, s, &stop) })
	defer publisher.Wait()
	defer stop.Store(true)
	var newer []*listener
	for i := range each {
		errs := []error{s.Leave(members["leaves"][i].ref, "g"), s.Close(members["is closed"][i].ref, Close{}), s.Move(members["is moved"][i].ref, nil)}
		_, err := members["says BYE"][i].Write(codec.AppendBye(nil))
		if err := errors.Join(append(errs, err, members["resets"][i].Reset())...); err != nil {
			t.Fatal(err)
		}
		newer = append(newer, join(senderFrame(fmt.Sprint("is superseded", i), 2), false))
	}
	eventually(t, "who says nothing is evicted", func() bool { return s.Stats().Evictions() >= each })
	stop.Store(true)
	publisher.Wait()
	for _, l := range slices.Concat(members["stays"], members["is moved"], newer) {
		l.wantTheLast(t)
	}
	for _, l := range members["leaves"] { // it is a session still
		_ = l.Close()
	}
	for _, fate := range fates {
		for _, l := range members[fate] {
			l.whole(t, fate, 1)
		}
	}
	for _, l := range newer {
		l.whole(t, "the later attempt", 0)
	}
	if st := s.Stats(); st.Panics != 0 || st.Memberships > int64(3*each+1) {
		t.Errorf("%d panics, %d memberships", st.Panics, st.Memberships)
	}
	for _, l := range slices.Concat(members["stays"], members["is moved"], newer) {
		_ = l.Close()
	}
	_ = deaf.Close()
	eventually(t, "no membership is left", func() bool { return s.Stats().Memberships == 0 })
}

// publishAtLast publishes when there is room.
func publishAtLast(s *Server, group string, body []byte) error {
	for {
		if err := s.Publish(group, body); !errors.Is(err, ErrBusy) {
			return err
		}
		time.Sleep(time.Millisecond) // as who publishes does: the loops need the processor
	}
}

// A thousand groups of one and one of all, published to at once.
func TestAThousandGroupsOfOneAndOneOfAll(t *testing.T) {
	const clients, times = 1000, 3
	s := startNode(t, Config{Loops: 2, AdmitRate: 1e6, Handler: Handler{Opened: func(s *Session) { _ = errors.Join(s.Join("all"), s.Join(s.ID())) }}})
	var all []*wire
	for i := range clients {
		w, _ := joinNode(t, s, fmt.Sprint("c", i))
		all = append(all, w)
	}
	for i := range times {
		if err := s.Publish("all", fmt.Append(nil, "all ", i)); err != nil {
			t.Fatal(err)
		}
		for c := range clients {
			if err := publishAtLast(s, fmt.Sprint("c", c), fmt.Append(nil, "own ", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, w := range all {
		next := map[string]int{}
		for range 2 * times {
			_, body, err := codec.ParseMessage(w.want(codec.Deliver).Payload)
			group, number := "", 0
			if _, bad := fmt.Sscan(string(body), &group, &number); err != nil || bad != nil || number != next[group] {
				t.Fatalf("%q, %v: want number %d of its group", body, err, next[group])
			}
			next[group]++
		}
	}
	for _, w := range all {
		_ = w.Close()
	}
	eventually(t, "no membership is left", func() bool { return s.Stats().Memberships == 0 })
}
