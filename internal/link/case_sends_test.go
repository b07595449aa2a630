package link

import (
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func limited(l codec.Limits) codec.WelcomeMessage { return codec.WelcomeMessage{Limits: l} }

var sendScripts = []script{
	{"sends", "SENDs are numbered from 1 on and settled by ACK, which may be a range", caseConfig{}, func(r *recorder) {
		r.send("too early")
		r.ready(codec.WelcomeMessage{})
		for _, body := range []string{"one", "two", "three", "four", "five"} {
			r.send(body)
		}
		r.do(step{Do: "post", Body: "wants nothing"})
		r.ack(1, 2, 2)
		r.ack(1, 1, 4)
		r.ack(1, 1, 4) // says nothing new
		r.ack(1, 0, 1<<63)
		r.info()
	}},
	{"acknowledged over a reconnect", "what is not settled goes again first, in order, with its number", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		for _, body := range []string{"one", "two", "three"} {
			r.send(body)
		}
		r.ack(1, 2, 2)
		r.disconnected(1, "peer")
		r.send("not now")
		r.ready(codec.WelcomeMessage{})
		r.send("four")
		r.ack(1, 1, 9) // nobody's
		r.ack(2, 1, 9)
		r.info()
	}},
	{"at most once", "or is given up with its connection", caseConfig{AtMostOnce: true}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.send("one")
		r.send("two")
		r.ack(1, 1, 1)
		r.disconnected(1, "peer")
		r.ready(codec.WelcomeMessage{})
		r.send("three")
	}},
	{"refused", "a NACK settles one message, for good", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.send("one")
		r.send("two")
		nack := func(number uint64, code codec.NackCode) {
			b, err := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: code, Reason: []byte("no room")})
			r.receive(1, b, err)
		}
		nack(1, codec.NackBusy)
		nack(1, codec.NackBusy)
		nack(7, codec.NackRefused)
		nack(2, codec.NackRefused)
	}},
	{"request and reply", "a reply settles what it replies to; an ACK says that there is none; to what has not asked it is an ACK", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.do(step{Do: "request", Body: "how late?"})
		r.do(step{Do: "request", Body: "how far?"})
		r.send("told")
		r.receive(1, codec.AppendReply(nil, codec.Deliver, 1, []byte("noon")), nil)
		r.receive(1, codec.AppendReply(nil, codec.Deliver, 1, []byte("noon")), nil)
		r.disconnected(1, "peer")
		r.ready(codec.WelcomeMessage{})
		r.ack(2, 2, 2)
		r.receive(2, codec.AppendReply(nil, codec.Deliver, 3, []byte("good")), nil)
		r.receive(2, codec.AppendReply(nil, codec.Deliver, 1<<63, nil), nil)
	}},
	{"given up", "a message that is given up is not sent again, and its number is burned", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.send("one")
		r.send("two")
		r.do(step{Do: "give_up", Number: 1})
		r.do(step{Do: "give_up", Number: 1})
		r.do(step{Do: "give_up", Number: 9})
		r.ack(1, 1, 1) // its server says so
		r.do(step{Do: "give_up", Number: 2})
		r.disconnected(1, "peer")
		r.ready(codec.WelcomeMessage{})
		r.send("three")
	}},
	{"delivers", "DELIVERs are handed on and answered over their own connection", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		b := codec.AppendDeliver(nil, 1, []byte("hi"))
		b = codec.AppendDeliver(b, 0, []byte("wants nothing"))
		b = codec.AppendRequest(b, codec.Deliver, 2, []byte("still there?"))
		b = codec.AppendDeliver(b, 3, []byte("in pieces"))
		r.receive(1, b[:len(b)-5], nil)
		r.receive(1, codec.AppendDeliver(nil, 3, []byte("in pieces")), nil)
		r.do(step{Do: "ack", Attempt: 1, First: 1, Last: 1, What: 2})
		r.do(step{Do: "ack", Attempt: 1})
		r.do(step{Do: "reply", Attempt: 1, Number: 2, Body: "yes"})
		r.do(step{Do: "nack", Attempt: 1, Number: 3, Code: 100, Reason: "no"})
		r.disconnected(1, "peer")
		r.do(step{Do: "ack", Attempt: 1, First: 1, Last: 1})
	}},
	{"largest message", "what the server does not take is refused at once, and given up if it was to go again", caseConfig{}, func(r *recorder) {
		r.ready(limited(codec.Limits{MaxSend: 100}))
		r.send(strings.Repeat("x", 92))
		r.send(strings.Repeat("x", 93))
		r.disconnected(1, "peer")
		r.ready(limited(codec.Limits{MaxSend: 50}))
	}},
	{"unsettled limits", "the limits of unsettled SENDs are kept, over a reconnect too; a large one goes alone", caseConfig{}, func(r *recorder) {
		l := codec.Limits{Unsettled: 3, UnsettledBytes: 20}
		r.ready(limited(l))
		for range 4 {
			r.send("one")
		}
		r.ack(1, 1, 3)
		r.send(strings.Repeat("x", 30))
		r.send("small")
		r.disconnected(1, "peer")
		r.ready(limited(codec.Limits{Unsettled: 1}))
		r.ack(2, 4, 4)
		r.send("two")
		r.send("three")
		r.disconnected(2, "peer")
		r.ready(limited(codec.Limits{Unsettled: 1}))
		r.ack(3, 5, 5)
	}},
	{"window of numbers", "no number is used before the one 256 below it, and all before that, are settled", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		for range 256 {
			r.send("x")
		}
		r.send("too many")
		r.ack(1, 2, 255)
		r.send("the first is not settled")
		r.ack(1, 1, 1)
		r.send("on")
	}},
	{"paced by frames", "a session keeps to 0.95 of the rate and leaves a second's worth of the burst alone", caseConfig{}, func(r *recorder) {
		r.ready(limited(codec.Limits{Frames: 5, FrameBurst: 10}))
		for range 8 {
			r.send("x")
			r.do(step{Do: "flow"})
			r.do(step{Do: "pace", Size: 1})
			r.after(100 * time.Millisecond)
		}
		r.after(20 * time.Second)
		r.send("x")
		r.do(step{Do: "pace", Size: 1})
	}},
	{"paced by bytes", "and likewise for bytes; what has not left counts as if it all came next", caseConfig{}, func(r *recorder) {
		r.ready(limited(codec.Limits{Bytes: 1000, ByteBurst: 8000}))
		for i := range 6 {
			r.send(strings.Repeat("x", 400))
			r.do(step{Do: "flow", Untaken: 420 * i})
			r.do(step{Do: "pace", Size: 400})
			r.after(50 * time.Millisecond)
		}
		r.do(step{Do: "flow"})
		r.do(step{Do: "pace", Size: 400})
		r.do(step{Do: "pace", Size: 7900})
	}},
	{"paced while sending again", "what goes again keeps to the limits as well, before anything new", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		for range 6 {
			r.send("x")
		}
		r.disconnected(1, "peer")
		r.ready(limited(codec.Limits{Frames: 2, FrameBurst: 5}))
		r.send("new")
		for range 5 {
			r.do(step{Do: "flow"})
			r.tick()
		}
		r.info()
	}},
	{"paced by what has not left", "what may come all at once waits for bytes to leave, and a PONG for the last PING says that all did", caseConfig{}, func(r *recorder) {
		r.ready(limited(codec.Limits{Frames: 5, FrameBurst: 10}))
		for range 5 {
			r.send("x")
		}
		r.do(step{Do: "pace", Size: 1})
		r.do(step{Do: "ask"})
		r.do(step{Do: "pace", Size: 1})
		r.after(10 * time.Millisecond)
		r.pong(1)
		r.do(step{Do: "pace", Size: 1})
	}},
	{"looser limits while sending again", "let more go at once", caseConfig{}, func(r *recorder) {
		r.ready(codec.WelcomeMessage{})
		r.send("one")
		r.send("two")
		r.disconnected(1, "peer")
		r.ready(limited(codec.Limits{Unsettled: 1}))
		r.announce(2, codec.PongMessage{Terms: r.l.terms, Limits: codec.Limits{Unsettled: 2}})
	}},
	{"limits by pong", "looser and tighter limits are obeyed at once, and tighter ones told by a PING with their number", caseConfig{}, func(r *recorder) {
		r.ready(limited(codec.Limits{Frames: 100, FrameBurst: 400, Unsettled: 1}))
		r.send("one")
		r.send("two")
		r.announce(1, codec.PongMessage{Terms: r.l.terms, Limits: codec.Limits{Frames: 100, FrameBurst: 400, Unsettled: 2}})
		r.send("two")
		t := r.l.terms
		t.Number = 2
		r.announce(1, codec.PongMessage{Terms: t, Limits: codec.Limits{Frames: 2, FrameBurst: 8, Unsettled: 2}})
		r.announce(1, codec.PongMessage{Token: r.l.heartbeat.token, Terms: t, Limits: codec.Limits{Frames: 2, FrameBurst: 8, Unsettled: 2}})
		r.do(step{Do: "pace", Size: 1})
	}},
}
