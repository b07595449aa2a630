package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestPageExamples decodes every example to the values named beside it, and encodes the
// named values to the bytes of the example.
func TestPageExamples(t *testing.T) {
	seen := map[Type]bool{}
	blocks := strings.Split(protocolPage(t), "```hex\n")[1:]
	for i, block := range blocks {
		text, _, closed := strings.Cut(block, "```")
		if !closed {
			t.Fatalf("example %d does not end", i)
		}
		frame, named := parseExample(t, text)
		f, size, err := Decode(frame, MaxPayload)
		if err != nil || size != len(frame) {
			t.Errorf("example %d: size %d of %d, %v", i, size, len(frame), err)
			continue
		}
		seen[f.Type] = true
		got := append(describe(t, f), "checksum = "+hex.EncodeToString(frame[size-TrailerLen:]))
		if want := strings.Join(named, "\n"); strings.Join(got, "\n") != want {
			t.Errorf("example %d says\n%s\nbut its bytes say\n%s", i, want, strings.Join(got, "\n"))
		}
		if built := build(t, named); !bytes.Equal(built, frame) {
			t.Errorf("example %d has the bytes\n% x\nbut what it says encodes to\n% x", i, frame, built)
		}
	}
	for typ := Hello; typ <= Nack; typ++ {
		if !seen[typ] {
			t.Errorf("PROTOCOL.md has no example of %v", typ)
		}
	}
}

// fenced returns what stands on the page between fences of a kind.
func fenced(t *testing.T, page, kind string) []string {
	t.Helper()
	var blocks []string
	for _, block := range strings.Split(page, "```"+kind+"\n")[1:] {
		text, _, closed := strings.Cut(block, "```")
		if !closed {
			t.Fatalf("a block of kind %q does not end", kind)
		}
		blocks = append(blocks, text)
	}
	if len(blocks) == 0 {
		t.Fatalf("PROTOCOL.md has nothing of kind %q", kind)
	}
	return blocks
}

// TestPageOddities: what the page calls accepted is accepted, and says what the page says.
func TestPageOddities(t *testing.T) {
	for i, text := range fenced(t, protocolPage(t), "odd") {
		frame, named := parseExample(t, text)
		f, size, err := Decode(frame, MaxPayload)
		if err != nil || size != len(frame) {
			t.Errorf("oddity %d: size %d of %d, %v", i, size, len(frame), err)
			continue
		}
		got := describe(t, f)
		for _, pair := range named {
			if strings.Contains(pair, " = ") && !slices.Contains(got, pair) {
				t.Errorf("oddity %d says %q, but its bytes say\n%s", i, pair, strings.Join(got, "\n"))
			}
		}
	}
}

// TestPageRefusals: what the page calls refused is refused, with that code and for that reason.
func TestPageRefusals(t *testing.T) {
	for i, text := range fenced(t, protocolPage(t), "refused") {
		frame, _ := parseExample(t, text)
		code, why, _ := strings.Cut(strings.TrimSpace(text[strings.LastIndex(text, "#")+1:]), ": ")
		f, _, err := Decode(frame, MaxPayload)
		if err == nil {
			_, err = parse(f)
		}
		if err == nil || errors.Is(err, ErrIncomplete) {
			t.Errorf("refusal %d: %v, want %q", i, err, why)
		} else if got := CodeFor(err); strconv.Itoa(int(got)) != code || !strings.Contains(err.Error(), why) {
			t.Errorf("refusal %d: %d: %v; the page says %s: %s", i, got, err, code, why)
		}
	}
}

// parse reads a payload by its type.
func parse(f Frame) (m any, err error) {
	switch f.Type {
	case Hello:
		return ParseHello(f.Payload)
	case Welcome:
		return ParseWelcome(f.Payload)
	case Ping:
		_, _, err = ParsePing(f.Payload)
	case Pong:
		return ParsePong(f.Payload)
	case Send, Deliver:
		_, _, err = parseMessage(f)
	case Ack:
		return ParseAck(f.Payload)
	case Nack:
		return ParseNack(f.Payload)
	case GoAway:
		return ParseGoAway(f.Payload)
	}
	return nil, err
}

// parseMessage reads a SEND or a DELIVER by its flags.
func parseMessage(f Frame) (number uint64, body []byte, err error) {
	switch f.Flags &^ FlagIgnorable {
	case FlagWantsReply:
		return ParseRequest(f.Payload)
	case FlagReply:
		return ParseReply(f.Payload)
	default:
		return ParseMessage(f.Payload)
	}
}

