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

// handle reads SENDs, and PINGs that it answers, until the connection ends.
func (p *peer) handle(send func(number uint64, body []byte)) {
	for {
		f, err := p.next()
		if err != nil {
			return
		}
		switch f.Type {
		case codec.Ping:
			token, _, _ := codec.ParsePing(f.Payload)
			p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
		case codec.Send:
			number, body, _ := codec.ParseMessage(f.Payload)
			send(number, body)
		}
	}
}

func (p *peer) ack(number uint64) { p.Write(codec.AppendAck(nil, codec.AckOf(number))) }

func (p *peer) nack(number uint64, code codec.NackCode, reason string) {
	b, err := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: code, Reason: []byte(reason)})
	if err != nil {
		panic(err)
	}
	p.Write(b)
}

// obedient does with a SEND what its body says.
func obedient(p *peer) {
	p.welcome(codec.WelcomeMessage{Terms: terms})
	p.obey()
}

func (p *peer) obey() {
	p.handle(func(number uint64, body []byte) {
		switch string(body) {
		case "take":
			p.ack(number)
		case "refuse":
			p.nack(number, codec.NackBusy, "no room")
		case "cut":
			p.Close()
		}
	})
}

// The error says which: it has it, it does not want it, nobody knows, or nothing was sent.
func TestSendAckedSaysWhatBecameOfTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: obedient}}
		settled := make(chan uint64, 10)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, AtMostOnce: true,
			Settled: func(number uint64, _ Outcome) { settled <- number }})
		if err := c.SendAcked(t.Context(), []byte("take")); err != nil {
			t.Errorf("SendAcked = %v", err)
		}
		err := c.SendAcked(t.Context(), []byte("refuse"))
		if r := (*RefusedError)(nil); !errors.As(err, &r) || r.Code != codec.NackBusy || r.Reason != "no room" || !r.Again() {
			t.Errorf("SendAcked of what is refused = %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.SendAcked(ctx, []byte("keep")); !errors.Is(err, ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("SendAcked without an answer = %v", err)
		}
		if n := c.Info().Unsettled; n != 0 {
			t.Errorf("%d unsettled after its context has ended", n)
		}
		if err := c.SendAcked(t.Context(), []byte("cut")); !errors.Is(err, ErrUnknown) || !errors.Is(err, ErrLost) {
			t.Errorf("SendAcked over a connection that is lost = %v", err)
		}
		if err := c.SendAcked(ctx, []byte("take")); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked without a session = %v", err)
		}
		if err := c.SendAcked(t.Context(), make([]byte, codec.MaxPayload)); !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked of too much = %v", err)
		}
		go func() {
			for c.Info().Unsettled == 0 {
				time.Sleep(time.Second)
			}
			c.Close()
		}()
		if err := c.SendAcked(t.Context(), []byte("keep")); !errors.Is(err, ErrUnknown) || !errors.Is(err, ErrClosed) {
			t.Errorf("SendAcked of a client that is closed = %v", err)
		}
		if err := c.SendAcked(t.Context(), nil); !errors.Is(err, ErrClosed) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked after Close = %v", err)
		}
		<-ran
		if len(settled) != 0 || c.Unsent() != nil {
			t.Errorf("Settled was told of %d, and %v is unsent: its callers know", len(settled), c.Unsent())
		}
	})
}

