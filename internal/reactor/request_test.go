package reactor

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

func replyTo(number uint64, body string) []byte {
	return codec.AppendReply(nil, codec.Send, number, []byte(body))
}

func TestEachRequestHasOneOutcome(t *testing.T) {
	ledger := make(told)
	n := newNode(t, rigConfig{Handler: handler{Settled: func(o Outcome, w Waiter) {
		o.Reply = slices.Clone(o.Reply)
		ledger.settled(o, w)
	}}})
	slot, p := n.join()
	handle := n.r.Handle(slot)
	for number := range uint64(5) {
		if err := n.r.Request(slot, []byte("still there?"), number+1); err != nil {
			t.Fatal(err)
		}
	}
	n.r.flush(slot)
	n.await(slot, 6, 1)
	for i, f := range frames(t, p.in) {
		number, _, err := codec.ParseMessage(f.Payload)
		if wants := f.Flags == codec.FlagWantsReply; number != uint64(i+1) || wants != (i < 5) || err != nil {
			t.Errorf("DELIVER %d has the number %d and the flags %d, %v", i+1, number, f.Flags, err)
		}
	}
	n.send(slot, slices.Concat(replyTo(2, "yes"), replyTo(2, "no"), ackRange(2, 3, 9), replyTo(3, "too late"),
		nackOf(t, 4, codec.NackBusy, "asleep"), replyTo(4, "awake"), replyTo(5, ""), replyTo(6, "nobody asked")))
	n.send(slot, codec.AppendBye(nil))
	for w, o := range map[Waiter]Outcome{
		uint64(1): {Result: Lost, End: ReasonBye},
		uint64(2): {Result: Replied, Reply: []byte("yes")},
		uint64(3): {Result: Acknowledged, What: 9},
		uint64(4): {Result: Refused, Code: codec.NackBusy, Reason: []byte("asleep")},
		uint64(5): {Result: Replied},
		uint64(6): {Result: Replied, Reply: []byte("nobody asked")}, // the application knows that it has not
	} {
		o.Handle, o.Number = handle, w.(uint64)
		if got := ledger[w]; len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(o) {
			t.Errorf("DELIVER %v was settled by %+v, want %+v", w, got, o)
		}
	}
	if c, u := n.r.counters, n.r.InUse(); c.RepliesIn != 6 || c.Sends != 0 || c.Delivers != 6 || u != (InUse{}) {
		t.Errorf("%d replies, %d SENDs and %d DELIVERs are counted; in use are still %+v", c.RepliesIn, c.Sends, c.Delivers, u)
	}
}

// A reply counts as no frame, and with what an ACK has not; one to nothing counts in full.
func TestWhatAReplyCosts(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: 10, Handler: handler{Settled: func(Outcome, Waiter) {}}})
	slot, _ := n.join()
	s := n.r.sessions.at(slot)
	for number := range uint64(3) {
		if err := n.r.Request(slot, nil, number); err != nil {
			t.Fatal(err)
		}
	}
	n.r.flush(slot)
	for _, c := range []struct {
		to, size, frames, bytes int
	}{
		{1, 100, 0, 0}, {2, 255, 0, 0}, {3, 1000, 0, 745}, {1, 100, 1, 128}, {0, 0, 1, 28}, {99, 1000, 1, 1028},
	} {
		frames, bytes := s.framesUsed, s.bytesUsed
		n.send(slot, replyTo(uint64(c.to), string(make([]byte, c.size))))
		if s.framesUsed-frames != int32(c.frames) || s.bytesUsed-bytes != int32(c.bytes) {
			t.Errorf("a reply of %d bytes to %d costs %d frames and %d bytes, want %d and %d",
				c.size, c.to, s.framesUsed-frames, s.bytesUsed-bytes, c.frames, c.bytes)
		}
	}
	for range 100 {
		n.send(slot, replyTo(99, ""))
	}
	n.wantClosed(ReasonRateLimit, 1)
}