// parseExample returns the bytes before each # and the "name = value" pairs after it.
func parseExample(t *testing.T, text string) (frame []byte, named []string) {
	for line := range strings.Lines(text) {
		digits, comment, _ := strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		frame = append(frame, b...)
		for pair := range strings.SplitSeq(comment, ", ") {
			if pair = strings.TrimSpace(pair); pair != "" {
				named = append(named, pair)
			}
		}
	}
	return frame, named
}

// describe spells a decoded frame as the page does.
func describe(t *testing.T, f Frame) []string {
	out := []string{"type = " + f.Type.String()}
	say := func(name string, value any) { out = append(out, fmt.Sprintf("%s = %v", name, value)) }
	tail := func(fields []field) {
		for _, fd := range fields {
			switch rule := tlvRules[fd.t]; {
			case len(*fd.value) == 0:
			case rule.text:
				say(rule.name, string(*fd.value))
			default:
				say(rule.name, hex.EncodeToString(*fd.value))
			}
		}
	}
	terms := func(m Terms) {
		say("interval_ms", m.Interval.Milliseconds())
		say("timeout_ms", m.Timeout.Milliseconds())
		say("window_ms", m.Window.Milliseconds())
		say("patience_ms", m.Patience.Milliseconds())
		say("terms", m.Number)
	}
	limits := func(l Limits) {
		if l == (Limits{}) {
			return
		}
		say("max_send", l.MaxSend)
		say("max_deliver", l.MaxDeliver)
		say("frames", l.Frames)
		say("frame_burst", l.FrameBurst)
		say("bytes", l.Bytes)
		say("byte_burst", l.ByteBurst)
		say("unsettled", l.Unsettled)
		say("unsettled_bytes", l.UnsettledBytes)
	}
	expires := func(left time.Duration) {
		if left > 0 {
			say("expires_ms", left.Milliseconds())
		}
	}
	say("flags", f.Flags)
	say("length", len(f.Payload))
	var err error
	switch f.Type {
	case Hello:
		var m HelloMessage
		m, err = ParseHello(f.Payload)
		say("min_version", m.MinVersion)
		say("max_version", m.MaxVersion)
		say("features", m.Features)
		say("incarnation", fmt.Sprintf("%016x", m.Incarnation))
		say("attempt", m.Attempt)
		fields := m.fields()
		tail(fields[:])
	case Welcome:
		var m WelcomeMessage
		m, err = ParseWelcome(f.Payload)
		say("version", m.Version)
		say("features", m.Features)
		say("epoch", fmt.Sprintf("%016x", m.Session.Epoch))
		say("handle", fmt.Sprintf("%016x", m.Session.Handle))
		terms(m.Terms)
		say("server_time", m.ServerTime.UTC().Format(time.RFC3339Nano))
		var none []byte
		fields := m.fields(&none, &none)
		tail(fields[:])
		limits(m.Limits)
		expires(m.Expires)
	case Ping:
		var token uint64
		var applied uint16
		token, applied, err = ParsePing(f.Payload)
		say("token", token)
		say("terms", applied)
		if credential := Renewal(f.Payload); len(credential) > 0 {
			say("credential", hex.EncodeToString(credential))
		}
	case Pong:
		var m PongMessage
		m, err = ParsePong(f.Payload)
		say("token", m.Token)
		terms(m.Terms)
		tail([]field{{tlvAlternates, &m.Alternates}})
		limits(m.Limits)
		expires(m.Expires)
	case Send, Deliver:
		var id uint64
		var body []byte
		id, body, err = parseMessage(f)
		if f.Flags&FlagReply != 0 {
			say("number", 0)
			say("replies to", id)
		} else {
			say("number", id)
		}
		say("body", string(body))
	case Ack:
		var m AckMessage
		m, err = ParseAck(f.Payload)
		say("first", m.First)
		say("last", m.Last)
		say("what", m.What)
	case Nack:
		var m NackMessage
		m, err = ParseNack(f.Payload)
		say("number", m.Number)
		say("code", uint16(m.Code))
		fields := m.fields()
		tail(fields[:])
	case GoAway:
		var m GoAwayMessage
		m, err = ParseGoAway(f.Payload)
		say("code", uint16(m.Code))
		say("delay_ms", m.Delay.Milliseconds())
		say("window_ms", m.Window.Milliseconds())
		fields := m.fields()
		tail(fields[:])
	}
	if err != nil {
		t.Errorf("%v: %v", f.Type, err)
	}
	return out
}

