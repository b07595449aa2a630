package websocket

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// end is one side of a connection, of slot 0.
type end struct {
	t     *testing.T
	side  *side
	lines *transport.Lines

	sent   []byte // and not taken
	got    []byte // plain
	frames int
	over   bool
	err    error
}

func newEnd(t *testing.T, d *side, stage transport.Stage) *end {
	e := &end{t: t, side: d, lines: transport.NewLines(stage)}
	e.sent = append(e.sent, e.lines.Begin(0)...)
	return e
}

func newServerEnd(t *testing.T, cfg ServerConfig) *end {
	d := NewServer(cfg)
	return newEnd(t, &d.side, d)
}

func newClientEnd(t *testing.T) *end {
	d := NewClient(ClientConfig{Host: "example.com"})
	return newEnd(t, &d.side, d)
}

// newPair is two ends whose handshake is over.
func newPair(t *testing.T, cfg ServerConfig) (client, server *end) {
	t.Helper()
	client, server = newClientEnd(t), newServerEnd(t, cfg)
	server.take(client)
	client.take(server)
	if client.err != nil || server.err != nil || !client.side.states.at(0).is(open) || !server.side.states.at(0).is(open) {
		t.Fatalf("no handshake: %v, %v", client.err, server.err)
	}
	return client, server
}

// receive takes bytes of the peer's.
func (e *end) receive(b string) {
	if plain, ok := e.lines.Whole(0, []byte(b)); ok {
		e.got = append(e.got, plain...)
		return
	}
	e.long(b)
}

// long is receive by the way that all bytes can take.
func (e *end) long(b string) {
	in, err := e.lines.Receive(0, []byte(b))
	e.sent = append(e.sent, in.Words...)
	e.got = append(e.got, in.Plain...)
	e.frames += in.Frames
	e.over = e.lines.Keep(0, nil)
	e.err = errors.Join(e.err, err)
}

// take takes what the other has sent.
func (e *end) take(from *end) {
	b := from.said()
	e.receive(b)
}

func (e *end) send(plain string) { e.sent = append(e.sent, e.lines.Seal(0, []byte(plain))...) }

func (e *end) close(code codec.Code) { e.sent = append(e.sent, e.lines.Close(0, code)...) }

// said is what it has sent since it was last asked.
func (e *end) said() string {
	b := string(e.sent)
	e.sent = nil
	return b
}

// openServer is a server whose handshake is over.
func openServer(t *testing.T) *end {
	t.Helper()
	s := newServerEnd(t, ServerConfig{})
	s.receive(upgrade())
	if !strings.HasPrefix(s.said(), "HTTP/1.1 101 ") {
		t.Fatal("no upgrade")
	}
	return s
}

// upgrade is a good request with other fields: "Name: value" replaces or adds, "Name" removes.
func upgrade(changes ...string) string { return request1("GET / HTTP/1.1", changes...) }

func request1(line string, changes ...string) string {
	fields := []string{"Host: example.com", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}
	for _, c := range changes {
		name, _, adds := strings.Cut(c, ":")
		kept := fields[:0:0]
		for _, f := range fields {
			if !strings.HasPrefix(f, name+":") {
				kept = append(kept, f)
			}
		}
		if fields = kept; adds {
			fields = append(fields, c)
		}
	}
	return line + "\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
}

// frame is a frame with a mask, as a client sends it.
func frame(first byte, payload string) string {
	const m = 0x04030201
	b := appendHeader(nil, 0, len(payload), maskBit)
	b[0] = first
	b = append(b, 1, 2, 3, 4)
	n := len(b)
	b = append(b, payload...)
	mask(b[n:], m)
	return string(b)
}

// bare is a frame without a mask, as a server sends it.
func bare(first byte, payload string) string {
	b := appendHeader(nil, 0, len(payload), 0)
	b[0] = first
	return string(append(b, payload...))
}

func closing1(code uint16, reason string) string {
	return string([]byte{byte(code >> 8), byte(code)}) + reason
}

func TestMaskGoesOnWhereItEnded(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), 3)
	for cut := range text {
		b := bytes.Clone(text)
		m := mask(b[:cut], 0xa1b2c3d4)
		mask(b[cut:], m)
		for i := range b {
			if want := text[i] ^ []byte{0xd4, 0xc3, 0xb2, 0xa1}[i%4]; b[i] != want {
				t.Fatalf("cut at %d: byte %d is %x, want %x", cut, i, b[i], want)
			}
		}
	}
}