func TestWhatIsNoRequestAndNoReply(t *testing.T) {
	number := codec.AppendFrame(nil, codec.Send, codec.FlagReply, append(bytes.Repeat([]byte{0}, 7), 1, 0, 0, 0, 0, 0, 0, 0, 2))
	for name, b := range map[string][]byte{
		"half a reply":                   codec.AppendFrame(nil, codec.Send, codec.FlagReply, make([]byte, 15)),
		"a reply with a number":          number,
		"a request without a number":     codec.AppendRequest(nil, codec.Send, 0, nil),
		"half a request":                 codec.AppendFrame(nil, codec.Send, codec.FlagWantsReply, make([]byte, 7)),
		"a reply that wants one":         codec.AppendFrame(nil, codec.Send, codec.FlagReply|codec.FlagWantsReply, make([]byte, 16)),
		"a DELIVER that replies":         codec.AppendReply(nil, codec.Deliver, 1, nil),
		"a PING that wants a reply":      codec.AppendFrame(nil, codec.Ping, codec.FlagWantsReply, make([]byte, 12)),
		"an unknown type with that flag": codec.AppendFrame(nil, 99, codec.FlagIgnorable|codec.FlagReply, nil),
	} {
		seen := 0
		n := newNode(t, rigConfig{Handler: handler{Message: func(*caller, uint64, []byte) { seen++ }}})
		slot, p := n.join()
		n.send(slot, b)
		if code := goAwayCode(t, p); code != codec.CodeProtocolError || seen != 0 {
			t.Errorf("%s: %v, %d messages", name, code, seen)
		}
	}
	n := newNode(t, rigConfig{})
	slot, p := n.dial()
	n.send(slot, replyTo(1, "before HELLO"))
	if code := goAwayCode(t, p); code != codec.CodeProtocolError {
		t.Errorf("a reply before HELLO: %v", code)
	}
}

// The application learns that a SEND wants a reply, and its reply is one. Of two words about a message
// the first is written first.
func TestRepliesToClients(t *testing.T) {
	var asked []bool
	n := newNode(t, rigConfig{MaxFrame: 8 << 10, MaxQueued: 16 << 10, Handler: handler{Message: func(s *caller, number uint64, body []byte) {
		asked = append(asked, s.wantsReply)
		switch string(body) {
		case "first ack":
			_, _ = s.Ack(number), s.Reply(number, body)
		case "first reply":
			_, _ = s.Reply(number, body), s.Ack(number)
		case "large":
			if err := s.Reply(number, make([]byte, 8<<10-15)); !errors.Is(err, ErrTooBig) {
				t.Errorf("a reply that is too large: %v", err)
			}
			for range 2 {
				if err := s.Reply(number, make([]byte, 8<<10-16)); err != nil && !errors.Is(err, ErrQueue) {
					t.Errorf("the largest reply: %v", err)
				}
			}
			if err := s.Reply(number, make([]byte, 8<<10-16)); !errors.Is(err, ErrQueue) {
				t.Errorf("more than may wait: %v", err)
			}
		default:
			if err := errors.Join(s.Reply(number, body), s.Reply(0, body)); err != nil {
				t.Error(err)
			}
		}
	}}})
	slot, p := n.join()
	n.send(slot, codec.AppendRequest(codec.AppendSend(nil, 1, []byte("a")), codec.Send, 2, []byte("b")))
	all := frames(t, p.in)
	if len(all) != 2 || !slices.Equal(asked, []bool{false, true}) {
		t.Fatalf("%d frames, wanted replies %v", len(all), asked)
	}
	for i, f := range all {
		if to, body, err := codec.ParseReply(f.Payload); f.Type != codec.Deliver || f.Flags != codec.FlagReply || to != uint64(i+1) || string(body) != string("ab"[i]) || err != nil {
			t.Errorf("reply %d: %v to %d, %q, %v", i, f.Type, to, body, err)
		}
	}
	for body, want := range map[string][]codec.Type{"first ack": {codec.Ack, codec.Deliver}, "first reply": {codec.Deliver, codec.Ack}} {
		p.in = nil
		n.send(slot, codec.AppendRequest(nil, codec.Send, 3, []byte(body)))
		if got := frameTypes(t, p.in); !slices.Equal(got, want) {
			t.Errorf("%s: %v", body, got)
		}
	}
	n.send(slot, codec.AppendRequest(nil, codec.Send, 4, []byte("large")))
	if n.send(slot, codec.AppendPing(nil, 1, 0)); p.finished {
		t.Error("a callback that says too much has ended its session")
	}
	n.r.Closed(slot, ReasonPeerClosed)
	slot, _ = n.join()
	n.r.sessions.at(slot).set(gone)
	if err := n.r.Reply(slot, 1, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a reply to a session that has ended: %v", err)
	}
}

