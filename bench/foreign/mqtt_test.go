package foreign

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

func mustMQTT(t testing.TB, cfg Config) *mqtt {
	t.Helper()
	if cfg.Interval == 0 {
		cfg.Interval = 2 * time.Second
	}
	m, err := newMQTT(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// decoded is the one frame of b.
func decoded(t testing.TB, b []byte) codec.Frame {
	t.Helper()
	f, size, err := codec.Decode(b, codec.MaxPayload)
	if err != nil || size != len(b) {
		t.Fatalf("% x is not one frame: %v", b, err)
	}
	return f
}

// Section 3.1 of MQTT 3.1.1, byte by byte.
func TestConnectIsAsTheStandardDrawsIt(t *testing.T) {
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("bench-1-7")})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"plain", Config{Interval: 10 * time.Second},
			"\x10\x15\x00\x04MQTT\x04\x02\x00\x0a\x00\x09bench-1-7"},
		{"keepalive is rounded up", Config{Interval: 1500 * time.Millisecond},
			"\x10\x15\x00\x04MQTT\x04\x02\x00\x02\x00\x09bench-1-7"},
		{"user name", Config{Interval: 300 * time.Second, Username: "u"},
			"\x10\x18\x00\x04MQTT\x04\x82\x01\x2c\x00\x09bench-1-7\x00\x01u"},
		{"user name and password", Config{Interval: time.Second, Username: "u", Password: "pw"},
			"\x10\x1c\x00\x04MQTT\x04\xc2\x00\x01\x00\x09bench-1-7\x00\x01u\x00\x02pw"},
	} {
		got, answered := mustMQTT(t, tt.cfg).Outbound(nil, decoded(t, hello))
		if string(got) != tt.want || answered {
			t.Errorf("%s: CONNECT is\n% x, want\n% x", tt.name, got, tt.want)
		}
	}
}

func TestHeartbeatsAndFarewellsAreTranslated(t *testing.T) {
	m := mustMQTT(t, Config{})
	for _, tt := range []struct{ frame, want []byte }{
		{codec.AppendPing(nil, 5, 0), []byte{0xc0, 0}},
		{codec.AppendBye(nil), []byte{0xe0, 0}},
		{codec.AppendAck(nil, codec.AckOf(1)), nil},
	} {
		if got, _ := m.Outbound(nil, decoded(t, tt.frame)); !bytes.Equal(got, tt.want) {
			t.Errorf("% x becomes % x, want % x", tt.frame, got, tt.want)
		}
	}
}

