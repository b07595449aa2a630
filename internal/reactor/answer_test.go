package reactor

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// acksIn are the ACKs that a peer was sent.
func acksIn(t *testing.T, p *peer) (all []codec.AckMessage) {
	t.Helper()
	for _, f := range frames(t, p.in) {
		if f.Type == codec.Ack {
			m, err := codec.ParseAck(f.Payload)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	return all
}

func ack(first, last uint64, what uint8) codec.AckMessage {
	return codec.AckMessage{Range: codec.Range{First: first, Last: last}, What: what}
}

// A hundred SENDs of one read, acknowledged in their order, are answered by one frame, behind the
// answers that it promises and before the PONG.
func TestAcksOfOneReadLeaveAsOne(t *testing.T) {
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, number uint64, body []byte) {
		_ = s.Deliver(body)
		_ = s.Ack(number)
	}}})
	slot, p := n.join()
	var read []byte
	for number := range uint64(100) {
		read = codec.AppendSend(read, number+1, []byte("x"))
	}
	n.send(slot, codec.AppendPing(read, 1, 0))
	types := frameTypes(t, p.in)
	if got := acksIn(t, p); !slices.Equal(got, []codec.AckMessage{ack(1, 100, 0)}) || n.r.counters.AcksOut != 1 {
		t.Errorf("acknowledged by %v, %d counted", got, n.r.counters.AcksOut)
	}
	if len(types) != 102 || types[99] != codec.Deliver || types[100] != codec.Ack || types[101] != codec.Pong || p.writes != 1 {
		t.Errorf("%d frames in %d writes, the last %v", len(types), p.writes, types[len(types)-2:])
	}
}

func TestOnlyAcksThatFollowEachOtherJoin(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	for _, m := range []codec.AckMessage{
		ack(1, 1, 0), ack(2, 5, 0), ack(6, 6, 0), // one
		ack(7, 7, 1), ack(8, 8, 1), // another word
		ack(10, 10, 1), ack(9, 9, 1), // not in order
		ack(0, 0, 1),              // nobody's
		ack(0, 3, 1),              // from 1 on
		ack(4, math.MaxUint64, 1), // all there are
		ack(1, 1, 1),
	} {
		if err := n.r.Ack(slot, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.r.Ack(slot, ack(2, 1, 0)); !errors.Is(err, ErrRange) {
		t.Errorf("a range that goes backwards: %v", err)
	}
	n.r.flush(slot)
	want := []codec.AckMessage{ack(1, 6, 0), ack(7, 8, 1), ack(10, 10, 1), ack(9, 9, 1), ack(1, math.MaxUint64, 1), ack(1, 1, 1)}
	if got := acksIn(t, p); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What a callback has acknowledged is nobody else's when it ends, however it ends.
func TestAnAckStaysWithItsSession(t *testing.T) {
	n := newNode(t, rigConfig{MaxQueued: 70 << 10, Handler: handler{Message: func(s *caller, number uint64, body []byte) {
		_ = s.Ack(number)
		if string(body) == "kick" {
			s.Close(0)
		}
		if string(body) == "too much" {
			for range 9 {
				_ = s.Deliver(make([]byte, 60<<10))
			}
		}
	}}})
	for _, body := range []string{"kick", "too much"} {
		slot, p := n.join()
		other, q := n.join()
		n.send(slot, codec.AppendSend(nil, 7, []byte(body)))
		n.send(other, codec.AppendPing(nil, 1, 0))
		if got := frameTypes(t, q.in); !slices.Equal(got, []codec.Type{codec.Pong}) {
			t.Errorf("%s: another client got %v", body, got)
		}
		if got := frameTypes(t, p.in); body == "kick" && !slices.Equal(got, []codec.Type{codec.Ack, codec.GoAway}) {
			t.Errorf("%s: it got %v", body, got)
		}
	}
}

// A message is refused behind what was said of those before it; number 0 is nobody's.
func TestNackRefusesOne(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	_ = n.r.Ack(slot, ack(1, 1, 0))
	for _, number := range []uint64{2, 0} {
		if err := n.r.Nack(slot, &codec.NackMessage{Number: number, Code: codec.NackBusy, Reason: []byte("full")}); err != nil {
			t.Fatal(err)
		}
	}
	_ = n.r.Ack(slot, ack(3, 3, 0))
	if err := n.r.Nack(slot, &codec.NackMessage{Number: 4, Code: codec.NackBusy, Reason: make([]byte, 300)}); !errors.Is(err, codec.ErrField) {
		t.Errorf("a reason of 300 bytes: %v", err)
	}
	n.r.flush(slot)
	all := frames(t, p.in)
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Ack, codec.Nack, codec.Ack}) {
		t.Fatalf("%v", got)
	}
	m, err := codec.ParseNack(all[1].Payload)
	if err != nil || m.Number != 2 || m.Code != codec.NackBusy || string(m.Reason) != "full" || n.r.counters.NacksOut != 1 {
		t.Errorf("%+v, %v, %d counted", m, err, n.r.counters.NacksOut)
	}
}

// What other goroutines say of a session's messages comes in order, joined, and only to it.
func TestPostedAnswers(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	m, h := &n.r.mailbox, n.r.Handle(slot)
	post := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for number := range uint64(100) {
		post(m.Ack(h, codec.AckOf(number)))
	}
	post(m.Nack(h, &codec.NackMessage{Number: 100, Code: codec.NackRefused}))
	post(m.Nack(h, &codec.NackMessage{Code: codec.NackRefused}))
	post(m.Ack(h, codec.AckOf(101)))
	post(m.Ack(h^1, codec.AckOf(102))) // another generation of the slot
	if err := m.Nack(h, &codec.NackMessage{Number: 1, Reason: []byte("\n")}); !errors.Is(err, codec.ErrField) {
		t.Errorf("a reason with a line feed: %v", err)
	}
	if err := m.Ack(h, ack(2, 1, 0)); !errors.Is(err, ErrRange) {
		t.Errorf("a range that goes backwards: %v", err)
	}
	n.turn(never)
	if got, want := acksIn(t, p), []codec.AckMessage{ack(1, 99, 0), ack(101, 101, 0)}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Ack, codec.Nack, codec.Ack}) || n.r.counters.Stale != 1 {
		t.Errorf("%v, %d stale", got, n.r.counters.Stale)
	}
}

// The number 0 reaches the application and wants nothing; a handler that acknowledges all says
// nothing of it.
func TestAMessageThatWantsNoAnswerGetsNone(t *testing.T) {
	var numbers []uint64
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, number uint64, _ []byte) {
		numbers = append(numbers, number)
		if err := s.Ack(number); err != nil {
			t.Error(err)
		}
	}}})
	slot, p := n.join()
	n.send(slot, codec.AppendSend(codec.AppendSend(nil, 0, nil), 5, nil))
	if got := acksIn(t, p); !slices.Equal(got, []codec.AckMessage{ack(5, 5, 0)}) || !slices.Equal(numbers, []uint64{0, 5}) {
		t.Errorf("the application saw %v, the client %v", numbers, got)
	}
}
