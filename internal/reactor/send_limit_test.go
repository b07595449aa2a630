package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
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
			n := newNode(t, rigConfig{MaxFrameRate: 100, Handler: handler{Message: func(*caller, uint64, []byte) { handled++ }}})
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
	n := newNode(t, rigConfig{MaxFrameRate: 10, Handler: handler{Message: func(*caller, uint64, []byte) { handled++ }}})
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
	n := newNode(t, rigConfig{MaxByteRate: 100 << 10})
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

// The 12 bytes around each payload count: or a flood of empty messages would be read below half its length.
func TestTheFramingOfAFrameCounts(t *testing.T) {
	small := codec.AppendSend(nil, 1, nil)
	n := newNode(t, rigConfig{MaxFrame: 1024, MaxFrameRate: -1, MaxByteRate: 1000})
	slot, p := n.join()
	_, left := n.r.allowance(n.r.sessions.at(slot))
	most := int(left) / len(small)
	for range most {
		n.send(slot, small)
	}
	if p.finished {
		t.Fatalf("closed within %d frames of %d bytes, of %d that were left", most, len(small), left)
	}
	n.send(slot, small)
	n.wantClosed(ReasonRateLimit, 1)
}

// A client that is told what it may send never has to be cut off to learn it.
func TestWelcomeTellsTheLimitsThatHold(t *testing.T) {
	told := func(cfg rigConfig) codec.Limits {
		n := newNode(t, cfg)
		slot, p := n.dial()
		n.send(slot, hello("alice"))
		m, err := codec.ParseWelcome(frames(t, p.in)[0].Payload)
		if err != nil {
			t.Fatal(err)
		}
		return m.Limits
	}
	want := codec.Limits{MaxSend: 100 << 10, MaxDeliver: 100 << 10, Frames: 10, FrameBurst: 40, Bytes: 1 << 20, ByteBurst: 4 << 20,
		Unsettled: 256, UnsettledBytes: 256 << 10}
	if got := told(rigConfig{MaxFrame: 100 << 10, MaxFrameRate: 10, MaxByteRate: 1 << 20}); got != want {
		t.Errorf("WELCOME tells %+v, want %+v", got, want)
	}
	want = codec.Limits{MaxSend: codec.MaxPayload, MaxDeliver: codec.MaxPayload, Unsettled: 256}
	if got := told(rigConfig{MaxFrameRate: -1, MaxByteRate: -1, UnsettledBytes: -1}); got != want {
		t.Errorf("without rates WELCOME tells %+v, want %+v", got, want)
	}
}

func TestSteadyTrafficAtItsRateIsKept(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100, MaxByteRate: 100 * 24})
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
	n := newNode(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1})
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
	n := newNode(t, rigConfig{MaxFrameRate: 10})
	slot, p := n.join()
	n.now += time.Minute
	n.turn(never) // the stall is seen before the socket is read
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

// Who answers what he was sent is not charged for it, neither frames nor bytes, in one frame or in
// as many as there are messages; who answers more, is.
func TestAnswersToDeliversAreNotCharged(t *testing.T) {
	longest := &codec.NackMessage{Code: codec.NackRefused, Reason: make([]byte, codec.MaxReason)}
	for i := range longest.Reason {
		longest.Reason[i] = 'x'
	}
	nack := func(number uint64) []byte {
		longest.Number = number
		b, err := codec.AppendNack(nil, longest)
		if err != nil || len(b) != answerBytes {
			t.Fatalf("a NACK of %d bytes, want %d; %v", len(b), answerBytes, err)
		}
		return b
	}
	ack := func(number uint64) []byte { return codec.AppendAck(nil, codec.AckOf(number)) }
	for name, answer := range map[string]func(uint64) []byte{"ACK": ack, "NACK": nack} {
		settled := 0
		n := newNode(t, rigConfig{MaxFrameRate: 10, MaxByteRate: 1000, MaxFrame: 8 << 10, Handler: handler{
			Settled: func(Outcome, Waiter) { settled++ }}})
		slot, p := n.join()
		s := n.r.sessions.at(slot) // which has used all that it may
		s.framesUsed, s.bytesUsed = int32(n.r.usual.frames.burst), int32(n.r.usual.bytes.burst)
		for window := range uint64(40) {
			var answers []byte
			for i := range uint64(MaxAwaited) {
				if err := n.r.DeliverAwaited(slot, nil, "x"); err != nil {
					t.Fatal(err)
				}
				answers = append(answers, answer(window*MaxAwaited+i+1)...)
			}
			n.r.flush(slot)
			n.send(slot, answers)
		}
		if p.finished || p.aborted || settled != 40*MaxAwaited {
			t.Fatalf("%s: %d of as many DELIVERs settled, ended %v", name, settled, p.finished)
		}
		if int64(s.framesUsed) > n.r.usual.frames.burst || int64(s.bytesUsed) > n.r.usual.bytes.burst {
			t.Errorf("%s: %d frames and %d bytes are charged", name, s.framesUsed, s.bytesUsed)
		}
		n.r.receive(n.now, slot, answer(1)) // of nothing
		n.wantClosed(ReasonRateLimit, 1)
	}
}