// What a broker says, as the link hears it.
func TestPacketsOfABrokerAreUnderstood(t *testing.T) {
	m := mustMQTT(t, Config{Interval: 2500 * time.Millisecond})
	const token = 7
	terms := codec.Terms{Interval: 2500 * time.Millisecond, Timeout: 4500 * time.Millisecond}
	goAway := func(code codec.Code) []byte { return appendGoAway(nil, code) }
	life := codec.AppendPong(nil, codec.PongMessage{Terms: terms})
	for _, tt := range []struct {
		name, packet string
		want         []byte
	}{
		{"CONNACK accepted", "\x20\x02\x00\x00", m.accepted},
		{"CONNACK accepted, a session is there", "\x20\x02\x01\x00", m.accepted},
		{"CONNACK version", "\x20\x02\x00\x01", goAway(codec.CodeVersion)},
		{"CONNACK identifier", "\x20\x02\x00\x02", goAway(codec.CodeUnauthorized)},
		{"CONNACK unavailable", "\x20\x02\x00\x03", goAway(codec.CodeBusy)},
		{"CONNACK credentials", "\x20\x02\x00\x04", goAway(codec.CodeUnauthorized)},
		{"CONNACK not authorized", "\x20\x02\x00\x05", goAway(codec.CodeUnauthorized)},
		{"CONNACK of a later day", "\x20\x02\x00\x06", noFrame},
		{"CONNACK with flags", "\x20\x02\x02\x00", noFrame},
		{"CONNACK too long", "\x20\x03\x00\x00\x00", noFrame},
		{"PINGRESP", "\xd0\x00", codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms})},
		{"PINGRESP with a body", "\xd0\x01\x00", noFrame},
		{"PUBLISH", "\x30\x05\x00\x01ahi", life},
		{"PUBLISH of QoS 1", "\x32\x07\x00\x01a\x00\x01hi", life},
		{"PUBLISH of QoS 3", "\x36\x07\x00\x01a\x00\x01hi", noFrame},
		{"PUBLISH with a topic beyond its end", "\x30\x03\x00\x02a", noFrame},
		{"PUBACK", "\x40\x02\x00\x01", life},
		{"PUBREL", "\x62\x02\x00\x01", life},
		{"PUBREL with other flags", "\x60\x02\x00\x01", noFrame},
		{"SUBACK", "\x90\x03\x00\x01\x00", life},
		{"UNSUBACK", "\xb0\x02\x00\x01", life},
		{"CONNECT, which is a client's", "\x10\x00", noFrame},
		{"kind 0", "\x00\x00", noFrame},
		{"kind 15", "\xf0\x00", noFrame},
		{"HTTP", "HTTP/1.1 400", noFrame},
		{"a length of five bytes", "\x30\x80\x80\x80\x80\x01", noFrame},
		{"a length beyond the limit", "\x30\x81\x80\x04", noFrame},
		{"the longest length that MQTT has", "\x30\xff\xff\xff\x7f", noFrame},
	} {
		got, consumed, _ := m.Inbound(nil, []byte(tt.packet), Asked{Token: token})
		if !bytes.Equal(got, tt.want) || consumed != len(tt.packet) {
			t.Errorf("%s: the link sees\n% x after %d bytes, want\n% x", tt.name, got, consumed, tt.want)
		}
	}
	w, err := codec.ParseWelcome(decoded(t, m.accepted).Payload)
	if err != nil || w.Terms != terms {
		t.Errorf("WELCOME with %+v, %v; want %+v: 1.5 times a keepalive of 3 s", w.Terms, err, terms)
	}
}

// A refusal, before CONNACK or after, must reach the link as what it is.
func TestALinkObeysABroker(t *testing.T) {
	connAck, pingResp, publish := "\x20\x02\x00\x00", "\xd0\x00", "\x30\x05\x00\x01ahi"
	for _, tt := range []struct {
		name, stream string
		kind         link.EventKind
		state        link.State
	}{
		{"accepted", connAck, link.Ready, link.StateReady},
		{"accepted, and a message nobody asked for", connAck + publish, link.Ready, link.StateReady},
		{"bad credentials", "\x20\x02\x00\x04", link.RetryAt, link.StateBackingOff},
		{"wrong version", "\x20\x02\x00\x01", link.RetryAt, link.StateBackingOff},
		{"unavailable", "\x20\x02\x00\x03", link.RetryAt, link.StateBackingOff},
		{"PINGRESP before CONNACK", pingResp, link.RetryAt, link.StateBackingOff},
		{"PUBLISH before CONNACK", publish, link.RetryAt, link.StateBackingOff},
		{"CONNACK twice", connAck + connAck, link.RetryAt, link.StateBackingOff},
		{"garbage", "SSH-2.0-x", link.RetryAt, link.StateBackingOff},
	} {
		state, last := overhear(t, mustMQTT(t, Config{}), []byte(tt.stream), []int{len(tt.stream)})
		if state != tt.state || last != tt.kind {
			t.Errorf("%s: %v after %v, want %v after %v", tt.name, state, last, tt.state, tt.kind)
		}
	}
}

