package link

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func (r *rig) request(body string) (number uint64) {
	r.t.Helper()
	number, err := r.l.Request(r.now, []byte(body), &r.out)
	if err != nil {
		r.t.Fatal(err)
	}
	r.settle()
	return number
}

func (r *rig) reply(to uint64, body string) {
	r.t.Helper()
	r.receive(codec.AppendReply(nil, codec.Deliver, to, []byte(body)))
}

// replies lists what came to requests, in the order of the events.
func (r *rig) replies() (all []string) {
	for _, e := range r.events {
		if e.Kind == Replied {
			all = append(all, fmt.Sprintf("%d: %s", e.ID, e.Body))
		}
	}
	return all
}

func TestReplySettlesItsRequestOnce(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.reply(1, "to nothing")
	for range 4 {
		r.request("how late?")
	}
	r.send("no question")
	r.reply(2, "noon")
	r.reply(2, "noon, I say")
	r.ack(2, 2) // too late
	r.ack(1, 1)
	r.reply(1, "too late")
	r.nack(3, codec.NackBusy, "")
	r.reply(5, "nobody asked")
	r.reply(0, "to nothing")
	r.reply(99, "never sent")
	r.want("replies", r.replies(), []string{"2: noon"})
	r.want("outcomes", r.outcomes(), []string{"acked 1-1 as 0", "nacked 3: message is refused: busy", "acked 5-5 as 0"})
	r.want("unsettled", r.l.Unsettled(), 1)
	r.wantState(StateReady)
}

func TestRequestGoesAgainAsOne(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.send("first")
	r.request("how late?")
	r.disconnected(errReset, false)
	r.ready(testTerms)
	var flags []codec.Flags
	for _, f := range r.frames {
		if f.Type == codec.Send {
			flags = append(flags, f.Flags)
		}
	}
	r.want("flags", flags, []codec.Flags{0, codec.FlagWantsReply, 0, codec.FlagWantsReply})
	r.send("its buffer may be used again") // it wants none
	r.ack(1, 1)
	r.reply(2, "noon")
	r.send("and this is that buffer")
	if last := r.frames[len(r.frames)-1]; last.Flags != 0 {
		t.Errorf("a message has the flags %d of the one before", last.Flags)
	}
	r.want("replies", r.replies(), []string{"2: noon"})
}

// What was given up and is replied to is told to nobody, and makes room.
func TestReplyToWhatWasGivenUpMakesRoom(t *testing.T) {
	r := newRig(t, Config{})
	r.readyWith(codec.Limits{Unsettled: 1})
	number := r.request("how late?")
	r.l.GiveUp(r.now, number, &r.out)
	if _, err := r.l.Request(r.now, nil, &r.out); !errors.Is(err, ErrFull) {
		t.Errorf("Request beside it = %v", err)
	}
	r.settle()
	r.reply(number, "noon")
	r.request("and now?")
	r.want("replies", r.replies(), []string(nil))
}

func TestRequestOfTheServer(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.receive(codec.AppendRequest(codec.AppendDeliver(nil, 0, []byte("news")), codec.Deliver, 1, []byte("still there?")))
	e, _ := r.last(Delivered)
	if !e.WantsReply || e.ID != 1 || string(e.Body) != "still there?" || r.events[len(r.events)-2].WantsReply {
		t.Errorf("delivered %+v", e)
	}
	before := len(r.frames)
	if !r.l.Reply(r.now, 1, 1, []byte("yes"), &r.out) || !r.l.Reply(r.now, 1, 0, []byte("to nothing"), &r.out) {
		t.Error("the session is there")
	}
	r.settle()
	if sent := r.frames[before:]; len(sent) != 1 || sent[0].Type != codec.Send || sent[0].Flags != codec.FlagReply {
		t.Fatalf("sent %+v", sent)
	} else if to, body, err := codec.ParseReply(sent[0].Payload); to != 1 || string(body) != "yes" || err != nil {
		t.Errorf("reply to %d: %q, %v", to, body, err)
	}
	r.want("unsettled", r.l.Unsettled(), 0)
	r.disconnected(errReset, false)
	r.ready(testTerms)
	if r.l.Reply(r.now, 1, 1, nil, &r.out) || len(r.out.Actions) > 0 {
		t.Error("a reply over a connection that has ended")
	}
	for i, b := range [][]byte{codec.AppendRequest(nil, codec.Deliver, 0, nil), codec.AppendFrame(nil, codec.Deliver, codec.FlagReply, make([]byte, 15))} {
		r := newRig(t, Config{})
		r.ready(testTerms)
		r.receive(b)
		if e, _ := r.last(Lost); e.Reason != Malformed {
			t.Errorf("%d: %+v, want malformed", i, e)
		}
	}
}

