package link

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestWhatIsUnsettledGoesAgainFirstInOrder(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for i := range 6 {
		r.send(fmt.Sprint("message ", i+1))
	}
	r.post("lost with its connection")
	r.ack(1, 1)
	r.ack(3, 3)
	r.nack(5, 100, "")
	r.disconnected(errReset, false)
	if _, err := r.l.Send(r.now, nil, &r.out); !errors.Is(err, ErrNotReady) {
		t.Errorf("Send without a session = %v", err)
	}
	r.ready(testTerms)
	r.send("message 7")
	r.want("sent again", r.sentBy(2), []uint64{2, 4, 6, 7})
	for i, f := range r.frames {
		if n, body, _ := codec.ParseMessage(f.Payload); f.Type == codec.Send && n != 0 && string(body) != fmt.Sprint("message ", n) {
			t.Errorf("frame %d has number %d and body %q", i, n, body)
		}
	}
	r.disconnected(errReset, false)
	r.ready(testTerms)
	r.want("sent again", r.sentBy(3), []uint64{2, 4, 6, 7})
	r.ack(1, 9)
	r.want("outcomes", r.outcomes()[3:], []string{"acked 2-2 as 0", "acked 4-4 as 0", "acked 6-7 as 0"})
}

func TestHandoverSendsAgainAndEitherConnectionSettles(t *testing.T) {
	r := draining(t, Config{})
	for range 4 {
		r.send("x")
	}
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.want("sent over the new one", r.sentBy(2), []uint64{1, 2, 3, 4})
	r.from(1, codec.AppendAck(nil, codec.AckOf(2)))
	r.from(2, codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: 1, Last: 3}}))
	r.from(1, frame(codec.AppendNack(nil, &codec.NackMessage{Number: 4, Code: 2})))
	r.from(2, codec.AppendAck(nil, codec.AckOf(4)))
	r.want("outcomes", r.outcomes(), []string{"acked 2-2 as 0", "acked 1-1 as 0", "acked 3-3 as 0", "nacked 4: message is refused: internal"})
}

func TestAtMostOnceGivesUpWhatItsConnectionTookAlong(t *testing.T) {
	r := newRig(t, Config{AtMostOnce: true})
	r.ready(testTerms)
	for range 3 {
		r.send("x")
	}
	r.ack(2, 2)
	r.disconnected(errReset, false)
	lost := []string{"given up 1: the connection was lost", "given up 3: the connection was lost"}
	r.want("outcomes", r.outcomes()[1:], lost)
	r.ready(testTerms)
	r.send("x")
	r.want("sent over the second", r.sentBy(2), []uint64{4})

	r = draining(t, Config{AtMostOnce: true})
	r.send("x")
	r.send("x")
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.send("x")
	r.from(1, codec.AppendAck(nil, codec.AckOf(1))) // is still read
	r.l.Disconnected(r.now, 1, errReset, &r.out)
	r.settle()
	r.want("sent over the new one", r.sentBy(2), []uint64{3})
	r.want("outcomes", r.outcomes(), []string{"acked 1-1 as 0", "given up 2: the connection was lost"})
	r.want("unsettled", r.l.Info().Unsettled, 1)
}

// What a new session's server does not take at all is told, and the rest goes on.
func TestResendGivesUpWhatTheNextServerDoesNotTake(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.send("1")
	r.send(string(make([]byte, 1000)))
	r.send("3")
	r.disconnected(errReset, false)
	r.readyWith(codec.Limits{MaxSend: 500})
	r.want("sent again", r.sentBy(2), []uint64{1, 3})
	if e, _ := r.last(GivenUp); e.ID != 2 || !errors.Is(e.Err, ErrTooLarge) {
		t.Errorf("GivenUp = %+v", e)
	}
}

// What is sent again keeps below the limits, and below what the owner gets rid of.
func TestResendIsPaced(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for range 100 {
		r.send("x")
	}
	r.disconnected(errReset, false)
	r.readyWith(codec.Limits{Frames: 10, FrameBurst: 40})
	server := &bouncer{limits: codec.Limits{Frames: 10, FrameBurst: 40}, second: bouncerSecond(r.now)}
	began, seen := r.now, len(r.frames)
	server.takes(r.now, 100)
	for len(r.sentBy(2)) < 100 {
		if _, err := r.l.Send(r.now, nil, &r.out); !errors.Is(err, ErrPaced) || r.l.Pace(r.now, 0) <= 0 {
			t.Fatalf("Send = %v before all has been sent again", err)
		}
		r.tick()
		for ; seen < len(r.frames); seen++ {
			if !server.takes(r.now, len(r.frames[seen].Payload)+codec.Overhead) {
				t.Fatalf("cut off after %d", seen)
			}
		}
		if r.now-began > 20*time.Second {
			t.Fatalf("%d were sent again after %v", len(r.sentBy(2)), r.now-began)
		}
	}
	if !slices.IsSorted(r.sentBy(2)) {
		t.Errorf("sent again as %v", r.sentBy(2))
	}

	r = newRig(t, Config{})
	r.ready(testTerms)
	for range 20 {
		r.send(string(make([]byte, 30<<10)))
	}
	r.disconnected(errReset, false)
	r.ready(testTerms)
	r.want("sent again at once", len(r.sentBy(2)), 2)
	r.flow = Flow{Untaken: 60 << 10}
	began = r.now
	for r.now < began+time.Second {
		r.now = r.l.Deadline()
		r.look()
		r.l.Tick(r.now, &r.out)
		r.ack(1000, 1000)
	}
	r.want("sent again while nothing is taken", len(r.sentBy(2)), 2)
	r.flow = Flow{}
	for len(r.sentBy(2)) < 20 {
		r.tick()
	}
	if r.now > began+2*time.Second {
		t.Errorf("all was sent again after %v", r.now-began)
	}
}
