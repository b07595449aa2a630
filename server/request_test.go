package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// asked is a client that answers requests by what their bodies say, until its connection ends.
func asked(w *wire) {
	for {
		f, err := w.Next()
		if err != nil {
			return
		}
		if f.Type != codec.Deliver || f.Flags != codec.FlagWantsReply {
			continue
		}
		var b []byte
		switch number, body, _ := codec.ParseRequest(f.Payload); string(body) {
		case "reply":
			b = codec.AppendReply(codec.AppendReply(nil, codec.Send, number, body), codec.Send, number, []byte("again"))
		case "say nothing":
			b = codec.AppendReply(nil, codec.Send, number, nil)
		case "acknowledge":
			b = codec.AppendAck(nil, codec.AckOf(number))
		case "refuse":
			b, _ = codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: codec.NackBusy, Reason: []byte("asleep")})
		case "leave":
			b = codec.AppendBye(nil)
		}
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

func TestRequestSaysWhatBecameOfIt(t *testing.T) {
	s := startNode(t, Config{Loops: 2})
	w, m := joinNode(t, s, "alice")
	to, ctx := s.Ref(m.Session), t.Context()
	done := make(chan struct{})
	go func() { asked(w); close(done) }()
	var kept [][]byte
	for range 2 {
		reply, err := s.Request(ctx, to, []byte("reply"))
		if string(reply) != "reply" || err != nil {
			t.Errorf("%q, %v", reply, err)
		}
		kept = append(kept, reply)
	}
	if reply, err := s.Request(ctx, to, []byte("say nothing")); reply == nil || len(reply) > 0 || err != nil {
		t.Errorf("an empty reply: %q, %v", reply, err)
	}
	if reply, err := s.Request(ctx, to, []byte("acknowledge")); reply != nil || !errors.Is(err, ErrNoReply) {
		t.Errorf("acknowledged: %q, %v", reply, err)
	}
	_, err := s.Request(ctx, to, []byte("refuse"))
	if r := (*RefusedError)(nil); !errors.As(err, &r) || r.Code != codec.NackBusy || r.Reason != "asleep" || !r.Again() ||
		err.Error() != `server: request is refused: busy: "asleep"` {
		t.Errorf("refused: %v", err)
	}
	if !bytes.Equal(bytes.Join(kept, nil), []byte("replyreply")) {
		t.Errorf("the replies have become %q", kept)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := s.Request(short, to, []byte("keep")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without an answer: %v", err)
	}
	if _, err := s.Request(short, to, []byte("reply")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("of a context that has ended: %v", err)
	}
	if _, err := s.Request(ctx, to, make([]byte, codec.MaxPayload)); !errors.Is(err, ErrTooBig) {
		t.Errorf("of too much: %v", err)
	}
	if _, err := s.Request(ctx, to, []byte("leave")); !errors.Is(err, ErrLost) || err.Error() != ErrLost.Error()+": bye" {
		t.Errorf("of who leaves: %v", err)
	}
	<-done
	eventually(t, "the session is known to have ended", func() bool {
		_, err := s.Request(ctx, to, nil)
		return errors.Is(err, ErrClosed)
	})
	other, m := joinNode(t, s, "bob")
	to = s.Ref(m.Session)
	for range MaxAwaited {
		if err := s.RequestFunc(to, nil, func(Outcome) {}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Request(ctx, to, nil); !errors.Is(err, ErrWindow) {
		t.Errorf("beside %d others: %v", MaxAwaited, err)
	}
	other.Close()
	if st := s.Stats(); st.RepliesIn != 5 {
		t.Errorf("%d replies are counted, want 5 (3 and 2 that were ignored)", st.RepliesIn)
	}
}

// Whoever waits for a reply is told when the node ends.
// What becomes of a message is what its caller is told who waits for it.
func TestDeliverAckedSaysWhatBecameOfIt(t *testing.T) {
	s := startNode(t, Config{})
	w, m := joinNode(t, s, "alice")
	to, ctx := s.Ref(m.Session), t.Context()
	over, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		first, _ := w.Next()
		number, _, _ := codec.ParseMessage(first.Payload)
		_, _ = w.Write(codec.AppendAck(nil, codec.AckOf(number)))
		_, _ = w.Next() // nothing is said of the second
		cancel()
		_, _ = w.Next()
		_, _ = w.Write(codec.AppendBye(nil))
	}()
	if o, err := s.DeliverAcked(ctx, to, []byte("a")); o.Result != Acknowledged || o.Session != to || err != nil {
		t.Errorf("acknowledged: %+v, %v", o, err)
	}
	if _, err := s.DeliverAcked(over, to, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("without an answer: %v", err)
	}
	if _, err := s.DeliverAcked(ctx, to, make([]byte, codec.MaxPayload)); !errors.Is(err, ErrTooBig) {
		t.Errorf("of too much: %v", err)
	}
	if o, err := s.DeliverAcked(ctx, to, nil); o.Result != Lost || o.End != ReasonBye || err != nil {
		t.Errorf("of who leaves: %+v, %v", o, err)
	}
	<-done
	eventually(t, "the session is known to have ended", func() bool {
		_, err := s.DeliverAcked(ctx, to, nil)
		return errors.Is(err, ErrClosed)
	})
}

func TestRequestEndsWithTheNode(t *testing.T) {
	s := startNode(t, Config{})
	w, m := joinNode(t, s, "alice")
	result := make(chan error, 1)
	go func() {
		_, err := s.Request(context.Background(), s.Ref(m.Session), []byte("keep"))
		result <- err
	}()
	w.want(codec.Deliver)
	go asked(w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	if err := <-result; !errors.Is(err, ErrLost) {
		t.Errorf("Request of a node that stopped: %v", err)
	}
	if _, err := s.Request(context.Background(), s.Ref(m.Session), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("and afterwards: %v", err)
	}
	w.Close()
}

// answers is a handler that does what a message says. What becomes of what it sends comes to all.
func answers(t *testing.T, s *Server, all outcomes, c *Session, m Message) {
	switch string(m.Body) {
	case "ask me":
		if m.WantsReply {
			t.Error("a message that wants no reply says that it does")
		}
		for range 2 {
			if err := c.RequestFunc([]byte("reply"), func(o Outcome) {
				o.Reply = append([]byte(nil), o.Reply...)
				all <- o
			}); err != nil {
				t.Error(err)
			}
		}
		if err := c.DeliverFunc([]byte("no question"), func(o Outcome) { all <- o }); err != nil {
			t.Error(err)
		}
	case "too much":
		if err := c.Reply(m.Number, make([]byte, 64<<10-15)); !errors.Is(err, ErrTooBig) {
			t.Errorf("a reply beyond a frame: %v", err)
		}
		if err := s.Reply(c.Sender(), m.Number, make([]byte, 64<<10-15)); !errors.Is(err, ErrTooBig) {
			t.Errorf("the same from elsewhere: %v", err)
		}
		if err := c.Reply(m.Number, make([]byte, 64<<10-16)); err != nil {
			t.Errorf("the largest: %v", err)
		}
	case "later":
		to, number := c.Sender(), m.Number
		go func() {
			if err := s.Reply(to, number, []byte("later")); err != nil {
				t.Error(err)
			}
		}()
	default:
		if err := c.Reply(m.Number, m.Body); err != nil || !m.WantsReply {
			t.Errorf("%v, wants a reply %v", err, m.WantsReply)
		}
	}
}

// In a handler: a request with a function, and replies, at once and from another goroutine. Many ask
// at the same time, and each gets its own.
func TestRequestsAndRepliesOfHandlers(t *testing.T) {
	var s *Server
	all := make(outcomes, 10)
	ready := make(chan struct{})
	s = startNode(t, Config{Loops: 2, Handler: Handler{Message: func(c *Session, m Message) {
		<-ready
		answers(t, s, all, c, m)
	}}})
	close(ready)
	w := dialNode(t, s)
	w.send(senderFrame("alice", 1))
	m, err := codec.ParseWelcome(w.want(codec.Welcome).Payload)
	if err != nil {
		t.Fatal(err)
	}
	w.send(codec.AppendSend(nil, 1, []byte("ask me")))
	for range 2 {
		f := w.want(codec.Deliver)
		number, body, err := codec.ParseRequest(f.Payload)
		if f.Flags != codec.FlagWantsReply || err != nil {
			t.Fatalf("%+v, %v", f, err)
		}
		w.send(codec.AppendReply(nil, codec.Send, number, fmt.Append(body, number)))
		if o := all.next(t); o.Session != s.Ref(m.Session) || o.Result != Replied || string(o.Reply) != fmt.Sprint("reply", number) {
			t.Errorf("%+v", o)
		}
	}
	number, _, _ := codec.ParseMessage(w.want(codec.Deliver).Payload)
	w.send(codec.AppendReply(nil, codec.Send, number, []byte("an answer to no question")))
	if o := all.next(t); o.Result != Acknowledged || o.Reply != nil {
		t.Errorf("a reply to what wants none: %+v", o)
	}
	wantReply := func(to uint64, body string) {
		t.Helper()
		f := w.want(codec.Deliver)
		if got, said, err := codec.ParseReply(f.Payload); f.Flags != codec.FlagReply || got != to || string(said) != body || err != nil {
			t.Errorf("got a reply to %d of %d bytes, %v; want one to %d", got, len(said), err, to)
		}
	}
	for i, body := range []string{"now", "later"} {
		w.send(codec.AppendRequest(nil, codec.Send, uint64(i+2), []byte(body)))
		wantReply(uint64(i+2), body)
	}
	w.send(codec.AppendRequest(nil, codec.Send, 4, []byte("too much")))
	wantReply(4, string(make([]byte, 64<<10-16)))

	go asked(w)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 20 {
				if reply, err := s.Request(t.Context(), s.Ref(m.Session), []byte("reply")); string(reply) != "reply" || err != nil {
					t.Errorf("%q, %v", reply, err)
					return
				}
			}
		})
	}
	wg.Wait()
	w.Close()
}