func TestPostedRequestsAndReplies(t *testing.T) {
	ledger := make(told)
	n := newNode(t, rigConfig{Handler: handler{Settled: ledger.settled}})
	slot, p := n.join()
	handle, m := n.r.Handle(slot), &n.r.mailbox
	post := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	post(m.Request(handle, []byte("x"), "lost"))
	post(m.Ack(handle, codec.AckOf(1)))
	post(m.Reply(handle, 2, []byte("y")))
	post(m.Reply(handle, 0, []byte("y")))
	post(m.Ack(handle, codec.AckOf(3)))
	n.turn(never)
	var got []string
	for _, f := range frames(t, p.in) {
		got = append(got, fmt.Sprint(f.Type, " ", f.Flags))
	}
	if want := []string{"DELIVER 2", "ACK 0", "DELIVER 4", "ACK 0"}; !slices.Equal(got, want) {
		t.Errorf("the client got %q, want %q", got, want)
	}
	n.await(slot, 2, MaxAwaited-1)
	post(m.Request(handle, nil, "window"))
	n.turn(never)
	n.r.Closed(slot, ReasonPeerClosed)
	n.join()
	post(m.Request(handle, nil, "closed"))
	post(m.Reply(handle, 2, nil))
	n.turn(never)
	post(m.Request(handle, nil, "abandoned"))
	n.r.Abandon()
	for w, want := range map[Waiter]Outcome{
		"lost":      {Handle: handle, Number: 1, Result: Lost, End: ReasonPeerClosed},
		"window":    {Handle: handle, Result: Unsent, Err: ErrWindow},
		"closed":    {Handle: handle, Result: Unsent, Err: ErrClosed},
		"abandoned": {Handle: handle, Result: Unsent, Err: ErrClosed},
	} {
		if got := ledger[w]; len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("%v: %+v, want %+v", w, got, want)
		}
	}
	if c := n.r.counters; c.Stale != 2 || c.RepliesOut != 1 {
		t.Errorf("%d stale posts, %d replies", c.Stale, c.RepliesOut)
	}
}

// An application may end the session by what it is told of a reply.
func TestAReplyThatEndsItsSession(t *testing.T) {
	var n *node
	n = newNode(t, rigConfig{Handler: handler{Settled: func(o Outcome, _ Waiter) {
		if o.Result == Replied {
			n.r.Kick(codec.CodeKicked, nil)
		}
	}}})
	slot, p := n.join()
	_ = n.r.Request(slot, nil, "x")
	n.r.flush(slot)
	p.in = nil
	n.send(slot, append(replyTo(1, "no"), codec.AppendPing(nil, 1, 0)...))
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.GoAway}) {
		t.Errorf("the client got %v", got)
	}
}

func TestASteadyFlowOfRequestsAllocatesNothing(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1, Handler: handler{Settled: func(Outcome, Waiter) {}}})
	slot, p := n.join()
	in, number := make([]byte, 0, 256), uint64(0)
	var w Waiter = func(Outcome) {}
	if allocs := testing.AllocsPerRun(1000, func() {
		p.in, in = p.in[:0], in[:0]
		for range 4 {
			_ = n.r.Request(slot, nil, w)
			number++
			in = codec.AppendReply(in, codec.Send, number, nil)
		}
		n.r.flush(slot)
		n.r.receive(n.now, slot, in)
	}); allocs > 0 {
		t.Errorf("%v allocations for four requests and their replies", allocs)
	}
	if u := n.r.InUse(); u.Awaits != 0 {
		t.Errorf("in use are still %+v", u)
	}
}