func TestReplyThatIsTooLarge(t *testing.T) {
	r := newRig(t, Config{})
	r.readyWith(codec.Limits{MaxSend: 1000})
	if r.l.FitsReply(984) != nil || !errors.Is(r.l.FitsReply(985), ErrTooLarge) || r.l.Fits(992) != nil {
		t.Error("984 bytes fit in a reply of 1000")
	}
}

// Whoever is asked much is not cut off for what he answers: a reply costs what is beyond an ACK,
// and short ones nothing.
func TestRepliesNeverExceedTheLimits(t *testing.T) {
	for _, size := range []int{0, 200, 300, 10 << 10, 60_000} {
		limits := codec.Limits{Frames: 1, FrameBurst: 8, Bytes: 20 << 10, ByteBurst: 80 << 10}
		r := newRig(t, Config{})
		r.start()
		r.connected()
		server := &bouncer{limits: limits, second: bouncerSecond(r.now)}
		server.takes(r.now, 200) // HELLO
		server.limits.Frames = 0 // replies are none
		r.welcome(codec.WelcomeMessage{Terms: testTerms, Limits: limits})
		began, sent, seen, way := r.now, 0, 0, []int(nil)
		for r.now-began < 20*time.Second && sent < 5000 {
			wait := r.l.ReplyPace(r.now, 1, size)
			if wait > 0 { // what is on its way comes all at once
				for _, n := range way {
					if !server.takes(r.now, n) {
						t.Fatalf("%d bytes: cut off after %v and %d replies", size, r.now-began, sent)
					}
				}
				way = nil
				r.l.Flow(r.now, 1, Flow{})
				wait = r.l.ReplyPace(r.now, 1, size)
			}
			if wait > 0 {
				r.now += wait
				continue
			}
			r.l.Reply(r.now, 1, 7, make([]byte, size), &r.out)
			sent++
			r.settle()
			for ; seen < len(r.frames); seen++ {
				if n := len(r.frames[seen].Payload) + codec.Overhead; n > codec.MaxAnswer {
					way = append(way, n-codec.MaxAnswer)
				}
			}
		}
		if size < 250 && r.l.pace != nil {
			t.Error("who is asked little counts what he never has to")
		}
		if least := map[int]int{0: 5000, 200: 5000, 300: 5000, 10 << 10: 20, 60_000: 3}[size]; sent < least {
			t.Errorf("%d replies of %d bytes, want %d at least", sent, size, least)
		}
	}
}

// The pace of SENDs counts what replies have cost.
func TestRepliesCountForSends(t *testing.T) {
	r := newRig(t, Config{})
	r.readyWith(codec.Limits{Bytes: 10 << 10, ByteBurst: 80 << 10})
	if wait := r.l.ReplyPace(r.now, 1, 60_000); wait != 0 {
		t.Fatalf("the first reply waits %v", wait)
	}
	r.l.Reply(r.now, 1, 1, make([]byte, 60_000), &r.out)
	r.settle()
	if wait := r.l.Pace(r.now, 10<<10); wait == 0 {
		t.Error("a SEND behind a large reply does not wait")
	}
	r.l.Flow(r.now, 1, Flow{})
	r.send("read before the next reply is")
	r.l.Reply(r.now, 1, 2, make([]byte, 1000), &r.out)
	r.settle()
	if r.ack(1, 1); r.l.pace.later.bytes == 0 && r.l.pace.sent.bytes == 0 {
		t.Error("an ACK says that a reply was read which left behind its message")
	}
}

func TestNeverGiveUpComesBackFromEveryCode(t *testing.T) {
	for _, code := range []codec.Code{codec.CodeReplaced, codec.CodeTokenExpired, 3900, 3999, codec.CodeUnauthorized} {
		for _, ready := range []bool{false, true} {
			r := newRig(t, Config{NeverGiveUp: true})
			r.start()
			r.connected()
			if ready {
				r.welcome(codec.WelcomeMessage{Terms: testTerms})
			}
			r.goAway(codec.GoAwayMessage{Code: code})
			r.wantState(StateBackingOff)
			// Two of one id that replace each other take their time.
			dials, began := len(r.dials), r.now
			for range 12 {
				r.tick()
				r.connected()
				r.welcome(codec.WelcomeMessage{Terms: testTerms})
				r.goAway(codec.GoAwayMessage{Code: code})
				r.wantState(StateBackingOff)
			}
			r.tick()
			if got := r.now - began; len(r.dials)-dials != 13 || got < 20*time.Second {
				t.Errorf("%d: %d dials within %v", code, len(r.dials)-dials, got)
			}
			r.connected()
			r.welcome(codec.WelcomeMessage{Terms: testTerms})
			r.wantState(StateReady)
		}
	}
}
