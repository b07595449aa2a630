package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// A loop that gets its first client long after the start was not stuck until then.
func TestALateLoopIsNotOldByTheUptime(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 1, Heartbeat: 30 * time.Second, Tick: 10 * time.Second, IDRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	s.base = s.base.Add(-time.Hour) // it has been up for so long
	start(t, s)
	joinNode(t, s, "first")
	if st := s.Stats(); st.Loops != 1 || st.Age > time.Minute {
		t.Errorf("%d loops, the oldest was last seen %v ago; it is new", st.Loops, st.Age)
	}
}

// What a turn did is measured to its end, whatever it was: here a handler, which blocks
// within the eviction of its client.
func TestLongestTurnIsMeasuredAndKept(t *testing.T) {
	const blocked = 30 * time.Millisecond
	s := startNode(t, Config{Loops: 1, Heartbeat: 100 * time.Millisecond, Timeout: 250 * time.Millisecond, Tick: 10 * time.Millisecond,
		Handler: Handler{Closed: func(*Session, Reason) { time.Sleep(blocked) }}})
	joinNode(t, s, "silent")
	eventually(t, "the turn that evicts is measured", func() bool { return s.Stats().LongestTurn >= blocked })
	longest := s.Stats().LongestTurn
	turns := s.snapshotAt()
	eventually(t, "more turns", func() bool { return s.snapshotAt() > turns+10*s.cfg.Tick })
	if got := s.Stats().LongestTurn; got < longest {
		t.Errorf("the longest turn shrank from %v to %v", longest, got)
	}
}

func (s *Server) snapshotAt() time.Duration { return (*s.loops.Load())[0].snapshot().SnapshotAt }

// What waits, and at which bound it is, is seen while it waits.
func TestStatsShowWhatWaits(t *testing.T) {
	auth := &blockingAuth{asked: make(chan AuthRequest, 4), answer: make(chan error)}
	s := startNode(t, Config{Auth: auth, AuthWorkers: 1, AuthQueue: 8, Loops: 1, Tick: 10 * time.Millisecond, AdmitRate: 10})
	for range 4 {
		dialNode(t, s).send(helloFrame("waits"))
	}
	eventually(t, "one is with the authenticator and three wait", func() bool { return s.Stats().AuthWaiting == 3 })
	for range 4 {
		auth.answer <- nil
	}
	eventually(t, "nobody waits for the authenticator", func() bool { return s.Stats().AuthWaiting == 0 })
	if st := s.Stats(); st.AdmissionQueue != 0 || st.Lingering != 0 {
		t.Errorf("at rest the queue is %v ahead, and %d linger", st.AdmissionQueue, st.Lingering)
	}
	for range 116 { // 16 at once, then one every 100 ms
		s.node.Queue.Ask(s.now(), gate.MaxWait)
	}
	if ahead := s.Stats().AdmissionQueue; ahead < 5*time.Second || ahead > 11*time.Second {
		t.Errorf("100 clients are queued at 10 a second, and the queue is %v ahead", ahead)
	}
	w := dialNode(t, s)
	w.send(helloFrame("early"))
	w.wantGoAway(codec.CodeBusy)
	eventually(t, "the one that is told when to come lingers", func() bool { return s.Stats().Lingering == 1 })
}

func TestPostsThatAFullMailboxRefusesAreCounted(t *testing.T) {
	block := make(chan struct{})
	s := startNode(t, Config{Loops: 1, Handler: Handler{Message: func(*Session, Message) { <-block }}})
	w, m := joinNode(t, s, "a")
	w.send(codec.AppendSend(nil, 1, nil)) // its handler blocks the loop
	refused := uint64(0)
	eventually(t, "the mailbox is full", func() bool {
		for range 16 << 10 {
			if errors.Is(s.Deliver(s.Ref(m.Session), nil), ErrBusy) {
				refused++
			}
		}
		return refused > 0
	})
	st := s.Stats()
	close(block)
	text, err := json.Marshal(st)
	if err != nil || st.PostsRefused != refused || !strings.Contains(string(text), fmt.Sprintf(`"refused_posts":%d,`, refused)) {
		t.Errorf("%d posts were refused; counted are %d, shown %s, %v", refused, st.PostsRefused, text, err)
	}
}

func TestNodeWithoutAnAuthenticatorWarnsAtItsStart(t *testing.T) {
	for _, auth := range []Authenticator{nil, &blockingAuth{}} {
		var log lines
		s := startNode(t, Config{Auth: auth, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if got := strings.Count(log.String(), "level=WARN msg=\"no authenticator: every client id is let in\""); got == 1 != (auth == nil) || got > 1 {
			t.Errorf("%d warnings with the authenticator %v:\n%s", got, auth, log.String())
		}
	}
}

// The numbers that are the node's stand beside those of its loops.
func TestStatsInJSONStandUnderTheirNames(t *testing.T) {
	b, err := json.Marshal(Stats{Pending: 1, MaxPending: 2, Lingering: 3, AuthWaiting: 4, PostsRefused: 5})
	for _, want := range []string{`"pending":1,`, `"max_pending":2,`, `"lingering":3,`, `"auth_waiting":4,`, `"refused_posts":5,`} {
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%v: no %s in %s", err, want, b)
		}
	}
}

// A node's number is the sum of its loops', or the largest of them.
func TestStatsAddUp(t *testing.T) {
	var st Stats
	a, b := Counters{Conns: 2, Pings: 5, Held: 3, LongestTurn: 1}, Counters{Conns: 1, Pings: 6, Held: 2, LongestTurn: 4}
	a.Closes[ReasonBye], b.Closes[ReasonBye] = 1, 2
	st.add(&a)
	st.add(&b)
	want := Counters{Conns: 3, Pings: 11, Held: 3, LongestTurn: 4}
	want.Closes[ReasonBye] = 3
	if st.Counters != want {
		t.Errorf("%+v, want %+v", st.Counters, want)
	}
}
