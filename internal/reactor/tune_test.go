package reactor

import (
	"bytes"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// tune changes what may change, as an Update does.
func (n *node) tune(change func(*Config)) {
	cfg := *n.r.cfg
	if w := n.r.tuning.wanted; w != nil {
		cfg = *w
	}
	change(&cfg)
	n.r.Tune(&cfg)
}

// toldPongs are those that a peer was sent.
func toldPongs(t *testing.T, p *peer) (all []codec.PongMessage) {
	t.Helper()
	for _, f := range frames(t, p.in) {
		if f.Type != codec.Pong {
			continue
		}
		m, err := codec.ParsePong(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// quietSends is a read of so many small SENDs.
func quietSends(count int) (b []byte) {
	for range count {
		b = codec.AppendSend(b, 0, nil)
	}
	return b
}

func frameRate(n int) func(*Config) { return func(c *Config) { c.MaxFrameRate = n } }

// flood sends so many SENDs that want no answer, and says whether the session lives on.
func (n *node) flood(slot Slot, p *peer, count int) (lives bool) {
	n.send(slot, quietSends(count))
	return !p.finished && !p.closed
}

func TestLooserLimitsHoldAtOnceAndAreTold(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100})
	slot, p := n.join()
	n.tune(frameRate(1000))
	n.run(250 * time.Millisecond)
	if len(p.in) != 0 {
		t.Fatalf("told at once: %v", frameTypes(t, p.in))
	}
	if !n.flood(slot, p, 3000) {
		t.Fatal("closed for 3000 frames of a burst of 4000 that it was not told yet")
	}
	n.run(8 * time.Second)
	all := toldPongs(t, p)
	if len(all) != 1 || all[0].Token != 0 || all[0].Limits.Frames != 1000 || all[0].Limits.FrameBurst != 4000 || all[0].Terms.Number != 2 || all[0].Alternates != nil {
		t.Fatalf("told %+v", all)
	}
	if n.run(time.Minute); n.r.tuning.open || n.r.extras.of(n.r.sessions.at(slot)).knewAt != 0 {
		t.Error("the change does not end though all follow")
	}
	if n.flood(slot, p, 4100) {
		t.Error("more than the new burst was taken")
	}
}

// Until the client has said that it knows, it is held to what it knew.
func TestTighterLimitsHoldFromThePingThatCarriesTheirNumber(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100})
	slot, p := n.join()
	n.tune(frameRate(10))
	n.run(8 * time.Second)
	if all := toldPongs(t, p); len(all) != 1 || all[0].Limits.Frames != 10 || all[0].Limits.FrameBurst != 40 {
		t.Fatalf("told %+v", all)
	}
	if !n.flood(slot, p, 390) {
		t.Fatal("closed for 390 frames of the burst of 400 that it knew")
	}
	n.ping(slot, p, 1)
	if p.finished {
		t.Fatal("closed for a PING of a client that has not heard")
	}
	n.ping(slot, p, 2)
	if p.finished {
		t.Fatal("closed for the PING that says that it has: what it has used counts in proportion")
	}
	n.run(4 * time.Second)
	if !n.flood(slot, p, 39) {
		t.Fatal("closed within the new burst of 40")
	}
	if n.flood(slot, p, 40) {
		t.Error("it may still send what it might before")
	}
	n.wantClosed(ReasonRateLimit, 1)
}

func TestEachLimitHoldsByItself(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100, MaxByteRate: 1 << 20, UnsettledBytes: 1 << 20})
	slot, p := n.join()
	n.tune(func(c *Config) { c.MaxFrameRate, c.MaxByteRate, c.UnsettledBytes = 1000, 64<<10, -1 })
	n.run(8 * time.Second)
	if !n.flood(slot, p, 1000) {
		t.Fatal("closed for frames, of which it may send more at once")
	}
	big := codec.AppendSend(nil, 0, make([]byte, 60<<10))
	for range 40 {
		if n.send(slot, big); p.finished {
			t.Fatal("closed for bytes, of which it may send less when it knows")
		}
	}
	b := n.r.boundsOf(n.r.sessions.at(slot))
	if b.unsettled != 0 {
		t.Errorf("%d bytes unsettled may be kept, want any", b.unsettled)
	}
	n.ping(slot, p, 2)
	for range 40 {
		if !p.finished {
			n.send(slot, big)
		}
	}
	if !p.finished {
		t.Error("the new byte rate does not hold for who knows it")
	}
}