// Outcomes keep what was refused or lost, whatever is sent after it; those that nobody takes are
// bounded.
func TestSettledGivesBackTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			write := oneWriter(p)
			p.handle(func(number uint64, body []byte) {
				switch b, _ := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: codec.NackBusy}); {
				case string(body) == "cut":
					p.Close()
				case string(body[:4]) == "take":
					write <- codec.AppendAck(nil, codec.AckOf(number))
				default:
					write <- b
				}
			})
			close(write)
		}}}
		sent := map[uint64]string{}
		told := map[uint64]Outcome{}
		block := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, AtMostOnce: true, Settled: func(number uint64, o Outcome) {
			<-block
			told[number] = o
		}})
		for i := range 40 {
			body := fmt.Sprint([]string{"take", "refuse"}[i%2], " ", i)
			number, err := c.Send(t.Context(), []byte(body))
			if sent[number] = body; err != nil {
				t.Error(err)
			}
		}
		close(block)
		time.Sleep(time.Second)
		number, _ := c.Send(t.Context(), []byte("cut"))
		sent[number] = "cut"
		time.Sleep(time.Second)
		if c.mu.Lock(); c.bodies != 0 {
			t.Errorf("%d bytes of bodies are counted when all is told", c.bodies)
		}
		c.bodies = c.maxBodies()
		c.mu.Unlock()
		number, _ = c.Send(t.Context(), []byte("refuse, and nobody has room"))
		sent[number] = ""
		time.Sleep(time.Second)
		end(t, c, ran)
		for number, body := range sent {
			if o, ok := told[number]; !ok || (o.Err == nil) != strings.HasPrefix(body, "take") || o.Err != nil && string(o.Body) != body || o.Err == nil && o.Body != nil {
				t.Errorf("%d %q: %+v", number, body, o)
			}
		}
	})
}

func TestNothingIsSentWhenTheContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got atomic.Int64
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			p.handle(func(uint64, []byte) { got.Add(1) })
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if number, err := c.Send(ctx, []byte("a")); number != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("Send = %d, %v", number, err)
		}
		if err := c.SendAcked(ctx, []byte("b")); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked = %v", err)
		}
		if err := c.Post(ctx, []byte("c")); !errors.Is(err, context.Canceled) {
			t.Errorf("Post = %v", err)
		}
		synctest.Wait()
		if i := c.Info(); i.State != Ready || i.Unsettled != 0 || got.Load() != 0 {
			t.Errorf("%s, %d unsettled, the server got %d", i.State, i.Unsettled, got.Load())
		}
		end(t, c, ran)
	})
}

func TestPostWantsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 10)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Limits: codec.Limits{Unsettled: 1}})
			p.handle(func(number uint64, body []byte) { got <- fmt.Sprint(number, " ", string(body)) })
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		if _, err := c.Send(t.Context(), []byte("a")); err != nil {
			t.Error(err)
		}
		if err := c.Post(t.Context(), []byte("b")); err != nil { // though the window is full
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Send(ctx, []byte("c")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send while one is unsettled = %v", err)
		}
		if a, b := <-got, <-got; a != "1 a" || b != "0 b" {
			t.Errorf("the server got %q and %q", a, b)
		}
		if n := c.Info().Unsettled; n != 1 {
			t.Errorf("%d unsettled", n)
		}
		end(t, c, ran)
	})
}

func TestUnsentGivesBackWhatNobodyHasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var incarnation atomic.Uint64
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			hello, _ := p.welcome(codec.WelcomeMessage{Terms: terms})
			incarnation.Store(hello.Incarnation)
			p.obey()
		}}}
		var told []string
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Settled: func(number uint64, o Outcome) {
			told = append(told, fmt.Sprint(number, " ", errors.Is(o.Err, ErrClosed) && errors.Is(o.Err, ErrUnknown), " ", string(o.Body)))
		}})
		for _, body := range []string{"keep 1", "take", "keep 3", "cut"} {
			if _, err := c.Send(t.Context(), []byte(body)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		if c.Unsent() != nil {
			t.Error("Unsent before the end")
		}
		end(t, c, ran)
		var unsent []string
		for _, m := range c.Unsent() {
			unsent = append(unsent, fmt.Sprint(m.Number, " ", string(m.Body)))
			if m.Incarnation != incarnation.Load() || m.Incarnation != c.Info().Incarnation {
				t.Errorf("%d is of incarnation %x, HELLO said %x, Info %x", m.Number, m.Incarnation, incarnation.Load(), c.Info().Incarnation)
			}
		}
		if want := []string{"1 keep 1", "3 keep 3", "4 cut"}; !slices.Equal(unsent, want) {
			t.Errorf("Unsent = %v, want %v", unsent, want)
		}
		if want := []string{"2 false ", "1 true keep 1", "3 true keep 3", "4 true cut"}; !slices.Equal(told, want) {
			t.Errorf("Settled was told %v, want %v", told, want)
		}
	})
}

