package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func (p *peer) reply(to uint64, body string) {
	p.Write(codec.AppendReply(nil, codec.Deliver, to, []byte(body)))
}

// oracle does with a request what its body says.
func oracle(p *peer) {
	p.welcome(codec.WelcomeMessage{Terms: terms})
	for {
		f, err := p.next()
		if err != nil {
			return
		}
		if f.Type != codec.Send || f.Flags != codec.FlagWantsReply {
			continue
		}
		number, body, _ := codec.ParseRequest(f.Payload)
		switch string(body) {
		case "reply":
			p.reply(number, "the reply")
			p.reply(number, "another")
			p.ack(number)
		case "say nothing":
			p.reply(number, "")
		case "acknowledge":
			p.ack(number)
		case "refuse":
			p.nack(number, codec.NackBusy, "no room")
		case "cut":
			p.Close()
		}
	}
}

func TestRequestSaysWhatBecameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: oracle}}
		settled := make(chan uint64, 10)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, AtMostOnce: true,
			Settled: func(number uint64, _ Outcome) { settled <- number }})
		for _, want := range []string{"the reply", "the reply"} {
			if reply, err := c.Request(t.Context(), []byte("reply")); string(reply) != want || err != nil {
				t.Errorf("Request = %q, %v", reply, err)
			}
		}
		if reply, err := c.Request(t.Context(), []byte("say nothing")); reply == nil || len(reply) > 0 || err != nil {
			t.Errorf("Request with an empty reply = %q, %v", reply, err)
		}
		if reply, err := c.Request(t.Context(), []byte("acknowledge")); reply != nil || !errors.Is(err, ErrNoReply) {
			t.Errorf("Request that is acknowledged = %q, %v", reply, err)
		}
		_, err := c.Request(t.Context(), []byte("refuse"))
		if r := (*RefusedError)(nil); !errors.As(err, &r) || r.Code != codec.NackBusy || r.Reason != "no room" {
			t.Errorf("Request that is refused = %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Request(ctx, []byte("keep")); !errors.Is(err, ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Request without an answer = %v", err)
		}
		if n := c.Info().Unsettled; n != 0 {
			t.Errorf("%d unsettled after its context has ended", n)
		}
		if _, err := c.Request(t.Context(), []byte("cut")); !errors.Is(err, ErrUnknown) || !errors.Is(err, ErrLost) {
			t.Errorf("Request over a connection that is lost = %v", err)
		}
		if _, err := c.Request(t.Context(), make([]byte, codec.MaxPayload)); !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrUnknown) {
			t.Errorf("Request of too much = %v", err)
		}
		end(t, c, ran)
		if _, err := c.Request(t.Context(), nil); !errors.Is(err, ErrClosed) || errors.Is(err, ErrUnknown) {
			t.Errorf("Request after Close = %v", err)
		}
		if len(settled) != 0 || c.Unsent() != nil {
			t.Errorf("Settled was told of %d, and %v is unsent: its callers know", len(settled), c.Unsent())
		}
	})
}

// A reply that goes with its connection is no reply: the repeat is acknowledged by a server that
// knows it, and replied to by one that does not.
func TestRequestGoesAgainOverTheNextConnection(t *testing.T) {
	for _, known := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var sessions atomic.Int32
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: time.Second}})
				f, err := p.next()
				if err != nil || f.Type != codec.Send || f.Flags != codec.FlagWantsReply {
					t.Errorf("first %+v, %v", f, err)
				}
				switch number, _, _ := codec.ParseRequest(f.Payload); {
				case sessions.Add(1) == 1:
					return // with the reply
				case known:
					p.ack(number)
				default:
					p.reply(number, "the reply")
				}
				p.serve()
			}}}
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
			reply, err := c.Request(t.Context(), []byte("reply"))
			if known && !errors.Is(err, ErrNoReply) || !known && (string(reply) != "the reply" || err != nil) {
				t.Errorf("known %v: %q, %v", known, reply, err)
			}
			end(t, c, ran)
		})
	}
}

