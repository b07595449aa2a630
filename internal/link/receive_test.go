package link

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestServerMayNotSendEverything(t *testing.T) {
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MaxVersion: 1, ClientID: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	welcome := func(m codec.WelcomeMessage) []byte {
		b, err := codec.AppendWelcome(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	badSum := codec.AppendDeliver(nil, 1, []byte("x"))
	badSum[len(badSum)-1] ^= 1
	for _, c := range []struct {
		name  string
		bytes []byte
		ready bool // whether the link has its session
		want  error
	}{
		{"HELLO", hello, true, errUnexpected},
		{"PING", codec.AppendPing(nil, 1, 0), true, errUnexpected},
		{"SEND", codec.AppendSend(nil, 1, nil), true, errUnexpected},
		{"BYE", codec.AppendBye(nil), true, errUnexpected},
		{"type 11", codec.AppendFrame(nil, 11, 0, nil), true, errUnexpected},
		{"PING, ignorable", codec.AppendFrame(nil, codec.Ping, codec.FlagIgnorable, make([]byte, 8)), true, errUnexpected},
		{"unknown type", codec.AppendFrame(nil, 99, 0, nil), true, errUnexpected},
		{"second WELCOME", welcome(codec.WelcomeMessage{Version: 1}), true, errUnexpected},
		{"PONG before WELCOME", codec.AppendPong(nil, codec.PongMessage{}), false, errUnexpected},
		{"DELIVER before WELCOME", codec.AppendDeliver(nil, 1, nil), false, errUnexpected},
		{"WELCOME, foreign version", welcome(codec.WelcomeMessage{Version: 2}), false, ErrMalformed},
		{"WELCOME, features unasked", welcome(codec.WelcomeMessage{Version: 1, Features: 4}), false, ErrMalformed},
		{"garbage", []byte("HTTP/1.1 400 Bad Request"), true, codec.ErrMagic},
		{"beyond the limit", []byte{0x53, 0x10, 6, 0, 0xff, 0xff, 0xff, 0xff}, true, codec.ErrLength},
		{"bad checksum", badSum, true, codec.ErrChecksum},
		{"short PONG", codec.AppendFrame(nil, codec.Pong, 0, []byte{1}), true, codec.ErrTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{Endpoints: []string{"10.0.0.1:7000", "10.0.0.2:7000"}})
			if c.ready {
				r.ready(testTerms)
			} else {
				r.start()
				r.connected()
			}
			addr := r.l.Info().Endpoint
			b := c.bytes
			if c.ready { // or the rest is a fault of its own
				b = codec.AppendDeliver(b, 7, []byte("after the fault"))
			}
			r.receive(b)
			r.wantState(StateBackingOff)
			e, _ := r.last(Lost)
			if e.Reason != Malformed || !errors.Is(e.Err, ErrMalformed) || !errors.Is(e.Err, c.want) {
				t.Errorf("Lost = %+v, want malformed: %v", e, c.want)
			}
			if len(r.closed) != 1 || r.count(Delivered) != 0 {
				t.Errorf("closed %v, %d delivered after the fault", r.closed, r.count(Delivered))
			}
			if r.l.penalisedUntil(addr) <= r.now {
				t.Error("the endpoint is not penalised")
			}
		})
	}
}

func TestNewerFrameThatMayBeIgnoredIs(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for _, typ := range []codec.Type{0, 11, 99} {
		r.receive(codec.AppendFrame(nil, typ, codec.FlagIgnorable, []byte("from the future")))
		r.wantState(StateReady)
	}
}

func TestMessagesAndTheirAcks(t *testing.T) {
	r := newRig(t, Config{})
	if _, err := r.l.Send(r.now, nil, &r.out); !errors.Is(err, ErrNotReady) {
		t.Errorf("Send while idle = %v, want ErrNotReady", err)
	}
	r.ready(testTerms)
	id, err := r.l.Send(r.now, []byte("hello"), &r.out)
	r.settle()
	if err != nil || id != 1 {
		t.Fatalf("Send = %d, %v", id, err)
	}
	sentID, body, err := codec.ParseMessage(r.frames[len(r.frames)-1].Payload)
	if err != nil || sentID != 1 || string(body) != "hello" {
		t.Errorf("SEND carries %d %q, %v", sentID, body, err)
	}
	if r.count(Acked) != 0 {
		t.Error("written was taken for delivered")
	}
	r.receive(codec.AppendAck(nil, codec.AckOf(1)))
	if e, ok := r.last(Acked); !ok || e.ID != 1 {
		t.Errorf("Acked = %+v, %v", e, ok)
	}
	r.receive(codec.AppendDeliver(nil, 9, []byte("news")))
	e, _ := r.last(Delivered)
	if e.ID != 9 || string(e.Body) != "news" {
		t.Errorf("Delivered = %+v", e)
	}
	r.l.Ack(r.now, e.Attempt, codec.AckOf(e.ID), &r.out)
	r.settle()
	if ack, err := codec.ParseAck(r.frames[len(r.frames)-1].Payload); err != nil || ack != codec.AckOf(9) {
		t.Errorf("ACK carries %v, %v", ack, err)
	}
	if _, err := r.l.Send(r.now, make([]byte, codec.MaxPayload-7), &r.out); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Send of a byte too many = %v, want ErrTooLarge", err)
	}
	if _, err := r.l.Send(r.now, make([]byte, codec.MaxPayload-8), &r.out); err != nil {
		t.Errorf("Send of the largest message = %v", err)
	}
}

