package server

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestFloodsAreClosedWithRateLimitAtTheBurst(t *testing.T) {
	for _, tt := range []struct {
		name  string
		frame []byte
	}{
		{"pings", codec.AppendPing(nil, 1, 0)},
		{"zero length", codec.AppendFrame(nil, 99, codec.FlagIgnorable, nil)},
		{"empty messages", codec.AppendSend(nil, 1, nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handled := 0
			n := newNode(t, Config{MaxFrameRate: 100, Handler: Handler{Message: func(*Session, uint64, []byte) { handled++ }}})
			_, other := n.join()
			slot, p := n.join()
			before := n.r.counters.FramesIn
			var read []byte
			for range 50 {
				read = append(read, tt.frame...)
			}
			for range 7 {
				n.send(slot, read)
				if p.finished {
					t.Fatal("closed within its burst of 400 frames")
				}
			}
			if n.send(slot, read); !p.finished {
				n.send(slot, read)
			}
			all := frames(t, p.in)
			m, err := codec.ParseGoAway(all[len(all)-1].Payload)
			if !p.finished || err != nil || m.Code != codec.CodeRateLimit {
				t.Fatalf("the last frame is %v, want GOAWAY rate_limit", all[len(all)-1].Type)
			}
			n.wantClosed(ReasonRateLimit, 1)
			if handled > 400 || n.r.counters.FramesIn-before > 400 {
				t.Errorf("the handler saw %d and the loop counted %d frames of a burst of 400", handled, n.r.counters.FramesIn-before)
			}
			if other.finished || other.aborted || len(other.in) != 0 {
				t.Error("another client was affected")
			}
		})
	}
}

// The whole flood in one read: the loop stops at the burst, not at the end of the read.
func TestFloodWithinOneReadStopsAtTheBurst(t *testing.T) {
	handled := 0
	n := newNode(t, Config{MaxFrameRate: 10, Handler: Handler{Message: func(*Session, uint64, []byte) { handled++ }}})
	slot, _ := n.join()
	var read []byte
	for range 1000 {
		read = codec.AppendSend(read, 1, nil)
	}
	n.send(slot, read)
	n.wantClosed(ReasonRateLimit, 1)
	if handled > 40 {
		t.Errorf("the handler saw %d messages of a burst of 40", handled)
	}
}

func TestByteFloodIsClosedBeforeItIsDecoded(t *testing.T) {
	n := newNode(t, Config{MaxByteRate: 100 << 10})
	slot, p := n.join()
	big := codec.AppendSend(nil, 1, make([]byte, 50<<10))
	for range 7 {
		n.send(slot, big)
	}
	if p.finished {
		t.Fatal("closed at 350 KiB of a burst of 400 KiB")
	}
	n.send(slot, big)
	n.wantClosed(ReasonRateLimit, 1)
	if n.r.counters.Sends != 7 {
		t.Errorf("%d messages were taken, want 7", n.r.counters.Sends)
	}
}

func TestSteadyTrafficAtItsRateIsKept(t *testing.T) {
	n := newNode(t, Config{MaxFrameRate: 100, MaxByteRate: 100 * 24})
	slot, p := n.join()
	ping := codec.AppendPing(nil, 1, 0)
	for range 10 * 60 * 100 {
		n.now += 10 * time.Millisecond
		n.send(slot, ping)
	}
	if p.finished {
		t.Fatal("a client that stays at its rate for ten minutes was closed")
	}
	n.run(20 * time.Second) // what was not used is no credit beyond the burst
	for range 500 {
		n.r.receive(n.now, slot, ping)
	}
	n.wantClosed(ReasonRateLimit, 1)
}

func TestNegativeRatesAreOff(t *testing.T) {
	n := newNode(t, Config{MaxFrameRate: -1, MaxByteRate: -1})
	slot, p := n.join()
	big := codec.AppendSend(nil, 1, make([]byte, 60<<10))
	for range 20_000 {
		n.send(slot, big)
	}
	if p.finished {
		t.Fatal("closed although there is no limit")
	}
}

// What a client sent at its rate while the server stood still arrives at once.
func TestStallOfTheServerIsNotCountedAsAFlood(t *testing.T) {
	n := newNode(t, Config{MaxFrameRate: 10})
	slot, p := n.join()
	n.now += time.Minute
	n.r.turn(n.now, never) // the stall is seen before the socket is read
	ping := codec.AppendPing(nil, 1, 0)
	for range 600 {
		n.send(slot, ping)
	}
	if p.finished {
		t.Fatal("closed for 600 frames of a minute's stall at 10 a second")
	}
	for range 100 {
		n.r.receive(n.now, slot, ping)
	}
	n.wantClosed(ReasonRateLimit, 1)
}

// Reads that complete no frame cost the loop as much as frames.
func TestFragmentsAreCharged(t *testing.T) {
	s := startNode(t, Config{MaxFrameRate: 10})
	w, _ := joinNode(t, s, "a")
	for _, b := range codec.AppendSend(nil, 1, make([]byte, 200)) {
		if _, err := w.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(time.Millisecond) // so that each byte is a read of its own
	}
	w.wantGoAway(codec.CodeRateLimit)
}