// What the server asks is answered by Reply, at once or later, and by what answers any message.
func TestRepliesOfTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asker := &asker{}
		e := &edge{nodes: map[string]func(*peer){addrA: asker.serve}}
		answerable := make(chan Message, 1)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) { replyAsTold(t, m, answerable) }})
		later := <-answerable
		time.Sleep(time.Second)
		if err := later.Reply([]byte("then")); err != nil {
			t.Errorf("Reply after AckLater = %v", err)
		}
		if err := later.Ack(); !errors.Is(err, ErrAnswered) {
			t.Errorf("Ack after Reply = %v", err)
		}
		if err := (Message{WantsReply: true}).Reply(nil); !errors.Is(err, ErrAnswered) {
			t.Errorf("Reply to nobody = %v", err)
		}
		time.Sleep(time.Second)
		if n := c.Info().Unsettled; n != 0 {
			t.Errorf("%d replies are unsettled", n)
		}
		end(t, c, ran)
		if got, want := asker.all(), "ack 1, ack 4, ack 6, nack 5 refused, "+
			"reply 2 now <nil>, reply 3 then <nil>, reply 7 small <nil>"; got != want {
			t.Errorf("the server hears %s\nwant %s", got, want)
		}
	})
}

// asker is a server that asks, and notes what it hears.
type asker struct {
	mu    sync.Mutex
	heard []string
}

func (a *asker) all() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.heard)
	return strings.Join(a.heard, ", ")
}

// serve sends two messages that want no reply, and six that do.
func (a *asker) serve(p *peer) {
	p.welcome(codec.WelcomeMessage{Terms: terms})
	b := codec.AppendDeliver(codec.AppendDeliver(nil, 0, []byte("reply")), 1, []byte("reply"))
	for i, body := range []string{"reply", "later", "acknowledge", "refuse", "return", "large"} {
		b = codec.AppendRequest(b, codec.Deliver, uint64(i+2), []byte(body))
	}
	go p.Write(b)
	for {
		f, err := p.next()
		if err != nil {
			return
		}
		a.note(f)
	}
}

func (a *asker) note(f codec.Frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch f.Type {
	case codec.Send:
		to, body, err := codec.ParseReply(f.Payload)
		a.heard = append(a.heard, fmt.Sprint("reply ", to, " ", string(body), " ", err))
	case codec.Ack:
		m, _ := codec.ParseAck(f.Payload)
		for n := m.First; n <= m.Last; n++ {
			a.heard = append(a.heard, fmt.Sprint("ack ", n))
		}
	case codec.Nack:
		m, _ := codec.ParseNack(f.Payload)
		a.heard = append(a.heard, fmt.Sprint("nack ", m.Number, " ", m.Code))
	}
}

// replyAsTold does with a message what its body says.
func replyAsTold(t *testing.T, m Message, answerable chan<- Message) {
	if m.WantsReply != (m.Number > 1) {
		t.Errorf("%d wants a reply: %v", m.Number, m.WantsReply)
	}
	switch string(m.Body) {
	case "reply":
		if err := m.Reply([]byte("now")); m.WantsReply && err != nil || !m.WantsReply && !errors.Is(err, ErrNotAsked) {
			t.Errorf("Reply to %d = %v", m.Number, err)
		}
		if err := m.Reply(nil); m.WantsReply && !errors.Is(err, ErrAnswered) {
			t.Errorf("a second Reply = %v", err)
		}
	case "later":
		m.AckLater()
		answerable <- m
	case "acknowledge":
		if err := errors.Join(m.Ack(), m.Reply(nil)); !errors.Is(err, ErrAnswered) {
			t.Errorf("Reply after Ack = %v", err)
		}
	case "refuse":
		m.Nack(codec.NackRefused, "")
	case "large":
		if err := m.Reply(make([]byte, codec.MaxReply+1)); !errors.Is(err, ErrTooLarge) || !strings.HasPrefix(err.Error(), "client: message exceeds") {
			t.Errorf("Reply with too much = %v", err)
		}
		m.Reply([]byte("small"))
	}
}

