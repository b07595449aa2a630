package codec

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The samples hold every field, each with a value of its own.
var (
	sampleHello = HelloMessage{MinVersion: 1, MaxVersion: 3, Features: 0x01020304, Incarnation: 1<<63 | 5, Attempt: 1 << 31,
		ClientID: []byte("älice"), Token: []byte{0, 1}, ReturnPass: []byte{2}, Ticket: []byte{3, 4, 5}}
	sampleTerms = Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: 1500 * time.Millisecond,
		Patience: 20 * time.Second, Number: 7}
	sampleLimits = Limits{MaxSend: 1, MaxDeliver: 2, Frames: 3, FrameBurst: 4, Bytes: 5, ByteBurst: math.MaxUint32,
		Unsettled: 7, UnsettledBytes: 8}
	sampleAck     = AckMessage{Range{7, math.MaxUint64}, 255}
	sampleNack    = NackMessage{8, NackRefused, []byte("no")}
	sampleWelcome = WelcomeMessage{Version: 1, Features: 9, Session: SessionID{Epoch: 0xabc, Handle: 0x1_0000_0002},
		Terms: sampleTerms, ServerTime: time.UnixMilli(1763838400123), Node: []byte("a"),
		ReturnPass: []byte{9, 9}, Alternates: []byte("10.0.0.1:7400,[::1]:7401"), Limits: sampleLimits,
		Expires: 90 * time.Second}
	samplePong   = PongMessage{Token: math.MaxUint64, Terms: sampleTerms, Limits: sampleLimits, Expires: NeverExpires}
	sampleGoAway = GoAwayMessage{Code: CodeFull, Delay: time.Second, Window: time.Minute,
		Ticket: []byte{1}, Alternates: []byte("b:1"), Reason: []byte("no room")}
)

// payloadOf cuts the payload out of a frame that must be good.
func payloadOf(t testing.TB, want Type, frame []byte, err error) []byte {
	t.Helper()
	return payloadWith(t, want, 0, frame, err)
}

// payloadWith is payloadOf for a frame with flags.
func payloadWith(t testing.TB, want Type, flags Flags, frame []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	f, size, err := Decode(frame, MaxPayload)
	if err != nil || size != len(frame) || f.Type != want || f.Flags != flags {
		t.Fatalf("Decode = %v, size %d of %d, %v", f, size, len(frame), err)
	}
	return f.Payload
}