// What a NACK carries beside its reason is not free.
func TestALongNackIsCharged(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, _ := n.join()
	if err := n.r.DeliverAwaited(slot, nil, "x"); err != nil {
		t.Fatal(err)
	}
	n.r.flush(slot)
	payload := make([]byte, 12, 60<<10)
	payload[7] = 1
	payload = append(payload, 99, 0xea, 0x60)
	payload = append(payload, make([]byte, 60_000)...)
	before := n.r.sessions.at(slot).bytesUsed
	n.send(slot, codec.AppendFrame(nil, codec.Nack, 0, payload))
	if used := n.r.sessions.at(slot).bytesUsed - before; used < 59_000 || n.r.InUse().Awaits != 0 {
		t.Errorf("a NACK of 60 KB that settles is charged %d bytes", used)
	}
}

// The least burst holds two frames of the largest size, their framing included.
func TestTwoLargestFramesPassAtOnce(t *testing.T) {
	n := newNode(t, rigConfig{MaxByteRate: 1, MaxFrame: 8 << 10})
	slot, p := n.join()
	n.r.sessions.at(slot).bytesUsed = 0 // HELLO's
	largest := codec.AppendSend(nil, 1, make([]byte, 8<<10-8))
	n.send(slot, append(largest, largest...))
	if p.finished || n.r.counters.Sends != 2 {
		t.Errorf("two frames of %d bytes: %d taken, closed %v", len(largest), n.r.counters.Sends, p.finished)
	}
}

// A node that stands still again and again hands out what its clients can have sent, and
// not all the time that it ever stood still; and that only while they read it.
func TestTheCreditOfStallsIsBounded(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 10, Heartbeat: 2 * time.Second, Timeout: 10 * time.Second, Tick: 250 * time.Millisecond})
	slot, p := n.join()
	ping := codec.AppendPing(nil, 1, 0)
	stall := func() {
		for range 600 {
			n.now += 3 * time.Second
			n.r.observe(n.now)
		}
	}
	flood := func(slot timingwheel.ID, p *peer) (frames int) {
		for ; !p.finished && !p.aborted && frames < 100_000; frames++ {
			n.r.receive(n.now, slot, ping)
		}
		return frames
	}
	stall()
	// A burst of 40, and the 10 s that a client waits at 10 a second.
	if got := flood(slot, p); got > 40+120 || got < 100 {
		t.Errorf("after 30 minutes of stalls a client sends %d frames at once", got)
	}
	slot, p = n.join()
	stall()
	n.send(slot, ping)
	for range 300 { // in time, one PING a second
		n.now += 100 * time.Millisecond
		n.r.observe(n.now)
		if n.now%time.Second == 0 {
			n.send(slot, ping)
		}
	}
	if got := flood(slot, p); got > 45 {
		t.Errorf("30 s after the stalls a client still sends %d frames at once", got)
	}
}

// DELIVERs that are never acknowledged are no licence to send.
func TestUnansweredDeliversDoNotLiftTheByteRate(t *testing.T) {
	n := newNode(t, rigConfig{MaxByteRate: 4096, MaxFrameRate: 100})
	slot, p := n.join()
	for range MaxAwaited {
		if err := n.r.DeliverAwaited(slot, []byte("x"), "x"); err != nil {
			t.Fatal(err)
		}
		n.r.flush(slot)
		p.in = nil
	}
	send, sent := codec.AppendSend(nil, 1, make([]byte, 60<<10)), 0
	for n.r.sessions.at(slot).state == stateReady && sent < 10<<20 {
		n.r.receive(n.now, slot, send)
		sent += len(send)
		n.now += 20 * time.Millisecond
	}
	if sent > 400<<10 {
		t.Errorf("%d KiB at 4 KiB/s", sent>>10)
	}
}

// What one session was sent is nothing to the next in its slot: its numbers begin with 1.
func TestASlotThatIsUsedAgainOwesNothing(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, _ := n.join()
	for range 5 {
		if err := n.r.DeliverAwaited(slot, nil, "x"); err != nil {
			t.Fatal(err)
		}
	}
	n.r.flush(slot)
	n.r.Closed(slot, ReasonPeerClosed)
	for range 100_000 {
		next, p := n.join()
		if next == slot {
			if got := n.r.unanswered(n.r.sessions.at(next)); got != 0 {
				t.Errorf("it has %d free ACKs", got)
			}
			err := n.r.DeliverAwaited(next, nil, "x")
			n.r.flush(next)
			if number, _, _ := codec.ParseMessage(frames(t, p.in)[0].Payload); err != nil || number != 1 {
				t.Errorf("its first DELIVER has the number %d, %v", number, err)
			}
			return
		}
		n.r.Closed(next, ReasonPeerClosed)
	}
	t.Fatal("the slot was never used again")
}
