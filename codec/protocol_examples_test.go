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

// description spells a decoded frame as the page does.
type description struct{ lines []string }

func describe(t *testing.T, f Frame) []string {
	d := &description{[]string{"type = " + f.Type.String()}}
	d.say("flags", f.Flags)
	d.say("length", len(f.Payload))
	if err := d.payload(f); err != nil {
		t.Errorf("%v: %v", f.Type, err)
	}
	return d.lines
}

func (d *description) say(name string, value any) {
	d.lines = append(d.lines, fmt.Sprintf("%s = %v", name, value))
}

func (d *description) tail(fields []field) {
	for _, fd := range fields {
		switch rule := tlvRules[fd.t]; {
		case len(*fd.value) == 0:
		case rule.text:
			d.say(rule.name, string(*fd.value))
		default:
			d.say(rule.name, hex.EncodeToString(*fd.value))
		}
	}
}

func (d *description) terms(m Terms) {
	d.say("interval_ms", m.Interval.Milliseconds())
	d.say("timeout_ms", m.Timeout.Milliseconds())
	d.say("window_ms", m.Window.Milliseconds())
	d.say("patience_ms", m.Patience.Milliseconds())
	d.say("terms", m.Number)
}

func (d *description) limits(l Limits) {
	if l == (Limits{}) {
		return
	}
	d.say("max_send", l.MaxSend)
	d.say("max_deliver", l.MaxDeliver)
	d.say("frames", l.Frames)
	d.say("frame_burst", l.FrameBurst)
	d.say("bytes", l.Bytes)
	d.say("byte_burst", l.ByteBurst)
	d.say("unsettled", l.Unsettled)
	d.say("unsettled_bytes", l.UnsettledBytes)
}

func (d *description) expires(left time.Duration) {
	if left > 0 {
		d.say("expires_ms", left.Milliseconds())
	}
}

func (d *description) payload(f Frame) error {
	m, err := parse(f)
	switch m := m.(type) {
	case HelloMessage:
		d.say("min_version", m.MinVersion)
		d.say("max_version", m.MaxVersion)
		d.say("features", m.Features)
		d.say("incarnation", fmt.Sprintf("%016x", m.Incarnation))
		d.say("attempt", m.Attempt)
		fields := m.fields()
		d.tail(fields[:])
	case WelcomeMessage:
		d.say("version", m.Version)
		d.say("features", m.Features)
		d.say("epoch", fmt.Sprintf("%016x", m.Session.Epoch))
		d.say("handle", fmt.Sprintf("%016x", m.Session.Handle))
		d.terms(m.Terms)
		d.say("server_time", m.ServerTime.UTC().Format(time.RFC3339Nano))
		var none []byte
		fields := m.fields(&none, &none)
		d.tail(fields[:])
		d.limits(m.Limits)
		d.expires(m.Expires)
	case PongMessage:
		d.say("token", m.Token)
		d.terms(m.Terms)
		d.tail([]field{{tlvAlternates, &m.Alternates}})
		d.limits(m.Limits)
		d.expires(m.Expires)
	case AckMessage:
		d.say("first", m.First)
		d.say("last", m.Last)
		d.say("what", m.What)
	case NackMessage:
		d.say("number", m.Number)
		d.say("code", uint16(m.Code))
		fields := m.fields()
		d.tail(fields[:])
	case GoAwayMessage:
		d.say("code", uint16(m.Code))
		d.say("delay_ms", m.Delay.Milliseconds())
		d.say("window_ms", m.Window.Milliseconds())
		fields := m.fields()
		d.tail(fields[:])
	default:
		return errors.Join(err, d.plain(f))
	}
	return err
}

// plain is for payloads that are read into no struct.
func (d *description) plain(f Frame) error {
	switch f.Type {
	case Ping:
		token, applied, err := ParsePing(f.Payload)
		d.say("token", token)
		d.say("terms", applied)
		if credential := Renewal(f.Payload); len(credential) > 0 {
			d.say("credential", hex.EncodeToString(credential))
		}
		return err
	case Send, Deliver:
		id, body, err := parseMessage(f)
		if f.Flags&FlagReply != 0 {
			d.say("number", 0)
			d.say("replies to", id)
		} else {
			d.say("number", id)
		}
		d.say("body", string(body))
		return err
	}
	return nil
}

// values are those that an example names.
type values struct {
	t     *testing.T
	named map[string]string
}