// overhear has a link connect and read the stream in the pieces of the given lengths, in
// turn, as loop.receive does it.
func overhear(t testing.TB, tr Translator, stream []byte, pieces []int) (link.State, link.EventKind) {
	t.Helper()
	cfg := link.Config{Endpoints: []string{"127.0.0.1:1"}}
	cfg.Fill()
	var l link.Link
	var out link.Out
	var last link.EventKind
	settle := func() {
		for _, a := range out.Actions {
			if a.Op == link.Notify {
				last = a.Event.Kind
			}
		}
		out.Reset()
	}
	l.Init(&cfg, 1, 1)
	l.Start(0, &out)
	l.Connected(0, 1, nil, &out)
	settle()
	var kept, frame []byte
	need := 0
	for k := 0; len(stream) > 0; k++ {
		n := min(max(pieces[k%len(pieces)], 1), len(stream))
		kept = append(kept, stream[:n]...)
		stream = stream[n:]
		for len(kept) > 0 && len(kept) >= need {
			var consumed int
			frame, consumed, need = tr.Inbound(frame[:0], kept, Asked{Token: uint64(l.Info().Pings)})
			if consumed < 0 || consumed > len(kept) || consumed == 0 && (need <= len(kept) || len(frame) > 0) || consumed > 0 && len(frame) == 0 {
				t.Fatalf("inbound(% x) = % x, consumed %d, need %d", kept, frame, consumed, need)
			}
			kept = kept[consumed:]
			l.Received(0, 1, frame, &out)
			settle()
			if l.Attempt() != 1 {
				return l.State(), last
			}
		}
	}
	return l.State(), last
}

// FuzzMQTT: any bytes in any split lead a link to the same end, and what is kept of them
// is what has arrived.
func FuzzMQTT(f *testing.F) {
	for _, s := range []string{"\x20\x02\x00\x00\xd0\x00", "\x20\x02\x00\x00\x30\x05\x00\x01ahi\xd0\x00", "\x20\x02\x00\x05",
		"\x20\x02\x00\x00\x30\xff\xff\xff\x7f", "\x30\x80\x80\x80\x80\x01", "\x20\x02\x00\x00\x90\x03\x00\x01\x00\x62\x02\x00\x01"} {
		f.Add([]byte(s), uint64(1))
	}
	m := mustMQTT(f, Config{})
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		if p, size, err := decodePacket(stream, maxPacket); err == nil && (size > len(stream) || len(p.body) > maxPacket) {
			t.Fatalf("a packet of %d bytes in %d", size, len(stream))
		} else if errors.Is(err, errPacketIncomplete) && (size <= len(stream) || size > maxPacket+5) {
			t.Fatalf("%d bytes wait for %d", len(stream), size)
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		pieces := make([]int, 8)
		for i := range pieces {
			pieces[i] = 1 + rng.IntN(5)
		}
		wholeState, wholeLast := overhear(t, m, stream, []int{len(stream)})
		state, last := overhear(t, m, stream, pieces)
		if state != wholeState || last != wholeLast {
			t.Fatalf("in pieces of %v: %v after %v; whole: %v after %v", pieces, state, last, wholeState, wholeLast)
		}
	})
}

// Section 3.3 of MQTT 3.1.1, byte by byte.
func TestASendIsAPublishAndItsPUBACKTheACK(t *testing.T) {
	m := mustMQTT(t, Config{})
	for _, tt := range []struct {
		number uint64
		id     string
	}{{1, "\x00\x01"}, {0xffff, "\xff\xff"}, {0x10000, "\x00\x01"}, {0x20001, "\x00\x03"}} {
		got, answered := m.Outbound(nil, decoded(t, codec.AppendSend(nil, tt.number, []byte("hello"))))
		if want := "\x32\x19\x00\x10stormwheel/bench" + tt.id + "hello"; string(got) != want || answered {
			t.Errorf("SEND %d becomes\n% x, want\n% x", tt.number, got, want)
		}
		for back := range uint64(300) { // later ones may be outstanding, too
			frame, consumed, _ := m.Inbound(nil, []byte("\x40\x02"+tt.id), Asked{Sent: tt.number + back})
			if want := codec.AppendAck(nil, codec.AckOf(tt.number)); !bytes.Equal(frame, want) || consumed != 4 {
				t.Fatalf("PUBACK of %d, of which %d were sent: % x, want % x", tt.number, tt.number+back, frame, want)
			}
		}
	}
	for _, nobodys := range []string{"\x00\x00", "\x00\x09"} {
		frame, _, _ := m.Inbound(nil, []byte("\x40\x02"+nobodys), Asked{Sent: 8})
		if f := decoded(t, frame); f.Type != codec.Pong {
			t.Errorf("PUBACK % x of eight that were sent becomes %v", nobodys, f.Type)
		}
	}
}