// A client that never says that it has applied anything is given a timeout from when its kernel
// had taken what tells it. Until then, and in the middle of a frame, it is held to what it knew.
func TestWhoNeverSaysThatItKnowsIsGivenATimeout(t *testing.T) {
	const timeout = 75 * time.Second
	for _, tt := range []struct {
		name  string
		block func(n *node, slot Slot, p *peer) // after each PING
	}{
		{"nothing", nil},
		{"it lies unsent in our kernel", func(_ *node, _ Slot, p *peer) { p.unsent = 100 }},
		{"a frame is under way", func(n *node, slot Slot, _ *peer) {
			n.r.extras.need(n.r.sessions.at(slot)).partUntil = n.now + time.Hour
		}},
	} {
		n := newNode(t, rigConfig{MaxFrameRate: 100, WriteTimeout: time.Hour})
		slot, p := n.join()
		s := n.r.sessions.at(slot)
		lives := func(d time.Duration) { // it goes on to PING, and says nothing
			for end := n.now + d; n.now < end; n.run(10 * time.Second) {
				p.unsent = 0
				n.send(slot, codec.AppendPing(nil, 1, 0))
				if tt.block != nil {
					tt.block(n, slot, p)
				}
			}
		}
		tight := func() bool { return n.r.boundsOf(s).frames.perSecond == 10 }
		n.tune(frameRate(10))
		n.run(8 * time.Second)
		if lives(timeout); tight() {
			t.Errorf("%s: held to what it was told in less than a timeout", tt.name)
		}
		if tt.block != nil {
			if lives(10 * time.Minute); tight() {
				t.Errorf("%s: held to what it cannot have said that it knows", tt.name)
			}
		}
		tt.block = nil
		if lives(timeout + 3*30*time.Second); !tight() {
			t.Errorf("%s: not held to the new limits long after it was told them", tt.name)
		}
		if lives(time.Minute); n.r.tuning.open || n.r.tuning.former != n.r.usual || n.r.extras.of(s).knewAt != 0 {
			t.Errorf("%s: the change does not end: %+v", tt.name, n.r.tuning)
		}
	}
}

// A client that does not read is told when it reads again, and held to what it knew until then.
func TestABacklogIsToldBehindIt(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100, WriteTimeout: time.Hour})
	slot, p := n.join()
	p.blocked = true
	n.send(slot, codec.AppendPing(nil, 1, 1))
	n.tune(func(c *Config) { c.MaxFrameRate, c.Alternates = 10, []byte("b:1") })
	n.run(20 * time.Second)
	p.in = nil
	if !n.flood(slot, p, 390) {
		t.Fatal("held to limits that wait behind what it does not read")
	}
	p.blocked, p.queued = false, 0
	n.run(time.Second)
	if all := toldPongs(t, p); len(all) != 1 || all[0].Token != 0 || all[0].Limits.Frames != 10 || string(all[0].Alternates) != "b:1" {
		t.Errorf("told %+v", all)
	}
}

func TestOnlyWhatChangedIsTold(t *testing.T) {
	n := newNode(t, rigConfig{Alternates: []string{"a:1"}})
	slot, p := n.join()
	n.tune(func(c *Config) { c.MaxWindow = time.Second })
	n.tune(func(c *Config) { c.Alternates = bytes.Clone(c.Alternates) })
	n.run(20 * time.Second)
	if len(p.in) != 0 {
		t.Errorf("told %+v though nothing changed that is told so", toldPongs(t, p))
	}
	n.tune(func(c *Config) { c.Alternates = []byte("b:1,c:1") })
	n.run(8 * time.Second)
	if all := toldPongs(t, p); len(all) != 1 || string(all[0].Alternates) != "b:1,c:1" || all[0].Limits != (codec.Limits{}) {
		t.Errorf("told %+v", all)
	}
	p.in = nil
	n.send(slot, codec.AppendPing(nil, 1, 2))
	if all := toldPongs(t, p); len(all) != 1 || all[0].Alternates != nil {
		t.Errorf("told again: %+v", all)
	}
	if _, q := n.dial(); q != nil {
		newcomer := Slot(1)
		n.send(newcomer, hello("bob"))
		if w, _ := answer(t, q); string(w.Alternates) != "b:1,c:1" {
			t.Errorf("WELCOME tells %q", w.Alternates)
		}
	}
}

