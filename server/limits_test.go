package server

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

func TestRefusalsAreLoggedOnceASecondAtMost(t *testing.T) {
	var r refusals
	var log lines
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for now := time.Second; now < 4*time.Second; now += time.Millisecond {
		r.log(logger, gate.NewConns(1000, 10, 1, loopDescriptors, 100), now, ReasonFull)
	}
	if got := strings.Count(log.String(), "level=WARN msg=\"connections are being refused: no room\" reason=full"); got != 3 {
		t.Errorf("%d lines for refusals of three seconds, want 3:\n%.500s", got, log.String())
	}
}

// Silent connections fill their share and no more: who is in stays in, newcomers come in
// all the same, and the share is free again when the deadline has cleared it.
func TestSilentConnectionsFillOnlyTheirShare(t *testing.T) {
	for _, loops := range []int{1, 4} {
		t.Run(fmt.Sprint(loops, " loops"), func(t *testing.T) { silentConnectionsFillTheirShare(t, loops) })
	}
}

func silentConnectionsFillTheirShare(t *testing.T, loops int) {
	s := startNode(t, Config{MaxConns: 800, Loops: loops, Tick: 20 * time.Millisecond, HelloTimeout: time.Hour})
	in, _ := joinNode(t, s, "first")
	var silent []*wire
	for range minPending {
		silent = append(silent, dialNode(t, s))
		eventually(t, "the first comes first", func() bool { return s.node.Conns.Pending() > 0 })
	}
	eventually(t, "the share is full", func() bool { return s.node.Conns.Pending() == minPending })
	late := dialNode(t, s)
	silent[0].wantGoAway(codec.CodeFull) // the oldest
	in.send(codec.AppendPing(nil, 1, 0))
	in.want(codec.Pong)
	eventually(t, "counted", func() bool {
		st := s.Stats()
		return st.Closes[ReasonPending] == 1 && st.Pending == minPending && st.MaxPending == minPending
	})
	late.send(helloFrame("late"))
	late.want(codec.Welcome)
	for range 50 { // a flood goes on, and honest clients come in through it
		silent = append(silent, dialNode(t, s), dialNode(t, s))
		joinNode(t, s, "honest")
	}
	eventually(t, "the flood is cut to its share", func() bool { return s.node.Conns.Pending() <= minPending })
	if n := s.exact().Closes[ReasonPending]; n < 95 || n > 105 {
		t.Errorf("%d were displaced by 101 beyond the share", n)
	}
}

// The share is free again when the deadline has cleared it, and those who are in do not count.
func TestTheShareIsFreeAfterTheDeadline(t *testing.T) {
	s := startNode(t, Config{MaxConns: 800, Loops: 2, Tick: 20 * time.Millisecond, HelloTimeout: 2 * time.Second})
	var silent []*wire
	for range minPending {
		silent = append(silent, dialNode(t, s))
	}
	for _, w := range silent {
		w.wantGoAway(codec.CodeHelloTimeout)
		w.Close()
	}
	eventually(t, "the share is empty", func() bool { return s.node.Conns.Pending() == 0 })
	for range minPending + 20 {
		joinNode(t, s, "many")
	}
}

// A frame is charged once, in however many reads it arrives.
func TestAFrameInFragmentsIsChargedOnce(t *testing.T) {
	s := startNode(t, Config{MaxFrameRate: 1, Handler: Handler{Message: func(s *Session, m Message) { _ = s.Ack(m.Number) }}})
	w, _ := joinNode(t, s, "a")
	for _, b := range codec.AppendSend(nil, 1, make([]byte, 200)) {
		w.send([]byte{b})
		time.Sleep(time.Millisecond) // so that each byte is a read of its own
	}
	w.want(codec.Ack)
}
