package handshake

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"slices"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// TLS 1.2 has another record layer, which is crypto/tls's here: who comes by it keeps its *tls.Conn, some
// 7 KB, and is read on the loop without a goroutine: crypto/tls goes on after a read that found nothing.
// So there is none of it unless it is asked for, and then a bounded number.

var errTooLong = errors.New("handshake: a record of TLS 1.2 is too long")

// AllowTLS12 lets at most so many connections of TLS 1.2 in at a time, from their ClientHello on; without it
// there are none. Beyond them clients are told that the version is not supported. It is for before the first
// handshake.
func (n *Config) AllowTLS12(most int) { n.maxOlder = int64(most) }

// minVersion is the oldest version that a handshake may have, of a configuration that asks for so much: that
// of TLS 1.2 takes its place here, before anything is said to its client.
func (n *Config) minVersion(configured uint16, h *handshake, hello *tls.ClientHelloInfo) uint16 {
	if n.maxOlder == 0 || configured >= tls.VersionTLS13 || slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
		return tls.VersionTLS13
	}
	if n.older.Add(1) > n.maxOlder {
		n.older.Add(-1)
		return tls.VersionTLS13
	}
	h.older.Store(true)
	return tls.VersionTLS12
}

// leaveOlder gives the place of a handshake back, if it has one. Any goroutine may call it, more than once.
func (n *Config) leaveOlder(h *handshake) {
	if h.older.CompareAndSwap(true, false) {
		n.older.Add(-1)
	}
}

// keepOlder goes on with a connection of TLS 1.2.
func (t *Stage) keepOlder(s transport.Slot, u *under) {
	u.h.wire.in, u.h.wire.out = bytes.NewReader(nil), nil
	t.older[s] = u.h
	delete(t.under, s)
}

// olderOf is a connection of TLS 1.2, nil if it is none.
func (t *Stage) olderOf(s transport.Slot) *handshake {
	if len(t.older) == 0 {
		return nil
	}
	return t.older[s]
}

// openOlder has crypto/tls read the records that are whole.
func (h *handshake) openOlder(plain, wire []byte) (o transport.Opened, err error) {
	defer func() {
		h.wire.in.Reset(nil)
		o.Words = h.words()
	}()
	o.Plain = plain
	for err == nil {
		rest := wire[o.Used:]
		if o.Need = recordHeader; len(rest) < recordHeader {
			break
		}
		size := int(rest[3])<<8 | int(rest[4])
		if o.Need += size; size > maxRecord {
			return o, errTooLong
		}
		if len(rest) < o.Need {
			break
		}
		o.Used += o.Need
		before := len(o.Plain)
		h.wire.in.Reset(rest[:o.Need])
		o.Plain, err = h.read12(o.Plain)
		if len(o.Plain) == before {
			o.Frames++
		}
	}
	return o, err
}

// read12 appends all that crypto/tls makes of what is there.
func (h *handshake) read12(plain []byte) ([]byte, error) {
	for {
		if cap(plain) == len(plain) {
			plain = append(plain, make([]byte, 512)...)[:len(plain)]
		}
		n, err := h.conn.Read(plain[len(plain):cap(plain)])
		plain = plain[:len(plain)+n]
		switch {
		case errors.Is(err, errNothing):
			return plain, nil
		case errors.Is(err, io.EOF):
			return plain, transport.ErrEnd
		case err != nil:
			return plain, err
		}
	}
}

// sealOlder appends the records of plain.
func (h *handshake) sealOlder(dst, plain []byte) []byte {
	if len(plain) > 0 {
		_, _ = h.conn.Write(plain) // after an alert it writes nothing
	}
	return append(dst, h.words()...)
}

// closeOlder appends close_notify, unless a fatal alert was said.
func (h *handshake) closeOlder(dst []byte) []byte {
	_ = h.conn.CloseWrite()
	return append(dst, h.words()...)
}

// words are what crypto/tls has written since they were last taken.
func (h *handshake) words() []byte {
	b := h.wire.out
	h.wire.out = nil
	return b
}
