package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestTheEndWaitsBehindABacklog(t *testing.T) {
	n, slot, p, d := granted(t, rigConfig{WriteTimeout: time.Hour}, time.Hour)
	p.blocked = true
	n.r.Deliver(slot, make([]byte, 100))
	n.r.flush(slot)
	n.send(slot, renewal(t, 9, "second"))
	n.answerTo(d.renewals[0], ReasonNone, 2*time.Hour)
	n.r.Extend(slot, n.r.wall().Add(3*time.Hour))
	if got := pongs(t, p); len(got) != 0 {
		t.Fatalf("told %+v behind what was not taken", got)
	}
	p.blocked, p.queued = false, 0
	n.run(2 * n.r.cfg.Tick)
	if got := pongs(t, p); len(got) != 1 || got[0].Token != 9 || got[0].Expires < 3*time.Hour-time.Second || got[0].Expires > 3*time.Hour {
		t.Fatalf("told %+v, want one PONG with the token and what is left", got)
	}
	p.blocked = true
	n.r.Deliver(slot, make([]byte, 100))
	n.r.flush(slot)
	n.r.Extend(slot, time.Time{})
	p.blocked, p.queued, p.in = false, 0, nil
	n.run(2 * n.r.cfg.Tick)
	if got := pongs(t, p); len(got) != 1 || got[0].Token != 0 || got[0].Expires != codec.NeverExpires {
		t.Fatalf("told %+v, want that it never ends", got)
	}
}

func TestTheApplicationMovesTheEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		left  time.Duration // from now; 0: no end
		ended time.Duration // by then; 0: not within a day
	}{
		"later":   {2 * time.Hour, 2 * time.Hour},
		"earlier": {time.Minute, time.Minute},
		"never":   {0, 0},
		"past":    {-time.Hour, 0},
	} {
		n, slot, p, _ := granted(t, rigConfig{}, time.Hour)
		expires := time.Time{}
		if tt.left != 0 {
			expires = n.r.wall().Add(tt.left)
		}
		if err := n.r.Extend(slot, expires); err != nil {
			t.Fatal(err)
		}
		n.r.flush(slot)
		want := codec.NeverExpires
		if tt.left != 0 {
			want = max(tt.left, time.Millisecond)
		}
		if got := pongs(t, p); len(got) != 1 || got[0].Token != 0 || got[0].Expires != want {
			t.Errorf("%s: told %+v, want %v left", name, got, want)
		}
		switch {
		case name == "past":
			n.run(2 * n.r.cfg.Tick)
			n.wantClosed(ReasonTokenExpired, 1)
		case tt.ended == 0:
			if n.live(slot, p, 24*time.Hour); p.finished {
				t.Errorf("%s: it ended", name)
			}
		default:
			if n.live(slot, p, tt.ended-11*time.Second); p.finished {
				t.Errorf("%s: it ended early", name)
			}
			n.live(slot, p, 30*time.Second)
			n.wantClosed(ReasonTokenExpired, 1)
		}
	}
}

func TestASessionThatHasEndedIsNeitherExtendedNorPaused(t *testing.T) {
	ended := 0
	n, slot, _, _ := granted(t, rigConfig{Handler: handler{Closed: func(s *caller, _ Reason) {
		ended++
		if err := s.r.Extend(s.slot, time.Time{}); err != ErrClosed {
			t.Errorf("Extend: %v", err)
		}
		if err := s.r.PauseRead(s.slot); err != ErrClosed {
			t.Errorf("PauseRead: %v", err)
		}
		if err := s.r.ResumeRead(s.slot); err != ErrClosed {
			t.Errorf("ResumeRead: %v", err)
		}
	}}}, time.Hour)
	n.r.sendAway(slot, ReasonKicked, linger)
	if ended != 1 {
		t.Errorf("ended %d times", ended)
	}
	n.unpaused()
}

func TestAnEndMayBeGiven(t *testing.T) {
	n := newNode(t, rigConfig{Handler: handler{Opened: func(s *caller) {
		if err := s.r.Extend(s.slot, s.r.wall().Add(time.Minute)); err != nil {
			t.Error(err)
		}
	}}})
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	if types := frameTypes(t, p.in); len(types) != 2 || types[0] != codec.Welcome || types[1] != codec.Pong {
		t.Fatalf("sent %v, want WELCOME and PONG", types)
	}
	if got := pongs(t, p); got[0].Expires != time.Minute {
		t.Fatalf("told %+v", got)
	}
	n.live(slot, p, 75*time.Second)
	n.wantClosed(ReasonTokenExpired, 1)
}

func TestAHeartbeatOfAGrantAllocatesNothing(t *testing.T) {
	n, slot, p, _ := granted(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1}, time.Hour)
	ping := codec.AppendPing(nil, 1, 1)
	p.in = make([]byte, 0, 1<<20)
	if got := testing.AllocsPerRun(1000, func() { n.send(slot, ping); p.in = p.in[:0] }); got != 0 {
		t.Errorf("%v allocations a heartbeat", got)
	}
}