func (v values) num(name string, base, bits int) uint64 {
	n, err := strconv.ParseUint(v.named[name], base, bits)
	if err != nil {
		v.t.Errorf("%s: %v", name, err)
	}
	return n
}

func (v values) u32(name string) uint32 { return uint32(v.num(name, 10, 32)) }

func (v values) ms(name string) time.Duration { return time.Duration(v.u32(name)) * time.Millisecond }

func (v values) raw(name string) []byte {
	b, err := hex.DecodeString(v.named[name])
	if err != nil {
		v.t.Errorf("%s: %v", name, err)
	}
	return b
}

func (v values) text(name string) []byte { return []byte(v.named[name]) }

func (v values) terms() Terms {
	return Terms{v.ms("interval_ms"), v.ms("timeout_ms"), v.ms("window_ms"), v.ms("patience_ms"), uint16(v.num("terms", 10, 16))}
}

func (v values) limits() (l Limits) {
	if v.named["max_send"] == "" {
		return l
	}
	return Limits{v.u32("max_send"), v.u32("max_deliver"), v.u32("frames"), v.u32("frame_burst"),
		v.u32("bytes"), v.u32("byte_burst"), v.u32("unsettled"), v.u32("unsettled_bytes")}
}

func (v values) expires() time.Duration {
	if v.named["expires_ms"] == "" {
		return 0
	}
	return v.ms("expires_ms")
}

// build encodes the values that an example names.
func build(t *testing.T, named []string) (frame []byte) {
	v := values{t, map[string]string{}}
	for _, pair := range named {
		name, value, _ := strings.Cut(pair, " = ")
		v.named[name] = value
	}
	var err error
	switch v.named["type"] {
	case "HELLO":
		frame, err = AppendHello(nil, &HelloMessage{
			MinVersion: uint8(v.num("min_version", 10, 8)), MaxVersion: uint8(v.num("max_version", 10, 8)),
			Features: v.u32("features"), ClientID: v.text("client id"),
			Incarnation: v.num("incarnation", 16, 64), Attempt: v.u32("attempt"),
			Token: v.raw("token"), ReturnPass: v.raw("return pass"), Ticket: v.raw("ticket")})
	case "WELCOME":
		at, perr := time.Parse(time.RFC3339, v.named["server_time"])
		if perr != nil {
			t.Error(perr)
		}
		frame, err = AppendWelcome(nil, &WelcomeMessage{
			Version: uint8(v.num("version", 10, 8)), Features: v.u32("features"),
			Session: SessionID{v.num("epoch", 16, 64), v.num("handle", 16, 64)}, Terms: v.terms(), ServerTime: at,
			Node: v.text("node"), ReturnPass: v.raw("return pass"), Alternates: v.text("alternates"), Limits: v.limits(), Expires: v.expires()})
	case "PING":
		frame, err = AppendRenewal(nil, v.num("token", 10, 64), uint16(v.num("terms", 10, 16)), v.raw("credential"))
	case "PONG":
		frame, err = AppendAnnouncement(nil, PongMessage{Token: v.num("token", 10, 64), Terms: v.terms(), Limits: v.limits(),
			Alternates: v.text("alternates"), Expires: v.expires()})
	case "SEND", "DELIVER":
		typ := Send
		if v.named["type"] == "DELIVER" {
			typ = Deliver
		}
		switch Flags(v.num("flags", 10, 8)) {
		case FlagWantsReply:
			frame = AppendRequest(nil, typ, v.num("number", 10, 64), v.text("body"))
		case FlagReply:
			frame = AppendReply(nil, typ, v.num("replies to", 10, 64), v.text("body"))
		default:
			frame = appendNumbered(nil, typ, 0, v.num("number", 10, 64), v.text("body"))
		}
	case "ACK":
		frame = AppendAck(nil, AckMessage{Range{v.num("first", 10, 64), v.num("last", 10, 64)}, uint8(v.num("what", 10, 8))})
	case "NACK":
		frame, err = AppendNack(nil, &NackMessage{v.num("number", 10, 64), NackCode(v.num("code", 10, 16)), v.text("reason")})
	case "GOAWAY":
		frame, err = AppendGoAway(nil, &GoAwayMessage{
			Code: Code(v.num("code", 10, 16)), Delay: v.ms("delay_ms"), Window: v.ms("window_ms"),
			Ticket: v.raw("ticket"), Alternates: v.text("alternates"), Reason: v.text("reason")})
	case "BYE":
		frame = AppendBye(nil)
	}
	if err != nil {
		t.Error(err)
	}
	return frame
}
