package interop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

const upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// hijacked is a response that is a connection.
type hijacked struct {
	http.ResponseWriter
	nc net.Conn
}

func (h hijacked) Header() http.Header         { return http.Header{} }
func (h hijacked) WriteHeader(int)             {}
func (h hijacked) Write(b []byte) (int, error) { return len(b), nil }
func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.nc, bufio.NewReadWriter(bufio.NewReader(h.nc), bufio.NewWriter(h.nc)), nil
}

// canned is a connection that has all its bytes, and takes everything.
type canned struct {
	net.Conn
	r io.Reader
}

func (c canned) Read(b []byte) (int, error)  { return c.r.Read(b) }
func (c canned) Write(b []byte) (int, error) { return len(b), nil }
func (c canned) Close() error                { return nil }
func (c canned) SetDeadline(time.Time) error { return nil }

// ofCoder is what coder's server makes of bytes behind the upgrade: the payloads of its binary
// messages, whether there was a text message, and what ended it.
func ofCoder(t *testing.T, b []byte) (plain []byte, text bool, end error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte(upgrade))))
	if err != nil {
		t.Fatal(err)
	}
	c, err := coder.Accept(hijacked{nc: canned{r: bytes.NewReader(b)}}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for whole := 0; ; {
		kind, m, err := c.Reader(ctx)
		if err != nil && strings.Contains(err.Error(), "not read to completion") {
			return plain[:whole], text, io.ErrUnexpectedEOF // which it took for the message's
		} else if err != nil {
			return plain, text, err
		}
		if kind == coder.MessageText {
			return plain, true, nil
		}
		got, err := io.ReadAll(m)
		if err != nil {
			return plain, text, err // of a frame that is cut it gives what is still masked
		}
		whole = len(plain)
		plain = append(plain, got...)
	}
}

// ofOurs is the same of our side.
func ofOurs(b []byte, size int) (plain []byte, end error) {
	lines := transport.NewLines(websocket.NewServer(websocket.ServerConfig{}))
	lines.Begin(0)
	in, end := lines.Receive(0, []byte(upgrade))
	lines.Keep(0, nil)
	for len(b) > 0 && end == nil {
		n := min(size, len(b))
		in, end = lines.Receive(0, b[:n])
		plain = append(plain, in.Plain...)
		lines.Keep(0, nil)
		b = b[n:]
	}
	return plain, end
}

// stricter says whether coder does not look at what is wrong.
func stricter(err error) bool {
	return strings.Contains(err.Error(), "a length of more bytes") || strings.Contains(err.Error(), "more than 125 bytes") || // told so in two bytes
		strings.Contains(err.Error(), "close reason that is not UTF-8")
}

// Of bytes that are no frames, too, both make the same; but coder takes text.
func FuzzFramesAsCoder(f *testing.F) {
	f.Add([]byte("\x82\x83\x01\x02\x03\x04abc\x89\x80\x01\x02\x03\x04\x88\x80\x01\x02\x03\x04"), uint8(3))
	f.Add([]byte("\x02\x81\x01\x02\x03\x04a\x80\x81\x01\x02\x03\x04b"), uint8(1))
	f.Add([]byte("\x82\xfe\x00\x7e\x01\x02\x03\x04aaaa"), uint8(9))
	f.Add([]byte("\x88\x82\x00\x00\x00\x00\x03\xe8"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		b = append(b, "\x88\x80\x01\x02\x03\x04"...) // so that what is sound has an end
		want, text, theirs := ofCoder(t, b)
		got, ours := ofOurs(b, max(int(size), 1))
		cut := errors.Is(theirs, io.EOF) || errors.Is(theirs, io.ErrUnexpectedEOF) || errors.Is(theirs, io.ErrClosedPipe)
		closed := coder.CloseStatus(theirs) != -1
		fails := ours != nil && !errors.Is(ours, transport.ErrEnd)
		switch {
		case fails && closed && !text && !stricter(ours):
			t.Fatalf("of %x ours makes %q and %v, coder %q and %v", b, got, ours, want, theirs)
		case fails:
			if !bytes.HasPrefix(want, got) && !bytes.HasPrefix(got, want) {
				t.Fatalf("ours ends with %v after %q, coder has %q", ours, got, want)
			}
		case (ours == nil) != cut || errors.Is(ours, transport.ErrEnd) != closed:
			t.Fatalf("of %x ours makes %q and %v, coder %q and %v", b, got, ours, want, theirs)
		case !bytes.HasPrefix(got, want): // of a message that is cut, what came of it is more
			t.Fatalf("of %x ours makes %q, coder %q", b, got, want)
		}
	})
}