func TestMessagesSurvive(t *testing.T) {
	check := func(got, want any, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	frame, err := AppendHello(nil, &sampleHello)
	hello, perr := ParseHello(payloadOf(t, Hello, frame, err))
	check(hello, sampleHello, perr)

	frame, err = AppendWelcome(nil, &sampleWelcome)
	welcome, perr := ParseWelcome(payloadOf(t, Welcome, frame, err))
	check(welcome, sampleWelcome, perr)

	frame, err = AppendGoAway(nil, &sampleGoAway)
	goAway, perr := ParseGoAway(payloadOf(t, GoAway, frame, err))
	check(goAway, sampleGoAway, perr)

	pong, perr := ParsePong(payloadOf(t, Pong, AppendPong(nil, samplePong), nil))
	check(pong, samplePong, perr)

	told := samplePong
	told.Alternates = []byte("b:1,c:2")
	pong, perr = ParsePong(payloadOf(t, Pong, AppendPong(nil, told), nil))
	check(pong, samplePong, perr)
	frame, err = AppendAnnouncement(nil, told)
	pong, perr = ParsePong(payloadOf(t, Pong, frame, err))
	check(pong, told, perr)

	token, applied, perr := ParsePing(payloadOf(t, Ping, AppendPing(nil, 1<<63, 1<<15), nil))
	check([]any{token, applied}, []any{uint64(1 << 63), uint16(1 << 15)}, perr)
	check(Renewal(payloadOf(t, Ping, AppendPing(nil, 1, 1), nil)), []byte(nil), nil)

	frame, err = AppendRenewal(nil, 1<<63, 1<<15, []byte("new"))
	renewal := payloadOf(t, Ping, frame, err)
	token, applied, perr = ParsePing(renewal)
	check([]any{token, applied, Renewal(renewal)}, []any{uint64(1 << 63), uint16(1 << 15), []byte("new")}, perr)

	id, body, perr := ParseMessage(payloadOf(t, Send, AppendSend(nil, 5, []byte("up")), nil))
	check([]any{id, body}, []any{uint64(5), []byte("up")}, perr)

	id, body, perr = ParseMessage(payloadOf(t, Deliver, AppendDeliver(nil, 6, nil), nil))
	check([]any{id, body}, []any{uint64(6), []byte{}}, perr)

	ack, perr := ParseAck(payloadOf(t, Ack, AppendAck(nil, sampleAck), nil))
	check(ack, sampleAck, perr)

	frame, err = AppendNack(nil, &sampleNack)
	nack, perr := ParseNack(payloadOf(t, Nack, frame, err))
	check(nack, sampleNack, perr)

	check(len(payloadOf(t, Bye, AppendBye(nil), nil)), 0, nil)
	payloadOf(t, Send, AppendSend(nil, 1, make([]byte, MaxBody)), nil) // the largest body fits
}

// malformed is a payload that is refused, and what is said of it.
type malformed struct {
	name  string
	parse func([]byte) error
	input []byte
	want  error
	text  string
}

// fixedPart is the part of a payload that has no fields, and its tail.
func fixedPart(n int, tail ...byte) []byte { return append(make([]byte, n), tail...) }

// longField is a field of n bytes.
func longField(typ byte, n int) []byte {
	return append([]byte{typ, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{'x'}, n)...)
}

func wantNamed(t *testing.T, cases []malformed) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.parse(tc.input)
			if want := tc.want.Error() + ": " + tc.text; !errors.Is(err, tc.want) || err.Error() != want {
				t.Fatalf("%x: error %q, want %q", tc.input, err, want)
			}
			if CodeFor(err) != CodeProtocolError {
				t.Errorf("CodeFor(%v) = %v, want %v", err, CodeFor(err), CodeProtocolError)
			}
		})
	}
}

func TestMalformedHelloIsNamed(t *testing.T) {
	hello := func(p []byte) error { _, err := ParseHello(p); return err }
	id := []byte{1, 0, 1, 'a'} // a client id
	wantNamed(t, []malformed{
		{"hello empty", hello, nil, ErrTruncated, "HELLO payload of 0 bytes, want at least 24"},
		{"hello short", hello, fixedPart(23), ErrTruncated, "HELLO payload of 23 bytes, want at least 24"},
		{"hello without id", hello, fixedPart(24), ErrField, "client id is missing"},
		{"hello with empty id", hello, fixedPart(24, 1, 0, 0), ErrField, "client id is missing"},
		{"hello with two ids", hello, append(fixedPart(24, id...), id...), ErrField, "client id occurs twice"},
		{"hello with two ids, first empty", hello, append(fixedPart(24, 1, 0, 0), id...), ErrField, "client id occurs twice"},
		{"hello versions crossed", hello, append([]byte{2, 1}, fixedPart(22, id...)...), ErrField, "lowest version 2 above highest 1"},
		{"hello id not UTF-8", hello, fixedPart(24, 1, 0, 1, 0xff), ErrField, "client id is not UTF-8"},
		{"hello id cut inside a rune", hello, fixedPart(24, 1, 0, 1, 0xc3), ErrField, "client id is not UTF-8"},
		{"hello id escape", hello, fixedPart(24, 1, 0, 2, 'a', 0x1b), ErrField, "client id has the control character U+001B"},
		{"hello id newline", hello, fixedPart(24, 1, 0, 1, '\n'), ErrField, "client id has the control character U+000A"},
		{"hello id C1", hello, fixedPart(24, 1, 0, 2, 0xc2, 0x9b), ErrField, "client id has the control character U+009B"},
		{"hello id long", hello, fixedPart(24, longField(1, MaxClientID+1)...), ErrField, "client id has 129 bytes, at most 128 are allowed"},
		{"hello token long", hello, append(fixedPart(24, id...), longField(2, MaxToken+1)...), ErrField, "token has 4097 bytes, at most 4096 are allowed"},
		{"hello resume long", hello, append(fixedPart(24, id...), longField(3, MaxReturnPass+1)...), ErrField, "return pass has 257 bytes, at most 256 are allowed"},
		{"hello ticket long", hello, append(fixedPart(24, id...), longField(4, MaxTicket+1)...), ErrField, "ticket has 257 bytes, at most 256 are allowed"},
		{"tlv type alone", hello, fixedPart(24, 1), ErrTruncated, "TLV header of 3 bytes, 1 left"},
		{"tlv half a length", hello, fixedPart(24, 1, 0), ErrTruncated, "TLV header of 3 bytes, 2 left"},
		{"tlv value missing", hello, fixedPart(24, 1, 0, 1), ErrTruncated, "TLV 1 of 1 bytes, 0 left"},
		{"tlv value short", hello, fixedPart(24, 1, 0xff, 0xff, 'a', 'b'), ErrTruncated, "TLV 1 of 65535 bytes, 2 left"},
		{"tlv unknown and short", hello, append(fixedPart(24, id...), 99, 0, 2, 0), ErrTruncated, "TLV 99 of 2 bytes, 1 left"},
	})
}

