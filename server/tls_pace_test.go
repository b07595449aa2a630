package server

import (
	"crypto/tls"
	"testing"
	"time"

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
	p.setRate(50)
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
