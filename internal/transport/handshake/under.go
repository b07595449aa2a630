package handshake

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// under is a connection until its handshake has ended.
type under struct {
	h     *handshake
	early []byte // to be sealed when it has
	last  *step  // was done elsewhere and is not told yet
	err   error  // it has failed
}

func (u *under) fail(err error) {
	if err != nil && u.err == nil {
		u.err, u.early = fmt.Errorf("%w: %w", transport.ErrHandshake, err), nil
	}
}

// goOn takes what the last step brought, and asks for the next one if there is something for it.
func (t *Stage) goOn(s transport.Slot, u *under, wire []byte) (o transport.Opened, err error) {
	if r := u.last; r != nil {
		u.last = nil
		o.Used, o.Words = r.used, r.words
		u.fail(r.err)
		if u.err == nil && r.done {
			t.finish(s, u, &o, r)
			return o, u.err
		}
	}
	if u.err != nil {
		return o, u.err
	}
	rest := wire[o.Used:]
	n := 0
	if u.h == nil {
		n, o.Need, err = hello(rest)
	} else {
		n, o.Need = records(rest)
	}
	if err != nil {
		u.fail(err)
		o.Words = plainAlert
		return o, u.err
	}
	if n > 0 {
		o.Fresh = u.h == nil
		o.Away = t.work(s, u, bytes.Clone(rest[:n]))
	}
	return o, nil
}

// work is a step of the handshake, for another goroutine.
func (t *Stage) work(s transport.Slot, u *under, records []byte) func() func() {
	if u.h == nil {
		u.h = t.newHandshake(s)
	}
	h := u.h
	return func() func() {
		r := t.step(h, records)
		return func() { u.last = &r }
	}
}

// step does one, on any goroutine.
func (t *Stage) step(h *handshake, records []byte) step {
	client := t.config == nil
	if !client {
		t.config.room.leave(h)
	}
	came := time.Now()
	h.read += len(records)
	r := h.step(records)
	if r.done {
		r.conn, r.err = h.prepare(client)
	}
	if r.err != nil && len(h.wire.out) == 0 { // a callback's fault: crypto/tls has said no alert
		r.words = []byte(alertRecord + alertInternal)
	}
	if !client {
		t.config.note(h, came, &r)
	}
	return r
}

// note counts what became of a step whose records came then, and has the handshake wait for its peer if it goes on.
func (n *Config) note(h *handshake, came time.Time, r *step) {
	if r.done && r.err == nil && !h.since.IsZero() {
		n.room.answered(came.Sub(h.since))
	}
	switch {
	case r.err != nil:
		n.failed.Add(1)
	case !r.done:
		n.givenUp.Add(uint64(n.room.enter(h, h.read, time.Now())))
	case h.conn.ConnectionState().DidResume:
		n.resumed.Add(1)
	default:
		n.full.Add(1)
	}
	dead := h.isDead()
	if dead { // its connection has ended meanwhile
		n.room.leave(h)
	}
	if dead || r.err != nil {
		n.leaveOlder(h)
	}
}

// finish goes over to the record layer.
func (t *Stage) finish(s transport.Slot, u *under, o *transport.Opened, r *step) {
	if t.config == nil {
		t.keep(s, u.h, r.conn)
	} else if t.keepStates {
		state := u.h.conn.ConnectionState()
		t.states[s] = &state
	}
	if r.conn == nil {
		t.keepOlder(s, u)
		o.Words = u.h.sealOlder(o.Words, u.early)
		return
	}
	t.layer.Install(s, r.conn)
	o.Words = t.layer.Seal(s, o.Words, u.early)
	delete(t.under, s)
}

const (
	typeHandshake = 22
	maxHello      = 16 << 10
	maxHelloWire  = maxHello + 1<<10 // with the headers of its records
	maxHelloParts = 64               // records: they are looked at again whenever one more has come
	maxRecord     = 1<<14 + 256      // beyond it crypto/tls is given the header alone
	maxRecords    = 64 << 10         // of one step
	messageHeader = 4
	alertRecord   = "\x15\x03\x03\x00\x02\x02"
	alertDecode   = "\x32"
	alertInternal = "\x50"
)

var (
	errHello   = errors.New("handshake: no ClientHello")
	plainAlert = []byte(alertRecord + alertDecode)
)

// hello is how many bytes the records of a ClientHello are, 0 if they are not all there: then it
// needs more.
func hello(b []byte) (n, need int, err error) {
	var header [messageHeader]byte
	content, whole := 0, messageHeader
	for parts := 1; n < len(b); parts++ {
		rest := b[n:]
		if rest[0] != typeHandshake {
			return 0, 0, errHello
		}
		if len(rest) < recordHeader {
			return 0, n + recordHeader, nil
		}
		size := int(rest[3])<<8 | int(rest[4])
		if n += recordHeader + size; size == 0 || n > maxHelloWire || parts > maxHelloParts {
			return 0, 0, errHello
		}
		here := rest[recordHeader:min(recordHeader+size, len(rest))]
		if content < messageHeader {
			copy(header[content:], here)
		}
		if content += len(here); content >= messageHeader {
			whole = messageHeader + int(header[1])<<16 + int(header[2])<<8 + int(header[3])
		}
		switch {
		case whole > maxHello:
			return 0, 0, errHello
		case len(b) < n:
			return 0, n, nil
		case content >= whole:
			return n, 0, nil
		}
	}
	return 0, n + recordHeader, nil
}

// records is how many bytes whole records are, 0 if there is none: then it needs more.
func records(b []byte) (n, need int) {
	for {
		rest := b[n:]
		if len(rest) < recordHeader {
			return n, n + recordHeader
		}
		size := int(rest[3])<<8 | int(rest[4])
		if size > maxRecord {
			return n + recordHeader, 0
		}
		if len(rest) < recordHeader+size || n > maxRecords {
			return n, n + recordHeader + size
		}
		n += recordHeader + size
	}
}

// newHandshake makes one that has not begun.
func (t *Stage) newHandshake(s transport.Slot) *handshake {
	if t.config == nil {
		return t.newClientHandshake()
	}
	peer := t.peer(s)
	terms := t.config.terms[peer.Terms]
	h := start(func(h *handshake) (*tls.Conn, error) { return t.config.server(h, terms) })
	h.addr, h.wire.addr = originOf(peer.Addr), tcpAddr(peer.Addr)
	return h
}

var (
	_ transport.Stage = (*Stage)(nil)
	_ transport.Quick = (*Stage)(nil)
)