func TestMalformedPayloadIsNamed(t *testing.T) {
	welcome := func(p []byte) error { _, err := ParseWelcome(p); return err }
	ping := func(p []byte) error { _, _, err := ParsePing(p); return err }
	pong := func(p []byte) error { _, err := ParsePong(p); return err }
	message := func(p []byte) error { _, _, err := ParseMessage(p); return err }
	request := func(p []byte) error { _, _, err := ParseRequest(p); return err }
	reply := func(p []byte) error { _, _, err := ParseReply(p); return err }
	ack := func(p []byte) error { _, err := ParseAck(p); return err }
	nack := func(p []byte) error { _, err := ParseNack(p); return err }
	goAway := func(p []byte) error { _, err := ParseGoAway(p); return err }
	wantNamed(t, []malformed{
		{"welcome short", welcome, fixedPart(51), ErrTruncated, "WELCOME payload of 51 bytes, want at least 52"},
		{"welcome node long", welcome, fixedPart(52, longField(5, MaxNode+1)...), ErrField, "node has 65 bytes, at most 64 are allowed"},
		{"welcome node escape", welcome, fixedPart(52, 5, 0, 1, 0x1b), ErrField, "node has the control character U+001B"},
		{"welcome resume long", welcome, fixedPart(52, longField(3, MaxReturnPass+1)...), ErrField, "return pass has 257 bytes, at most 256 are allowed"},
		{"welcome alternates long", welcome, fixedPart(52, longField(6, MaxAlternates+1)...), ErrField, "alternates has 1025 bytes, at most 1024 are allowed"},
		{"welcome limits short", welcome, fixedPart(52, longField(8, limitsLen-1)...), ErrField, "limits have 31 bytes, want at least 32"},
		{"welcome limits long", welcome, fixedPart(52, longField(8, maxLimits+1)...), ErrField, "limits has 65 bytes, at most 64 are allowed"},
		{"welcome expires short", welcome, fixedPart(52, longField(9, expiresLen-1)...), ErrField, "expires has 7 bytes, want 8"},
		{"welcome expires long", welcome, fixedPart(52, longField(9, expiresLen+1)...), ErrField, "expires has 9 bytes, at most 8 are allowed"},
		{"welcome tail short", welcome, fixedPart(52, 5, 0), ErrTruncated, "TLV header of 3 bytes, 2 left"},
		{"pong expires short", pong, fixedPart(28, longField(9, 1)...), ErrField, "expires has 1 bytes, want 8"},
		{"pong expires twice", pong, fixedPart(28, append(longField(9, 8), 9, 0, 0)...), ErrField, "expires occurs twice"},
		{"ping token long", ping, fixedPart(12, longField(2, MaxToken+1)...), ErrField, "token has 4097 bytes, at most 4096 are allowed"},
		{"ping token twice", ping, fixedPart(12, 2, 0, 0, 2, 0, 1, 'x'), ErrField, "token occurs twice"},
		{"ping empty", ping, nil, ErrTruncated, "PING payload of 0 bytes, want at least 12"},
		{"ping short", ping, fixedPart(11), ErrTruncated, "PING payload of 11 bytes, want at least 12"},
		{"ping tail short", ping, fixedPart(12, 1, 0, 1), ErrTruncated, "TLV 1 of 1 bytes, 0 left"},
		{"pong short", pong, fixedPart(27), ErrTruncated, "PONG payload of 27 bytes, want at least 28"},
		{"pong tail short", pong, fixedPart(28, 1, 0, 1), ErrTruncated, "TLV 1 of 1 bytes, 0 left"},
		{"message short", message, fixedPart(7), ErrTruncated, "message payload of 7 bytes, want at least 8"},
		{"request short", request, fixedPart(7), ErrTruncated, "message payload of 7 bytes, want at least 8"},
		{"request without a number", request, fixedPart(9), ErrField, "number 0 of a message that wants a reply"},
		{"reply short", reply, fixedPart(15), ErrTruncated, "reply payload of 15 bytes, want at least 16"},
		{"reply with a number", reply, append(fixedPart(7, 1), fixedPart(8)...), ErrField, "number 1 of a reply, want 0"},
		{"ack short", ack, fixedPart(19), ErrTruncated, "ACK payload of 19 bytes, want at least 20"},
		{"ack long", ack, fixedPart(21), ErrField, "ACK payload of 21 bytes, want exactly 20"},
		{"ack backwards", ack, append([]byte{0, 0, 0, 0, 0, 0, 0, 2}, fixedPart(12)...), ErrField, "ACK from 2 to 0"},
		{"nack short", nack, fixedPart(11), ErrTruncated, "NACK payload of 11 bytes, want at least 12"},
		{"nack reason", nack, fixedPart(12, 7, 0, 1, 0x1b), ErrField, "reason has the control character U+001B"},
		{"goaway short", goAway, fixedPart(11), ErrTruncated, "GOAWAY payload of 11 bytes, want at least 12"},
		{"goaway ticket long", goAway, fixedPart(12, longField(4, MaxTicket+1)...), ErrField, "ticket has 257 bytes, at most 256 are allowed"},
		{"goaway alternates not UTF-8", goAway, fixedPart(12, 6, 0, 1, 0x80), ErrField, "alternates is not UTF-8"},
		{"goaway reason long", goAway, fixedPart(12, longField(7, MaxReason+1)...), ErrField, "reason has 257 bytes, at most 256 are allowed"},
		{"goaway reason twice", goAway, fixedPart(12, 7, 0, 1, 'a', 7, 0, 1, 'b'), ErrField, "reason occurs twice"},
		{"goaway tail short", goAway, fixedPart(12, 7), ErrTruncated, "TLV header of 3 bytes, 1 left"},
	})
}