func TestOneCallHandlesABoundedNumberOfFrames(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	var b []byte
	for i := range 200 {
		b = codec.AppendDeliver(b, uint64(i), nil)
	}
	calls := 0
	for len(b) > 0 {
		n, need := r.l.Received(r.now, r.attempt(), b, &r.out)
		if len(r.out.Actions) > maxFrames {
			t.Fatalf("%d actions from one call, want at most %d", len(r.out.Actions), maxFrames)
		}
		r.settle()
		if b = b[n:]; len(b) > 0 && need > len(b) {
			t.Fatalf("wants %d bytes, %d hold whole frames", need, len(b))
		}
		calls++
	}
	if r.count(Delivered) != 200 || calls != 4 {
		t.Errorf("%d frames in %d calls, want 200 in 4", r.count(Delivered), calls)
	}
}

// Any bytes, in any chunks: no panic, bounded output, consumed and need in bounds, and no
// session without a WELCOME.
func FuzzReceived(f *testing.F) {
	welcome, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Terms: testTerms, Node: []byte("n"),
		ReturnPass: []byte("resume"), Alternates: []byte("10.0.0.9:1,10.0.0.8:2")})
	if err != nil {
		f.Fatal(err)
	}
	goAway, err := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeBusy, Delay: time.Second, Ticket: []byte("t")})
	if err != nil {
		f.Fatal(err)
	}
	stream := codec.AppendPong(bytes.Clone(welcome), codec.PongMessage{Token: 1, Terms: testTerms})
	stream = codec.AppendAck(codec.AppendDeliver(stream, 3, []byte("body")), codec.AckOf(1))
	stream = codec.AppendReply(codec.AppendRequest(stream, codec.Deliver, 4, []byte("how late?")), codec.Deliver, 2, []byte("noon"))
	f.Add(stream, uint8(7), false)
	f.Add(append(bytes.Clone(stream), goAway...), uint8(1), false)
	f.Add(goAway, uint8(200), false)
	f.Add(append(bytes.Clone(welcome), '0'), uint8(0), false) // a fault that shows before a header is there
	f.Add([]byte("SSH-2.0-OpenSSH_9.6\r\n"), uint8(3), false)
	var parts []byte // the same stream as reframe takes it
	for rest := append(stream, goAway...); len(rest) > 0; {
		frame, size, err := codec.Decode(rest, codec.MaxPayload)
		if err != nil {
			f.Fatal(err)
		}
		parts = append(append(parts, byte(frame.Type), byte(frame.Flags), byte(len(frame.Payload))), frame.Payload...)
		rest = rest[size:]
	}
	f.Add(parts, uint8(30), true)
	f.Fuzz(func(t *testing.T, input []byte, chunk uint8, framed bool) {
		if framed {
			input = reframe(input)
		}
		whole := feed(t, input, len(input)+1)
		split := feed(t, input, int(chunk)+1)
		w, sp := whole.l.Info(), split.l.Info()
		if (w.LastError == nil) != (sp.LastError == nil) {
			t.Errorf("whole: %v, split: %v", w.LastError, sp.LastError)
		}
		w.LastError, sp.LastError = nil, nil // two values with one text
		if w != sp {
			t.Errorf("whole: %+v\nsplit: %+v", w, sp)
		}
		if len(whole.events) != len(split.events) {
			t.Errorf("%d events from the whole, %d from chunks", len(whole.events), len(split.events))
		}
	})
}

// reframe makes whole frames of type, flags, length and payload, so that the fuzzer gets
// past the checksum.
func reframe(parts []byte) (b []byte) {
	for len(parts) >= 3 {
		n := min(int(parts[2]), len(parts)-3)
		b = codec.AppendFrame(b, codec.Type(parts[0]), codec.Flags(parts[1]), parts[3:3+n])
		parts = parts[3+n:]
	}
	return b
}

// feed gives a link that has just said HELLO the input in chunks, as an owner would.
func feed(t *testing.T, input []byte, chunk int) *rig {
	r := newRig(t, Config{})
	r.start()
	r.connected()
	var held []byte
	for rest := input; len(rest) > 0; {
		n := min(chunk, len(rest))
		held, rest = append(held, rest[:n]...), rest[n:]
		for {
			n, need := r.l.Received(r.now, 1, held, &r.out)
			if n < 0 || n > len(held) || n == 0 && need <= len(held) {
				t.Fatalf("Received(%d bytes) = %d, %d", len(held), n, need)
			}
			if need > codec.MaxPayload+codec.Overhead {
				t.Fatalf("wants %d bytes", need)
			}
			if len(r.out.Actions) > maxFrames+4 {
				t.Fatalf("%d actions", len(r.out.Actions))
			}
			r.settle()
			if held = held[n:]; len(held) < need {
				break
			}
		}
	}
	// What is less than the link has asked for may show a fault all the same.
	r.l.Received(r.now, 1, held, &r.out)
	r.settle()
	if info := r.l.Info(); info.State == StateReady && info.Sessions == 0 {
		t.Fatal("ready without WELCOME")
	}
	return r
}

func TestAPeerThatSendsNoFramesIsNamed(t *testing.T) {
	for sent, want := range map[string]string{"HTTP/1.1 400 Bad Request\r\n\r\n": "HTTP", "\x15\x03\x03\x00\x02\x02\x46": "TLS"} {
		r := newRig(t, Config{})
		r.start()
		r.connected()
		r.receive([]byte(sent))
		if err := r.l.Info().LastError; !errors.Is(err, ErrMalformed) || !errors.Is(err, codec.ErrMagic) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is told as %v", sent, err)
		}
	}
}
