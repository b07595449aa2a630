package server

import (
	"crypto/tls"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// Handshakes begin at their rate, 16 at once; who waits too long for his turn is sent away, and another rate
// holds from the next tick on.
func TestHandshakesAreHeldToTheirRate(t *testing.T) {
	cfg := Config{Listen: "127.0.0.1:0", Loops: 1, IDRate: -1, Tick: 5 * time.Millisecond, HandshakeRate: 1e-3}
	withTLS(&cfg)
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.away.patience = 2 * time.Second // more than a turn takes on a busy machine, and less than the rate has
	start(t, s)
	for i := range 16 {
		if _, err := dialAt(t, s, 0, clientTLS()); err != nil {
			t.Fatalf("number %d: %v", i, err)
		}
	}
	dial(t, &siege.Target{Addr: s.Addr()}).send(clientHello())
	eventually(t, "one more is sent away", func() bool { return s.Stats().Closes[ReasonTLSBusy] == 1 })
	if pace := s.Stats().Pace; pace > 1e-3 {
		t.Errorf("the pace is %v", pace)
	}

	if err := s.Update(func(u *Tunable) { u.HandshakeRate = 0 }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is taken over", func() bool { return s.Stats().Pace > 1 })
	for range 20 {
		if _, err := dialAt(t, s, 0, clientTLS()); err != nil {
			t.Fatal(err)
		}
	}
}

// One that waits for its turn begins when that has come, though nobody asks.
func TestWhoWaitsForTheRateBeginsInTime(t *testing.T) {
	p := newAwayPool()
	p.patience = time.Hour
	p.setRate(50, false)
	began := make(chan struct{}, 100)
	s := startTLS(t, Config{Loops: 1}, nil)
	if _, err := dialAt(t, s, 0, clientTLS()); err != nil { // so that there is a loop
		t.Fatal(err)
	}
	for range 40 { // 26 at once
		if !p.submit(awayJob{t: (*s.loops.Load())[0].staged, fresh: true, came: time.Now(), work: func() func() {
			began <- struct{}{}
			return func() {}
		}}) {
			t.Fatal("refused")
		}
	}
	for range 40 {
		select {
		case <-began:
		case <-time.After(patience):
			t.Fatal("they do not begin")
		}
	}
	p.stop()
}

// While each that begins takes a slot, as many more begin as slots were not used.
func TestATurnThatIsGivenBackIsAnothers(t *testing.T) {
	p := newAwayPool()
	p.patience = time.Hour
	p.setRate(1e-3, true)
	began := make(chan struct{}, 100)
	s := startTLS(t, Config{Loops: 1}, nil)
	if _, err := dialAt(t, s, 0, clientTLS()); err != nil { // so that there is a loop
		t.Fatal(err)
	}
	for range 10 {
		if !p.submit(awayJob{t: (*s.loops.Load())[0].staged, fresh: true, came: time.Now(), work: func() func() {
			began <- struct{}{}
			return func() {}
		}}) {
			t.Fatal("refused")
		}
	}
	p.giveBack(3)
	for range 4 { // the first had its turn
		select {
		case <-began:
		case <-time.After(patience):
			t.Fatal("they do not begin")
		}
	}
	p.stop()
	if n := len(began); n != 0 {
		t.Errorf("%d more began", n)
	}
}

// Who comes without TLS does not wait for handshakes, and who has made one does not wait again.
func TestARateOfHandshakesHoldsNobodyElseUp(t *testing.T) {
	cfg := Config{Loops: 1, HandshakeRate: 1e-3}
	withTLS(&cfg)
	cfg.Transports = []Transport{TransportTCP, TransportTLS}
	s := startNode(t, cfg)
	for i := range 40 { // 16 would have their turn at that rate
		w := dial(t, &siege.Target{Addr: s.Addr()})
		w.send(helloFrame(fmt.Sprint("plain-", i)))
		w.want(codec.Welcome)
	}
	login(t, dialStd(t, s, clientTLS()), "alice")
}

// In a crowd that waits for handshakes, whoever makes one gets in by it, however many others were given slots
// before him: told to come back, he would wait for another handshake in the same crowd.
func TestWhoMakesAHandshakeInACrowdIsLetIn(t *testing.T) {
	held := make(chan struct{})
	s := startHeld(t, Config{Loops: 1, AdmitRate: 100, Tick: 5 * time.Millisecond}, time.Hour, held)
	release := sync.OnceFunc(func() { close(held) })
	defer release()
	for range s.away.workers {
		dial(t, &siege.Target{Addr: s.Addr()}).send(clientHello())
	}
	eventually(t, "all workers are held", func() bool {
		s.away.mu.Lock()
		defer s.away.mu.Unlock()
		return s.away.running == s.away.workers
	})
	for s.node.Queue.Ahead(s.now()) < gate.MaxWait*3/4 {
		s.node.Queue.Ask(s.now(), gate.MaxWait)
	}
	var clients []*tls.Conn
	var all sync.WaitGroup
	for i := range 20 {
		c := dialStd(t, s, clientTLS())
		clients = append(clients, c)
		all.Go(func() {
			if _, err := c.Write(helloFrame(fmt.Sprint("client-", i))); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "they wait for long", func() bool {
		s.away.mu.Lock()
		defer s.away.mu.Unlock()
		return s.away.slots && s.away.fresh.len() == len(clients)
	})
	release()
	all.Wait()
	for i, c := range clients {
		if f := readFrame(t, c); f.Type != codec.Welcome {
			t.Errorf("client %d: %v, want WELCOME", i, f.Type)
		}
	}
}

// A crowd that waits for handshakes is not taken for silent, and nobody goes for it who has just come.
func TestWhoWaitsForAHandshakeDisplacesNobody(t *testing.T) {
	held := make(chan struct{})
	s := startHeld(t, Config{Loops: 1, MaxConns: 700, Tick: 5 * time.Millisecond}, time.Hour, held)
	release := sync.OnceFunc(func() { close(held) })
	defer release()
	for range s.away.workers {
		dial(t, &siege.Target{Addr: s.Addr()}).send(clientHello())
	}
	eventually(t, "all workers are held", func() bool { return s.Stats().Conns == int64(s.away.workers) && s.away.waiting() == 0 })
	silent := dialStd(t, s, clientTLS()) // it says nothing before it writes
	crowd := int(s.node.Conns.MaxPending.Load()) + 20
	hello := clientHello()
	for range crowd {
		dial(t, &siege.Target{Addr: s.Addr()}).send(hello)
	}
	eventually(t, "the crowd waits", func() bool { return s.Stats().TLSQueued == crowd })
	said := make(chan error, 1)
	go func() {
		_, err := silent.Write(helloFrame("alice"))
		said <- err
	}()
	eventually(t, "one more waits, or has gone", func() bool { return s.Stats().TLSQueued == crowd+1 || s.Stats().Closes[ReasonPending] > 0 })
	release()
	if err := <-said; err != nil {
		t.Fatal(err)
	}
	if f := readFrame(t, silent); f.Type != codec.Welcome {
		t.Errorf("%v, want WELCOME", f.Type)
	}
}

// TLS 1.2 is there if it is asked for, and counted.
func TestTLS12IsThereIfAskedFor(t *testing.T) {
	s := startTLS(t, Config{Loops: 1, MaxTLS12: 1}, nil)
	old := clientTLS()
	old.MaxVersion = tls.VersionTLS12
	c := dialStd(t, s, old)
	login(t, c, "alice")
	if st := s.Stats(); st.TLS12 != 1 || c.ConnectionState().Version != tls.VersionTLS12 {
		t.Errorf("%d are counted, version %x", st.TLS12, c.ConnectionState().Version)
	}
	if err := dialStd(t, s, old).Handshake(); err == nil {
		t.Error("a second one is in")
	}
	login(t, dialStd(t, s, clientTLS()), "bob")
	c.Close()
	eventually(t, "there is room again", func() bool { return s.Stats().TLS12 == 0 })
	login(t, dialStd(t, s, old), "carol")
}