// TestEncoderRefusesWhatDecoderRefuses guards that a limit has one meaning, and that a
// refused message leaves nothing in the buffer.
func TestEncoderRefusesWhatDecoderRefuses(t *testing.T) {
	x := func(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }
	before := []byte("before")
	for _, tc := range []struct {
		name   string
		append func([]byte) ([]byte, error)
	}{
		{"client id is missing", func(b []byte) ([]byte, error) { return AppendHello(b, &HelloMessage{}) }},
		{"lowest version 2 above highest 1", func(b []byte) ([]byte, error) {
			return AppendHello(b, &HelloMessage{MinVersion: 2, MaxVersion: 1, ClientID: x(1)})
		}},
		{"client id has 129 bytes", func(b []byte) ([]byte, error) { return AppendHello(b, &HelloMessage{ClientID: x(129)}) }},
		{"client id has the control", func(b []byte) ([]byte, error) { return AppendHello(b, &HelloMessage{ClientID: []byte{0}}) }},
		{"token has 4097 bytes", func(b []byte) ([]byte, error) {
			return AppendHello(b, &HelloMessage{ClientID: x(1), Token: x(4097)})
		}},
		{"token has 70000 bytes", func(b []byte) ([]byte, error) {
			return AppendHello(b, &HelloMessage{ClientID: x(1), Token: x(70000)})
		}},
		{"token has 4097 bytes", func(b []byte) ([]byte, error) { return AppendRenewal(b, 1, 0, x(4097)) }},
		{"node has 65 bytes", func(b []byte) ([]byte, error) { return AppendWelcome(b, &WelcomeMessage{Node: x(65)}) }},
		{"alternates has the control character U+000A", func(b []byte) ([]byte, error) {
			return AppendAnnouncement(b, PongMessage{Alternates: []byte("b:1\n")})
		}},
		{"alternates is not UTF-8", func(b []byte) ([]byte, error) {
			return AppendWelcome(b, &WelcomeMessage{Alternates: []byte{0xff}})
		}},
		{"reason has 257 bytes", func(b []byte) ([]byte, error) { return AppendGoAway(b, &GoAwayMessage{Reason: x(257)}) }},
	} {
		got, err := tc.append(before)
		if !errors.Is(err, ErrField) || !strings.HasPrefix(err.Error(), ErrField.Error()+": "+tc.name) {
			t.Errorf("error %q, want %v: %s", err, ErrField, tc.name)
		}
		if string(got) != "before" {
			t.Errorf("%s: buffer is %q afterwards, want it untouched", tc.name, got)
		}
	}
}

