package link

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// answer gives the PONG to the latest PING.
func (r *rig) answer(terms codec.Terms) {
	r.t.Helper()
	f := r.frames[len(r.frames)-1]
	token, _, err := codec.ParsePing(f.Payload)
	if f.Type != codec.Ping || err != nil {
		r.t.Fatalf("last frame is %s, want PING", f.Type)
	}
	r.receive(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
}

func TestPingAfterFourToFiveFifthsOfTheInterval(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	low, high := Never, time.Duration(0)
	for range 2000 {
		from := r.now
		r.tick()
		gap := r.now - from
		low, high = min(low, gap), max(high, gap)
		r.answer(testTerms)
	}
	if low < 24*time.Second || low > 24100*time.Millisecond || high > 30*time.Second || high < 29900*time.Millisecond {
		t.Errorf("PINGs %v to %v apart, want all of 24s to 30s", low, high)
	}
	if info := r.l.Info(); info.Pings != 2000 || info.Pongs != 2000 || info.Losses != 0 {
		t.Errorf("Info = %+v, want 2000 PINGs and PONGs", info)
	}
}

func TestPongTellsBothTimes(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	due := r.l.Deadline()
	r.now = due + 70*time.Millisecond // the owner is late
	r.tick()
	r.now += 5 * time.Millisecond
	r.answer(testTerms)
	e, _ := r.last(Pong)
	if e.RTT != 5*time.Millisecond || e.FromIntended != 75*time.Millisecond {
		t.Errorf("RTT %v, from intended %v; want 5ms and 75ms", e.RTT, e.FromIntended)
	}
	if p, _ := r.last(PingSent); p.Intended != due {
		t.Errorf("intended %v, want %v", p.Intended, due)
	}
	r.now += time.Second
	r.answer(testTerms) // a second time
	if r.count(Pong) != 1 || r.l.Info().RTT != 5*time.Millisecond {
		t.Errorf("%d PONGs for one PING, RTT %v", r.count(Pong), r.l.Info().RTT)
	}
}

func TestSilentServerIsDeadAfterThePongTimeout(t *testing.T) {
	r := newRig(t, Config{PongTimeout: 7 * time.Second})
	r.ready(testTerms)
	heard := r.now
	r.tick() // PING
	pinged := r.now
	r.tick()
	if e, _ := r.last(Lost); e.Reason != PongTimeout || r.now != pinged+7*time.Second {
		t.Errorf("Lost = %+v at %v after the PING, want pong_timeout at 7s", e, r.now-pinged)
	}
	if r.now-heard > 37*time.Second {
		t.Errorf("noticed after %v, promised within interval + pong timeout", r.now-heard)
	}
}

// A client that writes all the time into a half-open connection never is write-idle.
func TestBusyWriterNoticesASilentServer(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	heard := r.now
	for r.l.State() == StateReady {
		next := r.now + time.Second
		if d := r.l.Deadline(); d <= next {
			r.now = max(r.now, d)
			r.l.Tick(r.now, &r.out)
		} else {
			r.now = next
			if _, err := r.l.Send(r.now, []byte("x"), &r.out); err != nil {
				t.Fatal(err)
			}
		}
		r.settle()
		if r.now-heard > 40*time.Second {
			t.Fatalf("not noticed %v after the last frame", r.now-heard)
		}
	}
	if e, _ := r.last(Lost); e.Reason != PongTimeout {
		t.Errorf("Lost = %+v, want pong_timeout", e)
	}
}

// A client that is sent to all the time must speak too, or the server evicts it.
func TestBusyReaderPingsAsWell(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	wrote := r.now
	deliver := codec.AppendDeliver(nil, 1, []byte("x"))
	for r.count(PingSent) == 0 {
		if r.now-wrote > 30*time.Second {
			t.Fatal("no PING although nothing was written for an interval")
		}
		r.now += time.Second
		r.receive(deliver)
		r.l.Tick(r.now, &r.out)
		r.settle()
	}
}

func TestAnyCompleteFrameIsLifeAndHalfOfOneIsNot(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.tick() // PING
	due := r.l.Deadline()
	deliver := codec.AppendDeliver(nil, 1, []byte("x"))
	half := deliver[:len(deliver)-1]
	if n, need := r.l.Received(r.now, r.attempt(), half, &r.out); n != 0 || need != len(deliver) {
		t.Fatalf("Received(half) = %d, %d; want 0, %d", n, need, len(deliver))
	}
	if r.l.Deadline() != due {
		t.Error("half a frame put the pong deadline off")
	}
	r.receive(deliver)
	if r.l.Deadline() <= due {
		t.Error("a DELIVER did not count as life")
	}
}

func TestChangedTermsAreObeyedAtOnce(t *testing.T) {
	for name, other := range map[string]codec.Terms{
		"shorter": {Interval: 2 * time.Second, Timeout: testTerms.Timeout, Window: time.Second},
		"longer":  {Interval: time.Minute, Timeout: 3 * time.Minute},
	} {
		for _, asked := range []bool{true, false} {
			r := newRig(t, Config{})
			r.ready(testTerms)
			if asked {
				r.tick()
				r.answer(other)
			} else {
				r.now += time.Second
				r.receive(codec.AppendPong(nil, codec.PongMessage{Terms: other}))
				if r.count(Pong) != 0 {
					t.Error("an announcement was taken for an answer")
				}
			}
			wait := r.l.Deadline() - min(r.l.heartbeat.wrote, r.l.heartbeat.heard)
			if wait > other.Interval || wait < other.Interval*4/5 {
				t.Errorf("%s, asked %v: next PING %v after the last frame, want within the new %v", name, asked, wait, other.Interval)
			}
			if e, _ := r.last(Termed); r.l.Info().Terms != other || e.Terms != other || r.count(Termed) != 1 {
				t.Errorf("%s, asked %v: terms %+v, told %+v", name, asked, r.l.Info().Terms, e)
			}
		}
	}
}

func TestIntervalStaysWithinBounds(t *testing.T) {
	for _, c := range []struct {
		name                  string
		own, interval, server time.Duration
		want                  time.Duration
	}{
		{"the server's", 0, 30 * time.Second, 75 * time.Second, 30 * time.Second},
		{"one's own", 10 * time.Second, 30 * time.Second, 75 * time.Second, 10 * time.Second},
		{"cut below the timeout", 100 * time.Second, 30 * time.Second, 75 * time.Second, 60 * time.Second},
		{"nobody names one", 0, 0, 0, 30 * time.Second},
		{"a server that wants a flood", 0, time.Millisecond, time.Millisecond, 100 * time.Millisecond},
		{"a server that wants silence", 0, 1000 * time.Hour, 0, time.Hour},
	} {
		r := newRig(t, Config{Interval: c.own})
		r.ready(codec.Terms{Interval: c.interval, Timeout: c.server})
		if got := r.l.interval(); got != c.want {
			t.Errorf("%s: interval %v, want %v", c.name, got, c.want)
		}
	}
}

// After a suspend everything is overdue, and what the server sent is still unread.
func TestWakingFromSuspendProbesOnceBeforeItGivesUp(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.tick() // PING; then the machine sleeps
	r.now = r.l.Deadline() + time.Hour
	r.tick()
	r.wantState(StateReady)
	if r.count(PingSent) != 2 {
		t.Fatalf("%d PINGs, want a second one on waking", r.count(PingSent))
	}
	if wait := r.l.heartbeat.pongDue - r.now; wait != 10*time.Second {
		t.Errorf("%v for the answer, want the whole pong timeout", wait)
	}
	r.now = r.l.Deadline() + time.Hour
	r.tick()
	r.wantState(StateBackingOff) // no frame in between: no third chance

	r = newRig(t, Config{})
	r.ready(testTerms)
	for range 5 { // with an answer each time it goes on for ever
		r.tick()
		r.now = r.l.Deadline() + time.Hour
		r.tick()
		r.answer(testTerms)
	}
	r.wantState(StateReady)

	r = newRig(t, Config{})
	r.start()
	r.now = r.l.Deadline() + time.Hour
	r.tick()
	r.wantState(StateConnecting)
	r.tick()
	r.wantState(StateBackingOff)
	r.tick()
	r.connected()
	r.now = r.l.Deadline() + time.Hour
	r.tick()
	r.wantState(StateHandshaking)
	if wait := r.l.Deadline() - r.now; wait != 5*time.Second {
		t.Errorf("%v for WELCOME after waking, want 5s", wait)
	}
}

// A server that hears nothing evicts, and a PONG that nobody can read is not missed.
func TestHeldOwnerPingsAndMissesNothing(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.flow.Held = true
	for range 20 {
		last := r.l.heartbeat.wrote
		r.tick()
		r.wantState(StateReady)
		if gap := r.l.heartbeat.wrote - last; gap < 24*time.Second || gap > 30*time.Second {
			t.Fatalf("a PING %v after what was written before, want 24s to 30s", gap)
		}
	}
	r.flow.Held = false
	r.now += 9 * time.Second
	r.l.Released(r.now)
	r.l.Released(r.now + time.Second) // says nothing new
	before := r.l.Info().RTT
	r.answer(testTerms)
	if info := r.l.Info(); info.Pings != 20 || info.Pongs != 1 || info.RTT != before {
		t.Errorf("Info = %+v, want an answer without a round trip", info)
	}
	r.tick()
	r.tick()
	r.wantState(StateBackingOff)

	r = newRig(t, Config{}) // the server died meanwhile
	r.ready(testTerms)
	r.flow.Held = true
	for range 5 {
		r.tick()
	}
	r.flow.Held = false
	r.now += 9 * time.Second
	released := r.now
	r.l.Released(r.now)
	r.tick()
	if r.wantState(StateBackingOff); r.now-released != 10*time.Second {
		t.Errorf("noticed %v after Released, want the pong timeout", r.now-released)
	}
}

func TestHeartbeatAllocatesNothing(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	var pong []byte
	cycle := func() {
		r.now = r.l.Deadline()
		r.l.Tick(r.now, &r.out)
		pong = codec.AppendPong(pong[:0], codec.PongMessage{Token: r.l.heartbeat.token, Terms: testTerms})
		r.out.Reset()
		r.now += time.Millisecond
		r.l.Received(r.now, 1, pong, &r.out)
		r.out.Reset()
	}
	cycle()
	if n := testing.AllocsPerRun(1000, cycle); n != 0 {
		t.Errorf("a heartbeat allocates %v times, want 0", n)
	}
	if info := r.l.Info(); info.Pongs != info.Pings {
		t.Fatalf("%d PONGs of %d PINGs: the test did not test", info.Pongs, info.Pings)
	}
}

func BenchmarkHeartbeat(b *testing.B) {
	r := newRig(b, Config{})
	r.ready(testTerms)
	var pong []byte
	b.ReportAllocs()
	for b.Loop() {
		r.now = r.l.Deadline()
		r.l.Tick(r.now, &r.out)
		pong = codec.AppendPong(pong[:0], codec.PongMessage{Token: r.l.heartbeat.token, Terms: testTerms})
		r.out.Reset()
		r.l.Received(r.now, 1, pong, &r.out)
		r.out.Reset()
	}
}

// While a PONG is late the server hears of the client at least every half of its timeout, whatever the
// pong timeout is; and the PINGs that say so put nothing off.
func TestAClientThatWaitsForAPongIsNotSilent(t *testing.T) {
	r := newRig(t, Config{PongTimeout: 10 * time.Second})
	r.ready(codec.Terms{Interval: time.Second, Timeout: 2500 * time.Millisecond, Number: 1})
	r.tick()
	pinged, last, most := r.now, r.now, time.Duration(0)
	for r.count(Lost) == 0 {
		before := r.count(PingSent)
		if r.tick(); r.count(PingSent) > before {
			most, last = max(most, r.now-last), r.now
		}
		if r.now-pinged > time.Hour {
			t.Fatal("the server is never given up")
		}
	}
	if n := r.count(PingSent); n < 8 || most > 1250*time.Millisecond {
		t.Errorf("%d PINGs in the pong timeout, %v apart at most; want one in 1.25 s", n, most)
	}
	if e, _ := r.last(Lost); e.Reason != PongTimeout || r.now-pinged != 10*time.Second {
		t.Errorf("%v after %v, want the pong timeout of the first PING", e.Reason, r.now-pinged)
	}
}

// A server may be later than the next PING, which goes out while a PONG is late. Each of its PONGs that
// answers the earliest PING that waits is a round trip, whole, and a server that reads several PINGs at
// once and answers the latest alone has been waited for since the first.
func TestAServerLaterThanTheNextPingHasRoundTrips(t *testing.T) {
	terms := codec.Terms{Interval: time.Second, Timeout: 2 * time.Second, Number: 1}
	for _, alone := range []bool{false, true} {
		const late = 1500 * time.Millisecond
		r := newRig(t, Config{PongTimeout: 10 * time.Second})
		r.ready(terms)
		type ping struct {
			token uint64
			at    time.Duration
		}
		var sent []ping
		for until := r.now + time.Minute; r.now < until; {
			if len(sent) > 0 && sent[0].at+late <= r.l.Deadline() {
				answered := sent[0]
				if r.now = max(r.now, answered.at+late); alone {
					answered, sent = sent[len(sent)-1], sent[len(sent)-1:]
				}
				sent = sent[1:]
				r.receive(codec.AppendPong(nil, codec.PongMessage{Token: answered.token, Terms: terms}))
				continue
			}
			before := r.l.heartbeat.token
			if r.tick(); r.l.heartbeat.token > before {
				sent = append(sent, ping{r.l.heartbeat.token, r.now})
			}
		}
		if r.count(Lost) > 0 || r.count(Pong) < 20 {
			t.Errorf("answered alone %v: %d round trips of %d PINGs and %d losses in a minute, want 20 at least and none",
				alone, r.count(Pong), r.count(PingSent), r.count(Lost))
		}
		for _, e := range r.events {
			if e.Kind == Pong && e.RTT != late {
				t.Fatalf("answered alone %v: a round trip of %v, want %v", alone, e.RTT, late)
			}
		}
	}
}