// A pause keeps what asks, and hears what replies.
func TestRequestsAndRepliesOfAPausedSession(t *testing.T) {
	var asked []string
	settled := 0
	n := newNode(t, rigConfig{Handler: handler{
		Message: func(s *caller, number uint64, _ []byte) { asked = append(asked, fmt.Sprint(number, s.wantsReply)) },
		Settled: func(o Outcome, _ Waiter) {
			if o.Result == Replied {
				settled++
			}
		},
	}})
	slot, p := n.join()
	_, _ = n.r.Request(slot, nil, "x"), n.r.PauseRead(slot)
	n.r.flush(slot)
	n.send(slot, slices.Concat(codec.AppendSend(nil, 1, nil), codec.AppendRequest(nil, codec.Send, 2, nil), replyTo(1, "yes")))
	if settled != 1 || len(asked) > 0 {
		t.Errorf("%d replies were heard, %v were handled", settled, asked)
	}
	if err := n.r.ResumeRead(slot); err != nil {
		t.Error(err)
	}
	n.turn(never)
	if !slices.Equal(asked, []string{"1 false", "2 true"}) {
		t.Errorf("%v were handled", asked)
	}
	_ = n.r.PauseRead(slot)
	if n.send(slot, codec.AppendRequest(nil, codec.Send, 0, nil)); !p.finished {
		t.Error("a request without a number is kept")
	}
}

// A repeat of a SEND that was replied to is acknowledged: the reply went with its connection. So is
// what another has settled before, and what finds no room is open.
func TestRepeatOfWhatWasRepliedTo(t *testing.T) {
	l := &ledger{verdict: func(s *caller, number uint64) {
		_, _ = s.Reply(number, []byte("a")), s.Reply(number, []byte("b"))
	}}
	one, two := twoLoops(t, l)
	slot, p := one.sender(1)
	one.send(slot, codec.AppendRequest(nil, codec.Send, 1, nil))
	wantReplies(t, p, "1 a")
	next, q := two.sender(2)
	two.send(next, codec.AppendRequest(nil, codec.Send, 1, nil))
	l.want(t, 1)
	wantWords(t, q, "ack 1-1 0")
}

// The reply that a callback of the old session gives goes over the newest one.
func TestReplyGoesToTheNewestSession(t *testing.T) {
	l := &ledger{}
	one, two := twoLoops(t, l)
	slot, p := one.sender(1)
	one.send(slot, codec.AppendRequest(codec.AppendRequest(nil, codec.Send, 1, nil), codec.Send, 2, nil))
	next, q := two.sender(2)
	two.send(next, codec.AppendRequest(nil, codec.Send, 1, nil))
	for number := range uint64(2) {
		if err := one.r.Reply(slot, number+1, fmt.Append(nil, number)); err != nil {
			t.Error(err)
		}
	}
	if err := one.r.Reply(slot, 3, nil); err != nil { // nobody has sent it
		t.Error(err)
	}
	one.r.flush(slot)
	two.turn(never)
	wantReplies(t, p)
	wantReplies(t, q, "1 0", "2 1")
	l.want(t, 1, 2)
}

func TestReplyWithoutRoomLeavesItsMessageOpen(t *testing.T) {
	l := &ledger{}
	n := newNode(t, rigConfig{MaxFrame: 8 << 10, MaxQueued: 12 << 10, Handler: l.handler()})
	slot, p := n.sender(1)
	n.send(slot, codec.AppendRequest(codec.AppendRequest(nil, codec.Send, 1, nil), codec.Send, 2, nil))
	if err := errors.Join(n.r.Reply(slot, 1, make([]byte, 7<<10))); err != nil {
		t.Error(err)
	}
	if err := n.r.Reply(slot, 2, make([]byte, 7<<10)); !errors.Is(err, ErrQueue) {
		t.Errorf("beyond what may wait: %v", err)
	}
	n.r.flush(slot)
	p.in = nil
	if err := n.r.Reply(slot, 2, []byte("short")); err != nil {
		t.Error(err)
	}
	n.r.flush(slot)
	wantReplies(t, p, "2 short")
}

// wantReplies tells what replies a peer was told since the last call.
func wantReplies(t *testing.T, p *peer, want ...string) {
	t.Helper()
	var got []string
	for _, f := range frames(t, p.in) {
		if to, body, err := codec.ParseReply(f.Payload); f.Type == codec.Deliver && f.Flags == codec.FlagReply && err == nil {
			got = append(got, fmt.Sprint(to, " ", string(body)))
		}
	}
	p.in = nil
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}
