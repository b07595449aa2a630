package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

var retryScripts = []script{
	{"backoff", "after the window's draw: full jitter, doubling, then w/2 to 3w/2, and w grows in an outage older than 2 min", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{Terms: codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: 5 * time.Second}})
		r.after(2 * time.Minute)
		r.disconnected(1, "peer")
		for r.now < time.Hour+16*time.Minute {
			r.tick()
			r.after(time.Millisecond)
			r.disconnected(r.attempt(), "peer")
		}
		r.info()
	}},
	{"backoff without a window", "a client that was never told a window takes 2.5 s", caseConfig{Seed: 2}, func(r *recorder) {
		r.start()
		for range 9 {
			r.disconnected(r.attempt(), "peer")
			r.tick()
		}
	}},
	{"backoff goes on", "a session that was not stable does not end the backoff; a minute does", caseConfig{Seed: 3}, func(r *recorder) {
		for range 4 {
			r.ready(codec.WelcomeMessage{})
			r.after(time.Second)
			r.disconnected(r.attempt(), "peer")
		}
		r.ready(codec.WelcomeMessage{})
		r.after(time.Minute)
		r.disconnected(r.attempt(), "peer")
	}},
	{"connect timeout", "an attempt has 5 s to connect, and each one that had them in vain doubles the next, up to 40 s", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.start()
		for range 5 {
			r.tick()
			r.tick()
		}
		r.info()
		r.connected()
		r.info()
	}},
	{"welcome timeout", "and as long for WELCOME, counted apart", caseConfig{}, func(r *recorder) {
		r.start()
		for range 5 {
			r.connected()
			r.tick()
			r.tick()
		}
		r.info()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
		r.info()
	}},
	{"own fault", "what is this machine's fault is tried again within a second, and nobody is avoided", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.start()
		r.disconnected(1, "host")
		r.tick()
		r.disconnected(2, "host")
		r.tick()
		r.disconnected(3, "host")
		r.tick()
	}},
	{"busy with a slot", "who is told to come back here does, at its slot, with its ticket, and once", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.start()
		r.connected()
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeBusy, Delay: 7 * time.Second, Window: time.Second, Ticket: []byte{1, 2}})
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
		r.after(time.Second)
		r.disconnected(2, "peer")
		r.tick()
		r.connected()
	}},
	{"orders without end", "from the fourth GOAWAY on without a stable session the backoff is the least wait", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.start()
		for range 8 {
			r.connected()
			r.goAway(r.attempt(), codec.GoAwayMessage{Code: codec.CodeFull})
			r.tick()
		}
	}},
	{"full", "a full node sends elsewhere, at once if another is known", caseConfig{}, func(r *recorder) {
		r.start()
		r.connected()
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeFull, Alternates: []byte("10.0.0.2:7000"), Reason: []byte("no room")})
		r.tick()
		r.ready(codec.WelcomeMessage{})
	}},
	{"shutdown with a window", "a node that stops says when and where; its window is the last word", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeShutdown, Delay: time.Second, Window: 10 * time.Second})
		r.tick()
		for range 9 {
			r.disconnected(r.attempt(), "peer")
			r.tick()
		}
	}},
	{"busy without end", "who is told to come back here for the fourth time goes where it likes", caseConfig{Endpoints: threeEndpoints, Seed: 3}, func(r *recorder) {
		r.start()
		for range 7 {
			r.connected()
			r.goAway(r.attempt(), codec.GoAwayMessage{Code: codec.CodeBusy, Delay: time.Second})
			r.tick()
		}
	}},
	{"a ticket that was not shown", "is kept, and where it is from, if the attempt failed by this machine's fault before HELLO", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.start()
		r.connected()
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeBusy, Delay: time.Second, Ticket: []byte{1, 2}})
		r.tick()
		r.disconnected(2, "host")
		r.tick()
		r.connected()
		r.disconnected(3, "host")
		r.tick()
		r.connected()
	}},
	{"timeouts while the network changed", "say nothing about the server's queue", caseConfig{}, func(r *recorder) {
		r.start()
		r.do(step{Do: "network"})
		r.tick()
		r.info()
		r.tick()
		r.connected()
		r.do(step{Do: "network"})
		r.tick()
		r.info()
	}},
	{"refused before the outage", "a node that had refused before the present outage may be mended", caseConfig{Endpoints: threeEndpoints, Seed: 8}, func(r *recorder) {
		r.start()
		for range 2 {
			r.connected()
			r.goAway(r.attempt(), codec.GoAwayMessage{Code: codec.CodeVersion})
			r.tick()
		}
		r.ready2()
		for range 15 {
			r.tick()
			r.pong(r.attempt())
		}
		for range 3 {
			r.after(61 * time.Second)
			r.pong(r.attempt())
		}
		r.goAway(r.attempt(), codec.GoAwayMessage{Code: codec.CodeVersion})
		r.info()
		r.tick()
	}},
	{"the session's own fault", "a code that blames the session alone is followed within a second, here", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		for _, code := range []codec.Code{codec.CodeHeartbeatTimeout, codec.CodeKicked, 3151} {
			r.ready(codec.WelcomeMessage{})
			r.after(61 * time.Second)
			r.pong(r.attempt())
			r.goAway(r.attempt(), codec.GoAwayMessage{Code: code})
		}
	}},
	{"codes from 3500", "one address's word: the next is tried at once, and when all say so, after 1 min growing to an hour", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.start()
		for i := range 12 {
			r.connected()
			r.goAway(r.attempt(), codec.GoAwayMessage{Code: codec.CodeUnauthorized + 300*codec.Code(i%2), Delay: time.Second, Window: time.Second})
			r.info()
			r.tick()
		}
		r.ready2()
	}},
	{"codes from 3500 of some", "a node that does not answer may not have said so", caseConfig{Endpoints: threeEndpoints, Seed: 4}, func(r *recorder) {
		r.start()
		r.connected()
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeVersion})
		r.tick()
		r.disconnected(2, "peer")
		for range 4 {
			r.tick()
			r.connected()
			r.goAway(r.attempt(), codec.GoAwayMessage{Code: codec.CodeVersion})
		}
		r.info()
	}},
	{"replaced", "3504 ends the client", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.send("unsettled")
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeReplaced})
		r.info()
	}},
	{"replaced and never giving up", "but not one that never gives up", caseConfig{NeverGiveUp: true}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeReplaced})
	}},
	{"the application says never", "a code from 3900 to 3999 ends the client, after WELCOME only", caseConfig{}, func(r *recorder) {
		r.start()
		r.connected()
		r.goAway(1, codec.GoAwayMessage{Code: 3900})
		r.ready(codec.WelcomeMessage{})
		r.goAway(2, codec.GoAwayMessage{Code: 3900})
	}},
	{"token expired", "3007 ends a client that has no other token", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeTokenExpired})
	}},
	{"token expired and a fresh one", "and another returns within a second", caseConfig{FreshTokens: true}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeTokenExpired})
	}},
	{"penalties", "an endpoint that failed is avoided for 2 min and the window, and the penalty that ends first is the lesser evil", caseConfig{Endpoints: threeEndpoints, Seed: 5}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.after(time.Minute)
		r.disconnected(1, "peer")
		for range 12 {
			r.tick()
			r.after(time.Second)
			r.disconnected(r.attempt(), "peer")
		}
		r.ready(codec.WelcomeMessage{})
		r.disconnected(r.attempt(), "peer")
		r.tick()
	}},
	{"nobody answers elsewhere", "where the latest session was is worth a try between those that do not answer", caseConfig{Endpoints: threeEndpoints, Seed: 6}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.after(time.Minute)
		r.disconnected(1, "peer")
		for range 5 {
			r.tick() // dials
			r.tick() // has no connection
		}
	}},
	{"alternates", "those that servers name are added, newest first, eight at most; what is no address is skipped", caseConfig{Seed: 7}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{Alternates: []byte("10.0.1.1:7000,,nonsense,10.0.1.2:0,[::1]:7000,10.0.0.1:7000,b.example:7000,10.0.1.1:7000")})
		r.announce(1, codec.PongMessage{Terms: r.l.terms, Alternates: []byte("10.0.2.1:7000,10.0.2.2:7000,10.0.2.3:7000,10.0.2.4:7000,10.0.2.5:7000,10.0.2.6:7000")})
		r.disconnected(1, "peer")
		for range 12 {
			r.tick()
			r.disconnected(r.attempt(), "peer")
		}
	}},
	{"alternates that are ignored", "an owner may keep to its endpoints", caseConfig{IgnoreAlternates: true}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{Alternates: []byte("10.0.1.1:7000")})
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeFull, Alternates: []byte("10.0.1.2:7000")})
		r.tick()
	}},
	{"a code of no range", "means return here, as after a loss", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, codec.GoAwayMessage{Code: 77})
		r.tick()
	}},
}

// ready2 ends an attempt that is under way well.
func (r *recorder) ready2() {
	r.t.Helper()
	r.connected()
	r.welcome(codec.WelcomeMessage{})
	r.info()
}