// Replies wait for the limits of the server, not longer than their connection.
func TestLargeRepliesKeepToTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan time.Duration, 10)
		cut := make(chan struct{})
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Limits: codec.Limits{Bytes: 10 << 10, ByteBurst: 80 << 10}})
			go func() {
				for n := uint64(1); n <= 4; n++ {
					p.Write(codec.AppendRequest(nil, codec.Deliver, n, nil))
				}
				<-cut
				p.Close()
			}()
			began := time.Now()
			for {
				f, err := p.next()
				if err != nil {
					return
				}
				if f.Flags == codec.FlagReply {
					got <- time.Since(began)
				}
			}
		}}}
		errs := make(chan error, 4)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) {
			m.AckLater()
			go func() {
				errs <- m.Reply(make([]byte, 60_000))
				errs <- m.Reply([]byte("a second one"))
			}()
		}})
		first, second := <-got, <-got
		if first > time.Second || second < 2*time.Second || second > 20*time.Second {
			t.Errorf("replies after %v and %v", first, second)
		}
		close(cut)
		answered := 0
		for range 8 {
			if errors.Is(<-errs, ErrAnswered) {
				answered++
			}
		}
		if answered < 5 {
			t.Errorf("%d of 8 could not be sent, want the four second ones and what waited for the limits", answered)
		}
		end(t, c, ran)
	})
}

func TestOnLostTellsWhatIsUnsettled(t *testing.T) {
	for _, once := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var sessions atomic.Int32
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				if sessions.Add(1) > 1 {
					node(p)
					return
				}
				p.welcome(codec.WelcomeMessage{Terms: terms, Node: []byte("n1"), Session: codec.SessionID{Epoch: 1, Handle: 2}})
				p.handle(func(number uint64, body []byte) {
					if string(body) == "take" {
						p.ack(number)
					}
					if number == 4 {
						p.goAway(codec.GoAwayMessage{Code: codec.CodeKicked})
						p.Close()
					}
				})
			}}}
			lost := make(chan Loss, 10)
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, AtMostOnce: once, Logger: new(logged).logger(), OnLost: func(l Loss) {
				lost <- l
			}})
			done := make(chan struct{})
			for _, body := range []string{"keep", "take", "asked", "cut"} {
				if body == "asked" {
					go func() {
						c.Request(t.Context(), []byte(body))
						close(done)
					}()
					synctest.Wait()
					continue
				}
				if _, err := c.Send(t.Context(), []byte(body)); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			}
			l := <-lost
			var all []string
			for _, m := range l.Unsettled {
				if all = append(all, fmt.Sprint(m.Number, " ", string(m.Body))); m.Incarnation != c.Info().Incarnation {
					t.Errorf("%d is of incarnation %x", m.Number, m.Incarnation)
				}
			}
			want := []string{"1 keep", "3 asked", "4 cut"}
			if once {
				want = nil
			}
			var code *CodeError
			if !slices.Equal(all, want) || !errors.As(l.Err, &code) || code.Code != codec.CodeKicked || l.Node != "n1" || l.Session != (codec.SessionID{Epoch: 1, Handle: 2}).String() {
				t.Errorf("lost %+v with %v, want %v", l, all, want)
			}
			<-done
			synctest.Wait()
			if c.mu.Lock(); c.bodies != 0 {
				t.Errorf("%d bytes of bodies are counted when all is told", c.bodies)
			}
			c.mu.Unlock()
			end(t, c, ran)
			if len(lost) != 0 {
				t.Errorf("OnLost was called %d times more", len(lost))
			}
		})
	}
}

// A device that nobody can start again comes back, whatever its servers say.
func TestNeverGiveUp(t *testing.T) {
	for _, never := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var sessions atomic.Int32
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				if sessions.Add(1) > 1 {
					node(p)
					return
				}
				p.welcome(codec.WelcomeMessage{Terms: terms})
				p.goAway(codec.GoAwayMessage{Code: codec.CodeReplaced})
				p.Close()
			}}}
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, NeverGiveUp: never})
			if !never {
				var code *CodeError
				if err := <-ran; !errors.As(err, &code) || code.Code != codec.CodeReplaced {
					t.Errorf("Run = %v", err)
				}
				return
			}
			if err := c.SendAcked(t.Context(), []byte("I am back")); err != nil {
				t.Error(err)
			}
			end(t, c, ran)
		})
	}
}