// build encodes the values that an example names.
func build(t *testing.T, named []string) []byte {
	values := map[string]string{}
	for _, pair := range named {
		name, value, _ := strings.Cut(pair, " = ")
		values[name] = value
	}
	num := func(name string, base, bits int) uint64 {
		n, err := strconv.ParseUint(values[name], base, bits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return n
	}
	ms := func(name string) time.Duration { return time.Duration(num(name, 10, 32)) * time.Millisecond }
	raw := func(name string) []byte {
		b, err := hex.DecodeString(values[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return b
	}
	text := func(name string) []byte { return []byte(values[name]) }
	terms := func() Terms {
		return Terms{ms("interval_ms"), ms("timeout_ms"), ms("window_ms"), ms("patience_ms"), uint16(num("terms", 10, 16))}
	}

	limits := func() (l Limits) {
		if values["max_send"] == "" {
			return l
		}
		u := func(name string) uint32 { return uint32(num(name, 10, 32)) }
		return Limits{u("max_send"), u("max_deliver"), u("frames"), u("frame_burst"), u("bytes"), u("byte_burst"), u("unsettled"), u("unsettled_bytes")}
	}

	expires := func() time.Duration {
		if values["expires_ms"] == "" {
			return 0
		}
		return ms("expires_ms")
	}

	var frame []byte
	var err error
	switch values["type"] {
	case "HELLO":
		frame, err = AppendHello(nil, &HelloMessage{
			MinVersion: uint8(num("min_version", 10, 8)), MaxVersion: uint8(num("max_version", 10, 8)),
			Features: uint32(num("features", 10, 32)), ClientID: text("client id"),
			Incarnation: num("incarnation", 16, 64), Attempt: uint32(num("attempt", 10, 32)),
			Token: raw("token"), ReturnPass: raw("return pass"), Ticket: raw("ticket")})
	case "WELCOME":
		at, perr := time.Parse(time.RFC3339, values["server_time"])
		if perr != nil {
			t.Error(perr)
		}
		frame, err = AppendWelcome(nil, &WelcomeMessage{
			Version: uint8(num("version", 10, 8)), Features: uint32(num("features", 10, 32)),
			Session: SessionID{num("epoch", 16, 64), num("handle", 16, 64)}, Terms: terms(), ServerTime: at,
			Node: text("node"), ReturnPass: raw("return pass"), Alternates: text("alternates"), Limits: limits(), Expires: expires()})
	case "PING":
		frame, err = AppendRenewal(nil, num("token", 10, 64), uint16(num("terms", 10, 16)), raw("credential"))
	case "PONG":
		frame, err = AppendAnnouncement(nil, PongMessage{Token: num("token", 10, 64), Terms: terms(), Limits: limits(),
			Alternates: text("alternates"), Expires: expires()})
	case "SEND", "DELIVER":
		typ := Send
		if values["type"] == "DELIVER" {
			typ = Deliver
		}
		switch Flags(num("flags", 10, 8)) {
		case FlagWantsReply:
			frame = AppendRequest(nil, typ, num("number", 10, 64), text("body"))
		case FlagReply:
			frame = AppendReply(nil, typ, num("replies to", 10, 64), text("body"))
		default:
			frame = appendNumbered(nil, typ, 0, num("number", 10, 64), text("body"))
		}
	case "ACK":
		frame = AppendAck(nil, AckMessage{Range{num("first", 10, 64), num("last", 10, 64)}, uint8(num("what", 10, 8))})
	case "NACK":
		frame, err = AppendNack(nil, &NackMessage{num("number", 10, 64), NackCode(num("code", 10, 16)), text("reason")})
	case "GOAWAY":
		frame, err = AppendGoAway(nil, &GoAwayMessage{
			Code: Code(num("code", 10, 16)), Delay: ms("delay_ms"), Window: ms("window_ms"),
			Ticket: raw("ticket"), Alternates: text("alternates"), Reason: text("reason")})
	case "BYE":
		frame = AppendBye(nil)
	}
	if err != nil {
		t.Error(err)
	}
	return frame
}