func TestUnknownEntriesAreSkipped(t *testing.T) {
	unknown := []byte{200, 0, 3, 1, 2, 3, 200, 0, 0, 7, 0, 1, 'r'} // the last one: a reason, which HELLO does not list
	frame, err := AppendHello(nil, &sampleHello)
	p := payloadOf(t, Hello, frame, err)
	p = append(append(bytes.Clone(p[:helloFixed]), unknown...), append(p[helloFixed:], unknown...)...)
	if got, err := ParseHello(p); err != nil || !reflect.DeepEqual(got, sampleHello) {
		t.Errorf("ParseHello = %+v, %v\nwant %+v", got, err, sampleHello)
	}
	pong := append(payloadOf(t, Pong, AppendPong(nil, samplePong), nil), unknown...)
	if got, err := ParsePong(pong); err != nil || !reflect.DeepEqual(got, samplePong) {
		t.Errorf("ParsePong = %+v, %v\nwant %+v", got, err, samplePong)
	}
}

// TestLargestHelloFits guards that the limit before authentication admits every HELLO.
func TestLargestHelloFits(t *testing.T) {
	x := func(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }
	b, err := AppendHello(nil, &HelloMessage{ClientID: x(MaxClientID), Token: x(MaxToken), ReturnPass: x(MaxReturnPass), Ticket: x(MaxTicket)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Decode(b, MaxPayloadBeforeAuth); err != nil {
		t.Error(err)
	}
}

func TestTermsRoundUpAndSaturate(t *testing.T) {
	const most = math.MaxUint32 * time.Millisecond
	for _, tc := range []struct{ in, want time.Duration }{
		{0, 0}, {-1, 0}, {math.MinInt64, 0},
		{1, time.Millisecond}, {time.Millisecond, time.Millisecond}, {time.Millisecond + 1, 2 * time.Millisecond},
		{75 * time.Second, 75 * time.Second},
		{most, most}, {most + 1, most}, {math.MaxInt64, most},
	} {
		m, err := ParsePong(payloadOf(t, Pong, AppendPong(nil, PongMessage{Terms: Terms{Interval: tc.in, Timeout: tc.in, Window: tc.in, Patience: tc.in}}), nil))
		if want := (Terms{tc.want, tc.want, tc.want, tc.want, 0}); err != nil || m.Terms != want {
			t.Errorf("%v travels as %v, %v, want %v", tc.in, m.Terms, err, want)
		}
	}
}

func TestHotPathsAllocateNothing(t *testing.T) {
	buf := make([]byte, 0, MaxPayload+Overhead)
	body := make([]byte, 1024)
	hello, _ := AppendHello(nil, &sampleHello)
	welcome, _ := AppendWelcome(nil, &sampleWelcome)
	goAway, _ := AppendGoAway(nil, &sampleGoAway)
	nack, _ := AppendNack(nil, &sampleNack)
	ping, pong := AppendPing(nil, 1, 0), AppendPong(nil, samplePong)
	send, ack := AppendSend(nil, 1, body), AppendAck(nil, sampleAck)
	decode := func(b []byte) []byte {
		f, _, err := Decode(b, MaxPayload)
		if err != nil {
			panic(err)
		}
		return f.Payload
	}
	for _, tc := range []struct {
		name string
		f    func()
	}{
		{"append hello", func() { _, _ = AppendHello(buf, &sampleHello) }},
		{"append welcome", func() { _, _ = AppendWelcome(buf, &sampleWelcome) }},
		{"append goaway", func() { _, _ = AppendGoAway(buf, &sampleGoAway) }},
		{"append ping", func() { AppendPing(buf, 1, 0) }},
		{"append pong", func() { AppendPong(buf, samplePong) }},
		{"append announcement", func() { _, _ = AppendAnnouncement(buf, samplePong) }},
		{"append send", func() { AppendSend(buf, 1, body) }},
		{"append deliver", func() { AppendDeliver(buf, 1, body) }},
		{"append ack", func() { AppendAck(buf, sampleAck) }},
		{"append nack", func() { _, _ = AppendNack(buf, &sampleNack) }},
		{"append bye", func() { AppendBye(buf) }},
		{"decode hello", func() { _, _ = ParseHello(decode(hello)) }},
		{"decode welcome", func() { _, _ = ParseWelcome(decode(welcome)) }},
		{"decode goaway", func() { _, _ = ParseGoAway(decode(goAway)) }},
		{"decode ping", func() { _, _, _ = ParsePing(decode(ping)) }},
		{"decode pong", func() { _, _ = ParsePong(decode(pong)) }},
		{"decode send", func() { _, _, _ = ParseMessage(decode(send)) }},
		{"decode ack", func() { _, _ = ParseAck(decode(ack)) }},
		{"decode nack", func() { _, _ = ParseNack(decode(nack)) }},
		{"incomplete", func() { _, _, _ = Decode(send[:100], MaxPayload) }},
	} {
		if n := testing.AllocsPerRun(100, tc.f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", tc.name, n)
		}
	}
}

// TestServerTimeSurvives pins the one field with a sign.
func TestServerTimeSurvives(t *testing.T) {
	for _, at := range []time.Time{time.UnixMilli(0), time.UnixMilli(-1), time.UnixMilli(math.MaxInt64), time.UnixMilli(math.MinInt64), {}} {
		frame, err := AppendWelcome(nil, &WelcomeMessage{ServerTime: at})
		m, perr := ParseWelcome(payloadOf(t, Welcome, frame, err))
		if perr != nil || m.ServerTime.UnixMilli() != at.UnixMilli() {
			t.Errorf("%v comes back as %v, %v", at, m.ServerTime, perr)
		}
	}
}

// The two version bytes are read before anything else: what follows may be of a later version.
func TestHelloVersionsNeedsTheRangeOnly(t *testing.T) {
	for _, tc := range []struct {
		p       []byte
		lowest  uint8
		highest uint8
		ok      bool
	}{{nil, 0, 0, false}, {[]byte{1}, 0, 0, false}, {[]byte{2, 1}, 0, 0, false}, {[]byte{3, 3}, 3, 3, true}, {[]byte{1, 255, 9}, 1, 255, true}} {
		if lowest, highest, ok := HelloVersions(tc.p); lowest != tc.lowest || highest != tc.highest || ok != tc.ok {
			t.Errorf("HelloVersions(%v) = %d, %d, %v", tc.p, lowest, highest, ok)
		}
	}
}
