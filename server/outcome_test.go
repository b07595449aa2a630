package server

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

func ackRange(first, last uint64, what uint8) []byte {
	return codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: first, Last: last}, What: what})
}

func nackFrame(t testing.TB, number uint64, code codec.NackCode, reason string) []byte {
	t.Helper()
	b, err := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: code, Reason: []byte(reason)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// outcomes is where the outcomes of a test come to.
type outcomes chan Outcome

func (c outcomes) next(t *testing.T) Outcome {
	t.Helper()
	select {
	case o := <-c:
		return o
	case <-time.After(patience):
		t.Fatal("no outcome")
		return Outcome{}
	}
}

// By the handler and by others, over sockets: acknowledged, refused, lost, and not sent.
func TestEveryMessageThatIsAwaitedHasItsOutcome(t *testing.T) {
	all := make(outcomes, 16)
	settled := func(o Outcome) { all <- o }
	var srv *Server
	ready := make(chan struct{})
	srv = startNode(t, Config{Loops: 2, Handler: Handler{Message: func(s *Session, m Message) {
		<-ready
		if string(m.Body) == "close me first" {
			if err := errors.Join(srv.Close(s.Ref(), Close{}), srv.DeliverFunc(s.Ref(), nil, settled)); err != nil {
				t.Error(err)
			}
			return
		}
		if err := s.DeliverFunc(m.Body, settled); err != nil {
			t.Error(err)
		}
		if err := s.AckRange(m.Number, m.Number, 7); err != nil {
			t.Error(err)
		}
	}}})
	close(ready)
	s := srv
	w, m := joinNode(t, s, "alice")
	id := s.Ref(m.Session)
	w.send(codec.AppendSend(nil, 3, []byte("by the handler")))
	if number, _, err := codec.ParseMessage(w.want(codec.Deliver).Payload); number != 1 || err != nil {
		t.Fatalf("DELIVER %d, %v", number, err)
	}
	if ack, err := codec.ParseAck(w.want(codec.Ack).Payload); err != nil || ack != (codec.AckMessage{Range: codec.Range{First: 3, Last: 3}, What: 7}) {
		t.Fatalf("%+v, %v", ack, err)
	}
	for range 2 {
		if err := s.DeliverFunc(id, []byte("by another"), settled); err != nil {
			t.Fatal(err)
		}
		w.want(codec.Deliver)
	}
	w.send(ackRange(1, 1, 9))
	w.send(nackFrame(t, 2, 1234, "not today"))
	want := []Outcome{
		{Session: id, Number: 1, Result: Acknowledged, What: 9},
		{Session: id, Number: 2, Result: Refused, Code: 1234, Reason: "not today"},
		{Session: id, Number: 3, Result: Lost, End: ReasonKicked},
		{Session: id, Result: Unsent, Err: ErrClosed},
	}
	for _, o := range want[:2] {
		if got := all.next(t); !reflect.DeepEqual(got, o) {
			t.Errorf("%+v, want %+v", got, o)
		}
	}
	w.send(codec.AppendSend(nil, 4, []byte("close me first")))
	if got := all.next(t); !reflect.DeepEqual(got, want[2]) {
		t.Errorf("%+v, want %+v", got, want[2])
	}
	if got := all.next(t); !reflect.DeepEqual(got, want[3]) {
		t.Errorf("%+v, want %+v", got, want[3])
	}
	if err := s.DeliverFunc(id, make([]byte, 64<<10), settled); !errors.Is(err, ErrTooBig) {
		t.Errorf("a body beyond a frame: %v, want ErrTooBig", err)
	}
	if len(all) > 0 {
		t.Errorf("one outcome too many: %+v", <-all)
	}
	eventually(t, "a NACK and an ACK of clients are counted", func() bool { // as of a turn's end
		st := s.Stats()
		return st.NacksIn == 1 && st.AcksIn == 1
	})
}

// A session may be used where its client's answer is told; elsewhere it answers with an error, and
// no other client gets what was meant for it.
func TestASessionIsOfUseWhereItsOutcomesAreTold(t *testing.T) {
	var kept *Session
	var last Outcome
	var errs []error
	var settled func(Outcome)
	settled = func(o Outcome) {
		last = o
		if kept.ID() == "" != (o.Result == Unsent) {
			t.Errorf("%v: ClientID is %q", o.Result, kept.ID())
		}
		errs = []error{kept.Ack(1), kept.AckRange(2, 3, 1), kept.Nack(4, codec.NackRefused, ""), kept.Deliver(nil), kept.DeliverFunc(nil, settled)}
	}
	n := newPaper(t, Config{Handler: Handler{Message: func(s *Session, _ Message) {
		if kept == nil {
			kept = s
			_ = s.DeliverFunc([]byte("first"), settled)
		}
	}}})
	slot, p := n.join("alice")
	n.send(slot, codec.AppendSend(nil, 1, nil))
	wantErrs := func(want error) {
		t.Helper()
		for _, err := range errs {
			if !errors.Is(err, want) {
				t.Errorf("%+v: %v, want %v", last, err, want)
			}
		}
		errs = nil
	}
	p.in = nil
	n.send(slot, ackRange(0, math.MaxUint64, 0))
	if wantErrs(nil); last.Result != Acknowledged || fmt.Sprint(p.types(t)) != fmt.Sprint([]codec.Type{codec.Ack, codec.Ack, codec.Nack, codec.Deliver, codec.Deliver}) {
		t.Errorf("%+v; the client got %v", last, p.types(t))
	}
	n.r.Closed(slot, reactor.ReasonPeerReset)
	if wantErrs(ErrClosed); last.Result != Lost || last.End != ReasonPeerReset || last.Number != 2 {
		t.Errorf("%+v, want lost", last)
	}
	_, q := n.join("bob")
	if err := n.r.Mailbox().DeliverAwaited(kept.Ref().handle, []byte("x"), settled); err != nil {
		t.Fatal(err)
	}
	n.r.Turn(n.now, 0, func(reactor.Part) bool { return false })
	if wantErrs(ErrClosed); last.Result != Unsent || len(q.in) > 0 {
		t.Errorf("%+v; another client got %v", last, q.types(t))
	}
}

// A panic where an outcome is told costs the session that it is about, if that is still there.
func TestAPanicWhereAnOutcomeIsTold(t *testing.T) {
	for _, handler := range []Handler{{}, {Message: func(*Session, Message) {}}} {
		var log lines
		n := newPaper(t, Config{Handler: handler, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		_, other := n.join("alice")
		post := func(slot reactor.Slot, handle uint64) {
			t.Helper()
			if err := n.r.Mailbox().DeliverAwaited(handle, []byte("x"), func(Outcome) { panic("boom") }); err != nil {
				t.Fatal(err)
			}
			n.r.Turn(n.now, 0, func(reactor.Part) bool { return false })
		}
		slot, p := n.join("bob")
		handle := n.r.Handle(slot)
		post(slot, handle)
		n.send(slot, ackRange(1, 1, 0))
		if n.wantClosed(ReasonInternal, 1); p.goAway(t).Code != codec.CodeInternal {
			t.Error("its session goes on")
		}
		n.r.Closed(slot, reactor.ReasonPeerClosed)
		post(slot, handle) // not sent
		lost, _ := n.join("carol")
		post(lost, n.r.Handle(lost))
		n.r.Closed(lost, reactor.ReasonPeerClosed)
		next, q := n.join("dave")
		n.send(next, codec.AppendPing(nil, 1, 0))
		if got := q.types(t); len(got) != 1 || got[0] != codec.Pong || other.ended || n.r.Counters().Panics != 3 {
			t.Errorf("the next session got %v; another ended %v; %d panics", got, other.ended, n.r.Counters().Panics)
		}
		if !strings.Contains(log.String(), "boom") {
			t.Errorf("the log does not say what:\n%s", log.String())
		}
	}
}

// A message that no handler can bear ends one session, not all that come after it: it is refused,
// and its client need not send it again.
func TestAMessageThatAHandlerPanicsOnIsRefused(t *testing.T) {
	n := newPaper(t, Config{Handler: Handler{Message: func(s *Session, m Message) {
		if m.Number > 1 || m.Number == 0 {
			panic("boom")
		}
		_ = s.Ack(m.Number)
	}}})
	for number, want := range map[uint64][]codec.Type{2: {codec.Ack, codec.Nack, codec.GoAway}, 0: {codec.Ack, codec.GoAway}} {
		slot, p := n.join("alice")
		n.send(slot, codec.AppendSend(codec.AppendSend(nil, 1, nil), number, nil))
		if got := p.types(t); fmt.Sprint(got) != fmt.Sprint(want) || p.goAway(t).Code != codec.CodeInternal {
			t.Fatalf("SEND %d: the client got %v, want %v", number, got, want)
		}
		if number > 0 {
			_, size, _ := codec.Decode(p.in, codec.MaxPayload)
			f, _, _ := codec.Decode(p.in[size:], codec.MaxPayload)
			if m, err := codec.ParseNack(f.Payload); err != nil || m.Number != number || m.Code != codec.NackInternal {
				t.Errorf("%+v, %v", m, err)
			}
		}
	}
}

// What no application may say is an error, at the session and at the server.
func TestAnswersThatMakeNoSenseAreErrors(t *testing.T) {
	s := startNode(t, Config{Loops: 1, Handler: Handler{Message: func(s *Session, _ Message) {
		for what, err := range map[string]error{
			"0": s.Ack(0), "refuse 0": s.Nack(0, codec.NackBusy, ""), "from 0": s.AckRange(0, 5, 0),
		} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := s.AckRange(2, 1, 0); !errors.Is(err, ErrRange) {
			t.Errorf("backwards: %v, want ErrRange", err)
		}
		if err := s.Nack(1, codec.NackBusy, "a\nb"); !errors.Is(err, codec.ErrField) {
			t.Errorf("a reason of two lines: %v, want ErrField", err)
		}
		if err := s.Nack(1, 3, ""); !errors.Is(err, ErrCode) {
			t.Errorf("a code of the protocol: %v, want ErrCode", err)
		}
	}}})
	w, m := joinNode(t, s, "alice")
	id := s.Ref(m.Session)
	w.send(codec.AppendSend(nil, 1, nil))
	if ack, err := codec.ParseAck(w.want(codec.Ack).Payload); err != nil || ack.First != 1 || ack.Last != 5 {
		t.Errorf("%+v, %v", ack, err)
	}
	for _, code := range []codec.NackCode{0, 3, 49, 101, 999} {
		if err := s.Nack(Sender{"alice", 7}, 1, code, ""); !errors.Is(err, ErrCode) {
			t.Errorf("code %d: %v, want ErrCode", code, err)
		}
	}
	if err := s.DeliverFunc(id, nil, nil); err != nil {
		t.Error(err)
	}
	if number, _, err := codec.ParseMessage(w.want(codec.Deliver).Payload); number != 0 || err != nil {
		t.Errorf("whose outcome nobody awaits: number %d, %v", number, err)
	}
}
