package server

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// racing has very many clients log in under one id over four loops at a time, each a process of its
// own, which stays until the second one behind it was answered: one that has read its WELCOME may make way for a later one
// or, before its loop has gone on from that write, have that one make way. It returns what was said to them first, and
// whose connections are still open.
func racing(t *testing.T, s *Server, logins int) (welcomed, refused int64, open []*siege.Peer) {
	t.Helper()
	const workers = 32
	var next, in, out atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	target := &siege.Target{Addr: s.Addr(), Stage: transportOf(t).Client}
	for range workers {
		all.Go(func() {
			var before []*siege.Peer
			for next.Add(1) <= int64(logins) {
				p := target.Peer("alice")
				if err := p.Dial(t.Context()); err != nil {
					t.Error(err)
					return
				}
				_, _ = p.Write(helloFrame("alice"))
				switch f, err := p.Next(); {
				case err != nil:
					t.Error(err)
				case f.Type == codec.Welcome:
					in.Add(1)
				case f.Type == codec.GoAway:
					out.Add(1)
					p.Close()
					continue
				}
				if before = append(before, p); len(before) > 2 {
					before[0].Close()
					before = before[1:]
				}
			}
			mu.Lock()
			open = append(open, before...)
			mu.Unlock()
		})
	}
	all.Wait()
	t.Cleanup(func() {
		for _, p := range open {
			p.Close()
		}
	})
	return in.Load(), out.Load(), open
}

// What the pure race shows, with goroutines and sockets.
func TestARaceOfLoginsOverSockets(t *testing.T) {
	for most, logins := range map[int]int{1: 3000, 3: 1500} {
		t.Run(fmt.Sprint("replace, ", most), func(t *testing.T) {
			s := startNode(t, Config{Loops: 4, AdmitRate: 1e6, Duplicates: Replace, MaxSameID: most})
			welcomed, refused, _ := racing(t, s, logins)
			if welcomed != int64(logins) || refused != 0 {
				t.Errorf("%d welcomed, %d refused", welcomed, refused)
			}
			eventually(t, "all but the newest have ended", func() bool { return s.Stats().Sessions == int64(most) })
			if got := len(s.Lookup("alice")); got != most {
				t.Errorf("%d are listed, want %d", got, most)
			}
		})
	}
	t.Run("refuse", func(t *testing.T) {
		s := startNode(t, Config{Loops: 4, AdmitRate: 1e6, Duplicates: Refuse})
		welcomed, refused, open := racing(t, s, 1500)
		if welcomed != 1 || refused != 1499 || len(open) != 1 {
			t.Errorf("%d welcomed, %d refused, %d are open", welcomed, refused, len(open))
		}
		eventually(t, "the first is there alone", func() bool { st := s.Stats(); return st.Sessions == 1 && st.Closes[ReasonInUse] == 1499 })
		if got := s.Stats().Closes[ReasonReplaced]; got != 0 {
			t.Errorf("%d were displaced", got)
		}
	})
}

// A node that stops in the middle of a race ends, and its roster is empty then.
func TestAStopInARaceOfLogins(t *testing.T) {
	for _, policy := range []Duplicates{Replace, Refuse} {
		s, err := New(Config{Listen: "127.0.0.1:0", Loops: 4, AdmitRate: 1e6, IDRate: -1, Duplicates: policy})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		target := &siege.Target{Addr: s.Addr()}
		var told, logins atomic.Int64
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for told.Load() == 0 {
					p := target.Peer("alice")
					if p.Dial(t.Context()) != nil {
						return
					}
					_, _ = p.Write(helloFrame("alice"))
					if f, err := p.Next(); err == nil && f.Type == codec.Welcome {
						if f, err = p.Next(); err == nil && f.Type == codec.GoAway { // replaced, or the node's last words
							if m, err := codec.ParseGoAway(f.Payload); err == nil && m.Code == codec.CodeShutdown {
								told.Add(1)
							}
						}
					}
					logins.Add(1)
					p.Close()
				}
			})
		}
		eventually(t, "there is a race", func() bool { return logins.Load() > 500 || policy == Refuse && s.Stats().Closes[ReasonInUse] > 500 })
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		all.Wait()
		if n := s.node.Roster.Len(); n != 0 || s.node.Conns.Open() != 0 || s.node.Conns.Lingering() != 0 {
			t.Errorf("%v: %d on the roster, %d connections, %d linger", policy, n, s.node.Conns.Open(), s.node.Conns.Lingering())
		}
		if s.Lookup("alice") != nil {
			t.Error("somebody is found on a node that has ended")
		}
	}
}