// The promise: whatever happens to its servers, each message arrives, in order the first time,
// and its outcome is told once.
func TestEveryMessageArrivesThoughServersAreKilled(t *testing.T) {
	const messages = 3000
	var mu sync.Mutex
	var got []uint64 // numbers in the order of their first arrival
	seen := map[uint64]bool{}
	twice, life := 0, 0
	kill := func(p *peer) {
		mu.Lock()
		life += 37
		left := life % 300
		mu.Unlock()
		p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: time.Millisecond}})
		p.handle(func(number uint64, body []byte) {
			mu.Lock()
			defer mu.Unlock()
			if string(body) != fmt.Sprint("message ", number) {
				t.Errorf("%d is %q", number, body)
			}
			if seen[number] {
				twice++
			} else {
				seen[number], got = true, append(got, number)
			}
			if left--; left < 0 {
				p.Close() // with what is on its way
			} else if number%3 > 0 || number == messages {
				p.Write(codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: number - number%3, Last: number}}))
			}
		})
	}
	a, b := listen(t, kill), listen(t, kill)
	settled := map[uint64]int{}
	c, ran := run(t, Config{Endpoints: []string{a.Addr().String(), b.Addr().String()}, BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond, Policy: Fixed,
		Settled: func(number uint64, o Outcome) {
			mu.Lock()
			defer mu.Unlock()
			if settled[number]++; o.Err != nil {
				t.Errorf("%d: %v", number, o.Err)
			}
		}})
	for i := range messages {
		if number, err := c.Send(t.Context(), []byte(fmt.Sprint("message ", i+1))); err != nil || number != uint64(i+1) {
			t.Fatalf("Send = %d, %v", number, err)
		}
	}
	eventually(t, "all are settled", func() bool { mu.Lock(); defer mu.Unlock(); return len(settled) == messages })
	end(t, c, ran)
	mu.Lock()
	defer mu.Unlock()
	for number, n := range settled {
		if n != 1 {
			t.Errorf("%d was settled %d times", number, n)
		}
	}
	if len(got) != messages || !slices.IsSorted(got) || twice == 0 {
		t.Errorf("%d arrived, in order: %v, %d more than once", len(got), slices.IsSorted(got), twice)
	}
	t.Logf("%d sessions, %d arrived more than once", c.Info().Sessions, twice)
}

// More than the queue takes is unsettled when the session ends, and goes again.
func TestResendFitsIntoASmallQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sessions, got atomic.Int32
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: time.Second, Timeout: time.Minute, Window: time.Second}})
			if sessions.Add(1) == 1 {
				p.handle(func(number uint64, _ []byte) {
					if number == 100 {
						p.Close()
					}
				})
				return
			}
			p.handle(func(number uint64, _ []byte) {
				time.Sleep(20 * time.Millisecond)
				got.Add(1)
				p.ack(number)
			})
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxQueued: 1000})
		for range 100 {
			if _, err := c.Send(t.Context(), make([]byte, 20000)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		if i := c.Info(); i.Losses != 1 || i.Unsettled != 0 || got.Load() != 100 {
			t.Errorf("%d came again, Info = %+v", got.Load(), i)
		}
		end(t, c, ran)
	})
}

// calm are terms without a PING, and a peer that writes by oneWriter alone: one that waits for a
// Mutex, as net.Pipe's, keeps the time of synctest from going on.
var calm = codec.Terms{Interval: time.Hour, Timeout: 10 * time.Hour}

func oneWriter(p *peer) chan<- []byte {
	write := make(chan []byte, 1000)
	go func() {
		for b := range write {
			p.Write(b)
		}
	}()
	return write
}