// Who comes while a change waits for another to be told is not told of it, or he would know what never held if it is
// taken back before its turn.
func TestWhoComesWhileAChangeWaitsKnowsTheLast(t *testing.T) {
	for _, last := range []string{"b:1", "c:1", "d:1"} {
		n := newNode(t, rigConfig{Alternates: []string{"a:1"}})
		for range 50 {
			n.join()
		}
		goTo := func(addr string) { n.tune(func(c *Config) { c.Alternates = []byte(addr) }) }
		goTo("b:1")
		n.run(time.Second)
		if !n.r.announcing.on {
			t.Fatal("the first change has been told already")
		}
		goTo("c:1")
		slot, p := n.dial()
		n.send(slot, hello("bob"))
		w, _ := answer(t, p)
		knows := string(w.Alternates)
		goTo(last)
		n.run(time.Minute)
		for _, m := range toldPongs(t, p) {
			if m.Alternates != nil {
				knows = string(m.Alternates)
			}
		}
		if knows != last {
			t.Errorf("it is to go to %s, want %s", knows, last)
		}
	}
}

// Changes come a thousand times a second: each client is told a few times an interval, and the last.
func TestManyChangesAreToldFewTimesAndTheLastInHalfAnInterval(t *testing.T) {
	const clients = 50
	n := newNode(t, rigConfig{Heartbeat: 20 * time.Second, Timeout: 50 * time.Second, MaxFrameRate: 100})
	var peers []*peer
	for range clients {
		_, p := n.join()
		peers = append(peers, p)
	}
	rate := 200
	for range 80 { // 20 s
		for range 250 {
			rate++
			n.tune(frameRate(rate))
		}
		n.run(250 * time.Millisecond)
	}
	for i, p := range peers {
		if len(toldPongs(t, p)) == 0 {
			t.Fatalf("client %d hears nothing while changes come", i)
		}
	}
	n.run(10*time.Second + 250*time.Millisecond)
	for i, p := range peers {
		all := toldPongs(t, p)
		if last := all[len(all)-1]; int(last.Limits.Frames) != rate {
			t.Fatalf("client %d knows a rate of %d, want %d", i, last.Limits.Frames, rate)
		}
		if len(all) > 6 {
			t.Fatalf("client %d was told %d times in one interval and a half", i, len(all))
		}
	}
}

// Terms that become shorter are not told unasked; that must not keep a change from being told.
func TestShorterTermsDoNotStopAChange(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100})
	n.stretch(2)
	n.run(250 * time.Millisecond)
	_, p := n.join()
	n.run(20 * time.Second)
	n.tune(frameRate(10))
	n.run(time.Second)
	n.stretch(1)
	n.run(8 * time.Second)
	if all := toldPongs(t, p); len(all) != 1 || all[0].Limits.Frames != 10 {
		t.Errorf("told %+v", all)
	}
}

func TestLimitsOfAGrantStayWhenThoseOfAllChange(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100})
	n.r.asker = &desk{}
	slot, p := n.dial()
	n.send(slot, hello("alice"))
	n.r.authenticated(Answer{Handle: n.r.Handle(slot), Limits: &Limits{FrameRate: 50}})
	p.in = nil
	n.tune(frameRate(10))
	n.run(8 * time.Second)
	if all := toldPongs(t, p); len(all) != 1 || all[0].Limits.Frames != 50 {
		t.Errorf("told %+v", all)
	}
	n.ping(slot, p, 2)
	if got := n.r.boundsOf(n.r.sessions.at(slot)).frames.perSecond; got != 50 {
		t.Errorf("held to %d frames a second, want its own 50", got)
	}
}

// However the numbers go round, a change ends, and nobody is held to what it was not told.
func TestNumbersOfTermsGoRoundUnderAChange(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 100})
	slot, p := n.join()
	for i := range 1000 {
		n.tune(frameRate(100 + i))
		n.run(8 * time.Second)
		n.ping(slot, p, n.r.terms.Number)
	}
	n.run(time.Minute)
	if n.r.tuning.open || n.r.boundsOf(n.r.sessions.at(slot)).frames.perSecond != 1099 {
		t.Errorf("%+v", n.r.tuning)
	}
	n.tune(frameRate(5))
	n.run(250 * time.Millisecond)
	for range 3 * mostNumbers {
		n.r.nextTerms()
	}
	if n.r.tuning.open || n.r.tuning.former != n.r.usual {
		t.Error("a change stays open while the numbers go round")
	}
}

func TestHeartbeatsUnderAChangeAllocateNothing(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: -1})
	slot, p := n.join()
	n.tune(func(c *Config) { c.UnsettledBytes = 1 << 20 })
	n.run(250 * time.Millisecond)
	if !n.r.tuning.open {
		t.Fatal("no change is open")
	}
	ping := codec.AppendPing(nil, 1, 1)
	p.in = make([]byte, 0, 1<<20)
	if got := testing.AllocsPerRun(1000, func() {
		n.r.sessions.at(slot).terms = 1
		n.r.receive(n.now, slot, ping)
	}); got != 0 {
		t.Errorf("%v allocations a heartbeat", got)
	}
}
