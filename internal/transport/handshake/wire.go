package handshake

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// wire is the socket as crypto/tls sees it: it reads of the records that were handed over, one at
// a time, and what it writes is collected.
type wire struct {
	in   *bytes.Reader // whole records
	left int           // bytes of the record that is being read
	out  []byte        // all that was written
	more func() bool   // waits for more records; false: there will be none
	addr net.Addr
}

const recordHeader = 5

// Read reads of one record.
func (w *wire) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for w.in.Len() == 0 {
		if w.more == nil || !w.more() {
			return 0, errNothing
		}
	}
	if w.left == 0 {
		var header [recordHeader]byte
		if _, err := io.ReadFull(w.in, header[:]); err != nil {
			return 0, err
		}
		_, _ = w.in.Seek(-recordHeader, io.SeekCurrent)
		w.left = recordHeader + (int(header[3])<<8 | int(header[4]))
	}
	n, err := w.in.Read(b[:min(len(b), w.left)])
	w.left -= n
	return n, err
}

// Write collects.
func (w *wire) Write(b []byte) (int, error) {
	w.out = append(w.out, b...)
	return len(b), nil
}

func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return tcpAddr(netip.Addr{}) } // nobody knows it here
func (w *wire) RemoteAddr() net.Addr             { return w.addr }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// nothing says that no more is there for now.
type nothing struct{}

func (nothing) Error() string   { return "handshake: no more records" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

var errNothing net.Error = nothing{}

// secrets takes the application traffic secrets out of a key log (NSS's format), and passes that
// on to who wants it, too.
type secrets struct {
	client, server []byte
	also           io.Writer
}

var errKeyLog = errors.New("handshake: a key log of another format")

// Write takes one line: a label, the client's random and the secret.
func (s *secrets) Write(line []byte) (int, error) {
	label, rest, _ := bytes.Cut(line, []byte{' '})
	_, secret, whole := bytes.Cut(rest, []byte{' '})
	if !whole {
		return 0, errKeyLog
	}
	var dst *[]byte
	switch string(label) {
	case "CLIENT_TRAFFIC_SECRET_0":
		dst = &s.client
	case "SERVER_TRAFFIC_SECRET_0":
		dst = &s.server
	}
	if dst != nil {
		secret = bytes.TrimSuffix(secret, []byte{'\n'})
		*dst = make([]byte, hex.DecodedLen(len(secret)))
		if _, err := hex.Decode(*dst, secret); err != nil {
			return 0, errKeyLog
		}
	}
	if s.also == nil {
		return len(line), nil
	}
	return writeApart(s.also, line)
}

// writeApart writes on a goroutine of its own: crypto/tls holds a mutex of the whole process meanwhile,
// and would hold it for ever if this one panicked or ended.
func writeApart(to io.Writer, line []byte) (n int, err error) {
	err = errEnded
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				err = panicked(p)
			}
		}()
		n, err = to.Write(line)
	}()
	<-done
	return n, err
}

// clear zeroes the secrets.
func (s *secrets) clear() {
	clear(s.client)
	clear(s.server)
}

// tcpAddr is an address without a port, as callbacks of tls.Config see it.
func tcpAddr(a netip.Addr) net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0)) }