// Deliver sends, and the answers that make room for that stand behind what it has not taken.
func TestSendInDeliverWaitsForAnswersThatAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 50
		var answered atomic.Int32
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: calm, Limits: codec.Limits{Unsettled: 1}})
			write := oneWriter(p)
			for i := range uint64(messages) {
				write <- codec.AppendDeliver(nil, i+1, []byte(strings.Repeat(fmt.Sprintf("%03d", i+1), 500)))
			}
			p.handle(func(number uint64, _ []byte) { write <- codec.AppendAck(nil, codec.AckOf(number)); answered.Add(1) })
			close(write)
		}}}
		var c *Client
		ready := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Settled: func(uint64, Outcome) {}, Deliver: func(m Message) {
			<-ready
			for range 3 {
				if _, err := c.Send(t.Context(), []byte("echo")); err != nil {
					t.Error(err)
				}
			}
			if string(m.Body) != strings.Repeat(fmt.Sprintf("%03d", m.Number), 500) {
				t.Errorf("the body of %d has changed under Deliver", m.Number)
			}
		}})
		close(ready)
		time.Sleep(time.Minute)
		if n := answered.Load(); n != 3*messages {
			t.Errorf("%d were sent, want %d", n, 3*messages)
		}
		c.mu.Lock()
		for _, k := range c.conns {
			if k.ahead != 0 {
				t.Errorf("%d bytes are read ahead when all is handled", k.ahead)
			}
		}
		c.mu.Unlock()
		end(t, c, ran)
	})
}

// answers reads ACKs and NACKs as text until the connection ends.
func answers(p *peer, told chan<- string) {
	for {
		f, err := p.next()
		if err != nil {
			return
		}
		switch f.Type {
		case codec.Ack:
			m, _ := codec.ParseAck(f.Payload)
			told <- fmt.Sprint("ack ", m.First, "-", m.Last)
		case codec.Nack:
			m, _ := codec.ParseNack(f.Payload)
			told <- fmt.Sprint("nack ", m.Number, " ", m.Code, " ", string(m.Reason))
		}
	}
}

// A callback may wait for the answer to what it sends.
func TestSendAckedInDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan error, 10)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: calm})
			write := oneWriter(p)
			for i := range uint64(10) {
				write <- codec.AppendDeliver(nil, i+1, make([]byte, 3000))
			}
			p.handle(func(number uint64, _ []byte) { write <- codec.AppendAck(nil, codec.AckOf(number)) })
			close(write)
		}}}
		var c *Client
		ready := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) {
			<-ready
			told <- c.SendAcked(t.Context(), m.Body)
		}})
		close(ready)
		for range cap(told) {
			if err := <-told; err != nil {
				t.Error(err)
			}
		}
		end(t, c, ran)
	})
}

// What a server sends beyond what may wait is bounded here as well.
func TestMessagesThatWaitForAnAnswerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 20)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for i := range uint64(257) {
				p.Write(codec.AppendDeliver(nil, i+1, nil))
			}
			answers(p, told)
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: Message.AckLater})
		if got := <-told; got != "nack 257 busy " {
			t.Errorf("the server got %q", got)
		}
		end(t, c, ran)
	})
}

func TestDeliverMayAnswerLaterOrRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 20)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for i := range uint64(6) {
				p.Write(codec.AppendDeliver(nil, i, nil))
			}
			go func() { time.Sleep(time.Minute / 2); p.Close() }()
			answers(p, told)
		}}}
		later := make(chan Message, 10)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) {
			m.AckLater()
			switch m.Number {
			case 0, 1, 5:
				later <- m
			case 2:
				if err := m.Nack(1000, "not now\n"); err == nil {
					t.Error("a reason that is no text is taken")
				}
				if err := m.Nack(1000, "not now"); !errors.Is(err, ErrAnswered) { // it was refused without one
					t.Errorf("a second Nack = %v", err)
				}
			case 3:
				if err := m.Ack(); err != nil {
					t.Error(err)
				}
			case 4:
				later <- m
			}
		}})
		time.Sleep(time.Second)
		want := func(all ...string) {
			t.Helper()
			synctest.Wait()
			for _, w := range all {
				select {
				case got := <-told:
					if got != w {
						t.Errorf("the server got %q, want %q", got, w)
					}
				default:
					t.Errorf("the server got nothing, want %q", w)
				}
			}
			if len(told) > 0 {
				t.Errorf("the server got %q", <-told)
			}
		}
		want("nack 2 code 1000 ", "ack 3-3")
		nobody, one, four, five := <-later, <-later, <-later, <-later
		if err := nobody.Ack(); err != nil {
			t.Errorf("Ack of what wants no answer = %v", err)
		}
		if err := four.Ack(); err != nil {
			t.Error(err)
		}
		want("ack 4-4")
		if err := one.Nack(codec.NackBusy, "not now"); err != nil {
			t.Error(err)
		}
		want("nack 1 busy not now")
		for _, m := range []Message{one, four, {}} {
			if err := m.Ack(); !errors.Is(err, ErrAnswered) {
				t.Errorf("the second Ack = %v", err)
			}
			m.AckLater() // too late, and harmless
			if err := m.Nack(1, ""); !errors.Is(err, ErrAnswered) {
				t.Errorf("the second Nack = %v", err)
			}
		}
		time.Sleep(time.Minute)
		if err := five.Ack(); !errors.Is(err, ErrAnswered) {
			t.Errorf("Ack after the connection = %v", err)
		}
		end(t, c, ran)
		time.Sleep(time.Minute) // for the peer that closes
	})
}

func TestWithoutDeliverEveryMessageIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 20)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			p.Write(codec.AppendDeliver(codec.AppendDeliver(nil, 0, nil), 1, nil))
			answers(p, told)
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		if got := <-told; got != "nack 1 refused " {
			t.Errorf("the server got %q", got)
		}
		end(t, c, ran)
	})
}

// While the server does not read, ACKs are joined.
func TestAcksThatWaitAreJoinedToRanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 200
		told := make(chan string, messages)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for i := range uint64(messages) {
				p.Write(codec.AppendDeliver(nil, i+1, nil))
			}
			time.Sleep(time.Second)
			answers(p, told)
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(Message) {}})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		frames := len(told)
		next := 1
		for range frames {
			var first, last int
			if _, err := fmt.Sscanf(<-told, "ack %d-%d", &first, &last); err != nil || first != next {
				t.Errorf("%d-%d (%v), want from %d", first, last, err, next)
			}
			next = last + 1
		}
		if next != messages+1 || frames > 5 {
			t.Errorf("%d messages are acknowledged by %d frames", next-1, frames)
		}
		end(t, c, ran)
	})
}

// Words go to the messages that they were said of, though the server does not read meanwhile.
func TestAckWithSaysAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 100
		told := make(chan codec.AckMessage, messages)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for i := range uint64(messages) {
				p.Write(codec.AppendDeliver(nil, i+1, nil))
			}
			time.Sleep(time.Second)
			for f, err := p.next(); err == nil; f, err = p.next() {
				if m, err := codec.ParseAck(f.Payload); err == nil && f.Type == codec.Ack {
					told <- m
				}
			}
		}}}
		word := func(number uint64) uint8 { return uint8(number / 30 * 85) } // 0, 85, 170, 255
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) {
			if err := m.AckWith(word(m.Number)); err != nil {
				t.Error(err)
			}
			if err := m.AckWith(1); !errors.Is(err, ErrAnswered) {
				t.Errorf("a second answer: %v", err)
			}
		}})
		time.Sleep(2 * time.Second)
		for next := uint64(1); next <= messages; {
			m := <-told
			if m.First != next || word(m.First) != m.What || word(m.Last) != m.What {
				t.Fatalf("%d-%d is acknowledged with %d, want from %d", m.First, m.Last, m.What, next)
			}
			next = m.Last + 1
		}
		end(t, c, ran)
	})
}

// One of a range that fails does not keep the others from being told.
func TestSettledThatPanicsIsToldTheRest(t *testing.T) {
	for name, fail := range failures {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: terms})
				p.handle(func(number uint64, _ []byte) {
					if number == 5 {
						p.Write(codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: 0, Last: 9}, What: 3}))
					}
				})
			}}}
			var told []uint64
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: (&logged{}).logger(),
				Settled: func(number uint64, o Outcome) {
					if told = append(told, number); number == 2 {
						fail()
					}
					if o.What != 3 || o.Err != nil {
						t.Errorf("%d: %+v", number, o)
					}
				}})
			for range 5 {
				c.Send(t.Context(), nil)
			}
			wantPanic(t, <-ran, "Settled")
			if !slices.Equal(told, []uint64{1, 2, 3, 4, 5}) {
				t.Errorf("%s: told of %v", name, told)
			}
		})
	}
}
