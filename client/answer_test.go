package client

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

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