// A reply may be given when the connection that brought its message has gone: over the next one it
// comes as a reply, or, if that had not sent the message again yet, as an ACK.
func TestReplyToAClientThatCameBack(t *testing.T) {
	messages, ends := make(chan Message, 10), make(chan Ref, 10)
	s := startNode(t, Config{Loops: 2, Handler: Handler{
		Message: func(_ *Session, m Message) { messages <- Message{Number: m.Number, WantsReply: m.WantsReply} },
		Closed:  func(c *Session, _ Reason) { ends <- c.Ref() },
	}})
	from := Sender{"alice", 7}
	w := joinSender(t, s, "alice", 1)
	asks := codec.AppendRequest(codec.AppendRequest(nil, codec.Send, 1, nil), codec.Send, 2, nil)
	w.send(asks)
	for number := range uint64(2) {
		if m := <-messages; m.Number != number+1 || !m.WantsReply {
			t.Errorf("%+v", m)
		}
	}
	w.Close()
	<-ends
	if err := s.Reply(from, 1, []byte("to nobody")); err != nil {
		t.Error(err)
	}
	w = joinSender(t, s, "alice", 2)
	w.send(asks)
	if ack, err := codec.ParseAck(w.want(codec.Ack).Payload); err != nil || ack != codec.AckOf(1) {
		t.Errorf("%+v, %v", ack, err)
	}
	w.send(codec.AppendPing(nil, 1, 0))
	w.want(codec.Pong) // it has read the second one, too
	if err := s.Reply(from, 2, []byte("to somebody")); err != nil {
		t.Error(err)
	}
	f := w.want(codec.Deliver)
	if to, body, err := codec.ParseReply(f.Payload); f.Flags != codec.FlagReply || to != 2 || string(body) != "to somebody" || err != nil {
		t.Errorf("%+v: %d, %q, %v", f, to, body, err)
	}
	if err := s.Reply(Sender{"bob", 7}, 1, nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("a reply to who has sent nothing: %v", err)
	}
	if len(messages) > 0 {
		t.Errorf("handled again: %+v", <-messages)
	}
}
