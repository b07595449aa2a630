package handshake_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// across is crypto/tls and our side in one goroutine: where crypto/tls would wait for bytes, what
// it has written is brought to our side, in pieces, and what that says back.
type across struct {
	net.Conn // nil

	lines   *transport.Lines
	in, out []byte // of crypto/tls
	got     []byte // plain, by ours
	err     error
	piece   int
	flip    int // the byte of the next that goes either way which is changed; -1: none
}

type empty struct{ error }

func (empty) Timeout() bool   { return true }
func (empty) Temporary() bool { return true }

func (a *across) Read(b []byte) (int, error) {
	if len(a.in) == 0 {
		a.pump()
	}
	if len(a.in) == 0 {
		return 0, empty{io.ErrNoProgress}
	}
	n := copy(b, a.in[:min(len(a.in), a.piece)])
	a.in = a.in[n:]
	return n, nil
}

func (a *across) Write(b []byte) (int, error) {
	a.out = append(a.out, b...)
	return len(b), nil
}

func (a *across) SetDeadline(time.Time) error      { return nil }
func (a *across) SetReadDeadline(time.Time) error  { return nil }
func (a *across) SetWriteDeadline(time.Time) error { return nil }
func (a *across) Close() error                     { return nil }

// pump brings what crypto/tls has written to our side.
func (a *across) pump() {
	for len(a.out) > 0 {
		n := min(len(a.out), a.piece)
		b := bytes.Clone(a.out[:n])
		a.out = a.out[n:]
		for a.err == nil {
			in, err := a.lines.Receive(0, b)
			a.in = append(a.in, in.Words...)
			a.got = append(a.got, in.Plain...)
			a.lines.Keep(0, nil)
			a.err = err
			if in.Away == nil {
				break
			}
			in.Away()()
			a.lines.Resume(0)
			b = nil
		}
	}
}

func (a *across) change(b []byte) {
	if a.flip >= 0 && len(b) > 0 {
		b[a.flip%len(b)] ^= 1
	}
}

// Our record layer against crypto/tls's, both ways and for both sides, in pieces of any size: what
// one has sealed the other opens, and nothing of what was changed on the way.
func FuzzAgainstCryptoTLS(f *testing.F) {
	server, client := configs(f)
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	config := newConfig(f, server)
	f.Add(true, uint16(1), []byte{0, 20, 1, 20, 2, 1})
	f.Add(false, uint16(5000), []byte{1, 200, 0, 255, 3, 7})
	f.Add(true, uint16(17), []byte{0, 0, 1, 1, 4, 0})
	f.Fuzz(func(t *testing.T, weServe bool, piece uint16, script []byte) {
		a := &across{piece: int(piece) + 1, flip: -1}
		var c *tls.Conn
		if weServe {
			a.lines = transport.NewLines(handshake.NewServer(config, nil))
			c = tls.Client(a, client)
		} else {
			a.lines = transport.NewLines(handshake.NewClient(client, nil))
			c = tls.Server(a, server)
		}
		defer a.lines.End(0)
		a.in = append(a.in, a.lines.Begin(0)...)
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if a.pump(); a.err != nil {
			t.Fatal(a.err)
		}
		for i := 0; i+1 < len(script) && i < 40; i += 2 {
			size := int(script[i+1]) * int(script[i+1])
			text := bytes.Repeat([]byte{script[i+1], byte(i), 3}, size/3+1)[:size]
			a.flip = -1
			if script[i]%8 == 3 {
				a.flip = size * 7
			}
			if script[i]%2 == 0 { // theirs to ours
				a.got = nil
				if _, err := c.Write(text); err != nil {
					t.Fatal(err)
				}
				a.pump()
				if a.err != nil || !bytes.Equal(a.got, text) {
					t.Fatalf("%d bytes of %d, %v", len(a.got), len(text), a.err)
				}
				continue
			}
			sealed := bytes.Clone(a.lines.Seal(0, text))
			a.change(sealed)
			a.in = append(a.in, sealed...)
			got := make([]byte, size)
			n, err := io.ReadFull(c, got)
			if a.flip >= 0 && size > 0 {
				if err == nil || errors.Is(err, io.ErrNoProgress) && len(sealed) < 40 {
					t.Fatalf("crypto/tls took what was changed: %v", err)
				}
				return
			}
			if err != nil || !bytes.Equal(got[:n], text) {
				t.Fatalf("%d bytes of %d, %v", n, len(text), err)
			}
		}
		if script != nil && len(script)%3 == 0 { // a change on the way to us
			if _, err := c.Write([]byte("something")); err != nil {
				t.Fatal(err)
			}
			a.out[len(script)%len(a.out)] ^= 4
			a.got = nil
			if a.pump(); len(a.got) > 0 {
				t.Fatalf("ours took what was changed: %q", a.got)
			}
			return
		}
		a.in = append(a.in, a.lines.Close(0, 0)...)
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Fatalf("after close_notify crypto/tls reads %v", err)
		}
	})
}

// Whatever comes instead of a handshake: no panic, no more kept than came.
func FuzzServer(f *testing.F) {
	server, client := configs(f)
	config := newConfig(f, server)
	stage := handshake.NewClient(client, nil)
	lines := transport.NewLines(stage)
	hello := bytes.Clone(lines.Begin(0))
	lines.End(0)
	f.Add(hello, uint16(100))
	f.Add([]byte("\x16\x03\x01\x00\x04\x01\x00\x00\x00"), uint16(0))
	f.Add([]byte("\x16\x03\x01\x40\x00\x01\x00\xff\xff"), uint16(3))
	f.Fuzz(func(t *testing.T, b []byte, piece uint16) {
		lines := transport.NewLines(handshake.NewServer(config, nil))
		defer lines.End(0)
		for came := 0; len(b) > 0; {
			n := min(int(piece)+1, len(b))
			read := b[:n]
			came += n
			for {
				in, err := lines.Receive(0, read)
				lines.Keep(0, nil)
				if len(in.Plain) > 0 {
					t.Fatal("something was opened without a handshake")
				}
				if held := lines.Held(0); held > came || held > 140<<10 {
					t.Fatalf("%d bytes held of %d", held, came)
				}
				if err != nil {
					return
				}
				if in.Away == nil {
					break
				}
				in.Away()()
				lines.Resume(0)
				read = nil
			}
			b = b[n:]
		}
	})
}
