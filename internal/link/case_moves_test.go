package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

var handItOver = codec.GoAwayMessage{Code: codec.CodeDraining}

var moveScripts = []script{
	{"handover", "a session whose server drains goes on until the next one has its WELCOME; the old is read to its end", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.send("one")
		r.goAway(1, handItOver)
		r.goAway(1, handItOver) // told twice
		r.info()
		r.tick()
		r.send("two")
		r.after(50 * time.Millisecond)
		r.do(step{Do: "connected", Attempt: 2, Token: "secret"})
		r.after(50 * time.Millisecond)
		r.ack(1, 1, 1)
		r.welcome(codec.WelcomeMessage{Node: []byte("n2")})
		r.send("three")
		r.receive(1, codec.AppendDeliver(nil, 1, []byte("late")), nil)
		r.do(step{Do: "ack", Attempt: 1, First: 1, Last: 1})
		r.ack(1, 2, 2) // ghost
		r.after(30 * time.Millisecond)
		r.pong(1)
		r.tick()
		r.do(step{Do: "ack", Attempt: 1, First: 2, Last: 2})
		r.tick()
		r.ack(2, 2, 3)
		r.info()
	}},
	{"handover with an order", "delay and window of the GOAWAY are obeyed, and its ticket goes along", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeDraining, Delay: 2 * time.Second, Window: 3 * time.Second, Ticket: []byte{7}})
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
	}},
	{"handover alone", "who knows no other endpoint waits first, 1 to 3 s, and doubles that", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		for range 4 {
			r.tick()
			r.disconnected(r.attempt(), "peer")
		}
	}},
	{"handover refused", "an attempt that is refused is followed by another while the session goes on, and says nothing of what comes after a loss", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.goAway(2, codec.GoAwayMessage{Code: codec.CodeReplaced})
		r.tick()
		r.connected()
		r.goAway(3, codec.GoAwayMessage{Code: codec.CodeBusy, Delay: time.Second, Ticket: []byte{1}})
		r.tick()
		r.connected()
		r.goAway(4, codec.GoAwayMessage{Code: codec.CodeFull})
		r.disconnected(1, "peer")
	}},
	{"handover and a loss", "an attempt that is under way when the session ends goes on, and if it fails the window is drawn", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.send("one")
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.disconnected(1, "peer")
		r.info()
		r.goAway(2, codec.GoAwayMessage{Code: codec.CodeFull, Delay: time.Second})
		r.tick()
		r.disconnected(3, "peer")
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
	}},
	{"handover and two losses", "and the window is drawn when the attempt that was to replace it fails, too", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		r.tick()
		r.disconnected(1, "peer")
		r.disconnected(2, "peer")
	}},
	{"handover at once again", "another begins when the connection that was left has had its time, though its server has read all", caseConfig{Endpoints: threeEndpoints, Seed: 2}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
		r.receive(1, codec.AppendPong(nil, codec.PongMessage{Token: r.l.leave.token, Terms: r.l.terms}), nil)
		r.goAway(2, handItOver)
		r.tick()
		r.disconnected(1, "peer")
		r.tick()
	}},
	{"handover of a late owner", "one that slept reads what came meanwhile before BYE", caseConfig{Endpoints: threeEndpoints, Seed: 2}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
		r.receive(1, codec.AppendPong(nil, codec.PongMessage{Token: r.l.leave.token, Terms: r.l.terms}), nil)
		r.after(5 * time.Second)
		r.tick()
		r.tick()
	}},
	{"handover and the limits of SENDs", "what was sent over the old connection counts against the new one until that has answered, too", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		one := codec.WelcomeMessage{Limits: codec.Limits{Unsettled: 1}}
		r.ready(one)
		r.send("one")
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.welcome(one)
		r.ack(1, 1, 1)
		r.send("two")
		r.ack(2, 1, 1)
		r.send("two")
	}},
	{"handover and a replaced", "a 3504 after the HELLO on the new connection is the client's own doing", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.goAway(1, codec.GoAwayMessage{Code: codec.CodeReplaced})
		r.welcome(codec.WelcomeMessage{})
	}},
	{"handover and no pong", "the old connection is left when it does not answer in a pong timeout", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
		for range 14 {
			r.tick()
		}
	}},
	{"handover after handover", "the old connection is let go when the next handover begins", caseConfig{Endpoints: threeEndpoints, Seed: 2}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.goAway(1, handItOver)
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
		r.goAway(2, handItOver)
		r.receive(1, codec.AppendPong(nil, codec.PongMessage{Token: r.l.leave.token, Terms: r.l.terms}), nil)
		r.tick()
		r.tick()
		r.tick()
		r.connected()
		r.welcome(codec.WelcomeMessage{})
		r.goAway(2, codec.GoAwayMessage{Code: codec.CodeShutdown})
		r.do(step{Do: "stop"})
	}},
	{"draining before welcome", "is a refusal like any other", caseConfig{Endpoints: threeEndpoints}, func(r *recorder) {
		r.start()
		r.connected()
		r.goAway(1, handItOver)
		r.tick()
	}},
}
