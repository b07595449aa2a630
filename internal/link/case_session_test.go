package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

var caseScripts = append(append(append(sessionScripts, retryScripts...), sendScripts...), moveScripts...)

// terms are testTerms with another interval and timeout, and a number.
func terms(interval, timeout time.Duration, number uint16) codec.Terms {
	return codec.Terms{Interval: interval, Timeout: timeout, Window: time.Minute, Number: number}
}

var sessionScripts = []script{
	{"hello and welcome", "HELLO has the token, and after a loss the return pass of the last session; attempts count up", caseConfig{}, func(r *recorder) {
		r.start()
		r.after(30 * time.Millisecond)
		r.do(step{Do: "resolved", Attempt: 1})
		r.after(30 * time.Millisecond)
		r.do(step{Do: "connected", Attempt: 1, Token: "secret"})
		r.after(30 * time.Millisecond)
		r.welcome(codec.WelcomeMessage{ReturnPass: []byte{0xaa, 0xbb}})
		r.info()
		r.after(time.Second)
		r.disconnected(1, "peer")
		r.info()
		r.tick()
		r.do(step{Do: "connected", Attempt: 2, Token: "newer"})
		r.disconnected(1, "peer") // nobody's
		r.welcome(codec.WelcomeMessage{})
		r.after(time.Second)
		r.do(step{Do: "stop"})
		r.do(step{Do: "stop"})
	}},
	{"heartbeat when idle", "a PING after U(0.8, 1.0) intervals without a frame; the round trip is that of the latest", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		for range 3 {
			r.tick()
			r.after(70 * time.Millisecond)
			r.pong(1)
		}
		r.announce(1, codec.PongMessage{Token: 1, Terms: r.l.terms}) // stale
		r.announce(1, codec.PongMessage{Terms: r.l.terms})           // nobody asked
		r.do(step{Do: "ask"})
		r.do(step{Do: "ask"})
		r.info()
	}},
	{"pong timeout", "a server that does not answer is lost, and the return is spread over the window less the spread of the notice", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.tick()
		r.tick()
		r.info()
	}},
	{"late owner", "a timeout that is noticed late is excused once in a row", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.tick()
		r.after(25 * time.Second)
		r.do(step{Do: "tick"})
		r.after(25 * time.Second)
		r.do(step{Do: "tick"})
	}},
	{"half open", "a client that writes all the time and hears nothing asks, and gives the server up", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		for r.l.State() == StateReady {
			r.do(step{Do: "post", Body: "tick"})
			r.after(5 * time.Second)
			if r.l.Deadline() <= r.now {
				r.do(step{Do: "tick"})
			}
		}
	}},
	{"pings while it waits", "who waits longer than half of the server's timeout says something by then", caseConfig{PongTimeout: 60_000}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		for r.l.State() == StateReady {
			r.tick()
		}
	}},
	{"late answers", "the round trip is that of the earliest PING without an answer, to the first PONG for it or a later one", caseConfig{PongTimeout: 60_000}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		token := func(n uint64) { r.announce(1, codec.PongMessage{Token: n, Terms: r.l.terms}) }
		r.tick()
		r.tick()
		r.after(time.Second)
		token(1)
		token(2) // of one that was answered with an earlier
		r.tick()
		r.tick()
		r.after(time.Second)
		token(4)
		token(3)
		token(9) // nobody asked
		r.info()
	}},
	{"slow way up", "a PING that stands behind what leaves slowly has all its time once it has left", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.do(step{Do: "post", Body: "large"})
		r.do(step{Do: "flow", Untaken: 100_000, Taken: 1000})
		r.tick()
		for i := range 6 {
			r.do(step{Do: "flow", Untaken: 80_000 - i*10_000, Taken: 21_000 + int64(i)*10_000})
			r.do(step{Do: "tick"})
			r.after(8 * time.Second)
		}
		r.do(step{Do: "flow", Untaken: 0, Taken: 101_000})
		for r.l.State() == StateReady {
			r.tick()
		}
	}},
	{"stuck way up", "and is given up when nothing leaves", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.do(step{Do: "flow", Untaken: 100_000, Taken: 1000})
		for r.l.State() == StateReady {
			r.tick()
		}
	}},
	{"too slow a way up", "and when less than 4096 bytes leave in 10 s", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.do(step{Do: "flow", Untaken: 100_000, Taken: 1000})
		for i := 0; r.l.State() == StateReady; i++ {
			r.after(r.l.Deadline() - r.now)
			r.do(step{Do: "flow", Untaken: 100_000 - 10*i, Taken: 1000 + 10*int64(i)})
			r.do(step{Do: "tick"})
		}
	}},
	{"slow way down", "a frame that grows puts the pong timeout off, and one that stands does not", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.tick()
		r.after(9 * time.Second)
		b := codec.AppendDeliver(nil, 1, make([]byte, 60_000))
		r.receive(1, b[:100], nil)
		for i := range 4 {
			r.do(step{Do: "flow", Partial: 6000 * (i + 1), Taken: 1})
			r.tick()
		}
		for r.l.State() == StateReady {
			r.tick()
		}
	}},
	{"terms by pong", "a longer timeout is taken, a shorter one is answered by a PING with its number, and not twice for one reason", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.announce(1, codec.PongMessage{Terms: terms(60*time.Second, 150*time.Second, 2)})
		r.after(time.Second)
		r.announce(1, codec.PongMessage{Terms: terms(10*time.Second, 25*time.Second, 3)})
		r.after(time.Second)
		r.announce(1, codec.PongMessage{Token: 1, Terms: terms(5*time.Second, 12*time.Second, 4)})
		r.tick()
		r.announce(1, codec.PongMessage{Token: 2, Terms: codec.Terms{Interval: 5 * time.Second, Timeout: 12 * time.Second, Number: 4}})
		r.tick()
	}},
	{"patience", "the server's patience is the least pong timeout, and more than a minute counts as one", caseConfig{Interval: 1000}, func(r *recorder) {
		t := terms(30*time.Second, 75*time.Second, 1)
		r.ready(codec.WelcomeMessage{Terms: t})
		r.tick()
		r.pong(1)
		t.Patience, t.Number = 20*time.Second, 2
		r.announce(1, codec.PongMessage{Terms: t})
		r.tick()
		t.Patience, t.Number = 2*time.Minute, 3
		r.announce(1, codec.PongMessage{Terms: t})
		for r.l.State() == StateReady {
			r.tick()
		}
	}},
	{"terms of a stranger", "the interval is held within 100 ms and an hour, and within four fifths of the timeout", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{Terms: terms(0, 0, 1)})
		for i, t := range []codec.Terms{terms(time.Millisecond, 0, 2), terms(100*time.Hour, 0, 3), terms(time.Minute, 10*time.Second, 4)} {
			r.announce(1, codec.PongMessage{Terms: t})
			r.after(time.Duration(i) * time.Millisecond)
		}
	}},
	{"grant", "an owner with fresh tokens is asked for one at U(0.7, 0.9) of what is left, and again until the grant has ended", caseConfig{FreshTokens: true}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{Expires: 20 * time.Second})
		for range 3 {
			r.tick()
			r.after(10 * time.Millisecond)
			r.do(step{Do: "renew", Attempt: 1, Token: "newer"})
		}
		r.announce(1, codec.PongMessage{Token: r.l.heartbeat.token, Terms: r.l.terms, Expires: time.Hour})
		r.announce(1, codec.PongMessage{Terms: r.l.terms, Expires: codec.NeverExpires})
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeTokenExpired})
	}},
	{"a grant that nobody can renew", "who has no other token is asked for none", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{Expires: 5 * time.Second})
		r.tick()
		r.pong(1)
	}},
	{"a grant without end", "a session that is told of no end has none, whatever the last one had", caseConfig{FreshTokens: true}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{Expires: 5 * time.Second})
		r.disconnected(1, "peer")
		r.ready(codec.WelcomeMessage{})
	}},
	{"network changed", "the session has a second to answer, what ends it then is local, and a wait of the link's own is cut", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.do(step{Do: "network"})
		r.after(20 * time.Millisecond)
		r.pong(1)
		r.after(time.Second)
		r.do(step{Do: "network"})
		r.do(step{Do: "network"})
		r.tick()
		r.tick()
		r.connected()
		r.goAway(2, codec.GoAwayMessage{Code: codec.CodeBusy, Delay: 20 * time.Second})
		r.do(step{Do: "network"}) // an order
		r.tick()
		r.disconnected(3, "peer")
		r.tick()
		r.disconnected(4, "peer")
		r.tick()
		r.disconnected(5, "peer")
		r.do(step{Do: "network"})
	}},
	{"broken bytes", "what cannot be decoded, or may not come now, is a loss; what is ignorable is skipped", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.receive(1, codec.AppendFrame(nil, 99, codec.FlagIgnorable, []byte("newer")), nil)
		b := codec.AppendDeliver(nil, 1, []byte("hi"))
		b[len(b)-1]++
		r.receive(1, b, nil)
		r.ready(codec.WelcomeMessage{})
		r.receive(2, codec.AppendPing(nil, 1, 0), nil)
		r.tick()
		r.connected()
		r.receive(3, codec.AppendDeliver(nil, 1, []byte("too early")), nil)
		r.ready(codec.WelcomeMessage{})
		r.receive(4, codec.AppendFrame(nil, 99, 0, nil), nil)
		r.ready(codec.WelcomeMessage{})
		r.receive(5, codec.AppendFrame(nil, codec.Deliver, 0, make([]byte, codec.MaxPayload+1))[:8], nil)
	}},
}
