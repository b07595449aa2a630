package tlsrecord

import (
	"math"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// maxUseless is how many records without content may come in a row.
const maxUseless = 16

// Open opens the records of wire that are whole, as transport.Stage.Open does. transport.ErrEnd is
// the peer's close_notify, *Remote, which wraps it, another alert of the peer's; *Fault says what it did wrong.
func (l *Layer) Open(s transport.Slot, plain, wire []byte) (o transport.Opened, err error) {
	c, p := l.find(s)
	o.Plain, l.words = plain, l.words[:0]
	asked := false // for a KeyUpdate
	for err == nil {
		rest := wire[o.Used:]
		var n int
		if n, err = recordBytes(c, rest); err != nil || len(rest) < n {
			o.Need = n
			break
		}
		o.Used += n
		before := len(o.Plain)
		var wants bool
		o.Plain, wants, err = l.open(c, p, s, o.Plain, rest[:n])
		asked = asked || wants
		if len(o.Plain) == before {
			o.Frames++
		}
	}
	if asked && !c.over && c.alert == 0 { // one answers all that came at once: RFC 8446, section 4.6.3
		l.words = l.updateOwn(c, p, l.words)
	}
	o.Words = l.words
	return o, err
}

// recordBytes is how long the record is at which b begins, or how much of it is needed to know.
func recordBytes(c *conn, b []byte) (int, error) {
	if len(b) > 0 && b[0] != typeData {
		return 0, fault(c, UnexpectedMessage, "a record that is not protected")
	}
	if len(b) < headerBytes {
		return headerBytes, nil
	}
	n := int(b[3])<<8 | int(b[4]) // the version is not looked at: RFC 8446, section 5.1
	if n > maxCipher {
		return 0, fault(c, RecordOverflow, "a record is too long")
	}
	return headerBytes + n, nil
}

// open takes one record. asks: it asks for a KeyUpdate.
func (l *Layer) open(c *conn, p place, s transport.Slot, plain, record []byte) (_ []byte, asks bool, err error) {
	kind, all, err := l.decrypt(c, p, plain, record)
	if err != nil {
		return plain, false, err
	}
	content := all[len(plain):]
	if kind != typeMessage && len(l.parts) > 0 && len(l.parts[s]) > 0 {
		return plain, false, fault(c, UnexpectedMessage, "a record within a handshake message")
	}
	switch kind {
	case typeData:
		if len(content) == 0 {
			return plain, false, c.noteUseless()
		}
		c.tookData()
		return all, false, nil
	case typeMessage:
		asks, err = l.messages(c, p, s, content)
	case typeAlert:
		err = c.heard(content)
	default:
		err = fault(c, UnexpectedMessage, "a record of another type")
	}
	return plain, asks, err
}

// decrypt appends what a record contains, without type and padding.
func (l *Layer) decrypt(c *conn, p place, plain, record []byte) (kind byte, all []byte, err error) {
	if c.seq[incoming] == math.MaxUint64 {
		return 0, nil, fault(c, InternalError, "the records under a key are at an end")
	}
	header, sealed := record[:headerBytes], record[headerBytes:]
	all, err = l.aead(c, p, incoming).Open(plain, c.nonce(incoming, &l.nonce), sealed, header)
	if err != nil {
		return 0, nil, fault(c, BadRecordMAC, "a record does not open")
	}
	c.seq[incoming]++
	if len(all)-len(plain) > maxInner {
		return 0, nil, fault(c, RecordOverflow, "a record contains too much")
	}
	end := len(all)
	for end > len(plain) && all[end-1] == 0 {
		end--
	}
	if end == len(plain) {
		return 0, nil, fault(c, UnexpectedMessage, "a record of padding only")
	}
	return all[end-1], all[:end-1], nil
}

// tookData notes that the last record had data.
func (c *conn) tookData() {
	c.useless = 0
	if c.seq[incoming]%recordsAnUpdate == 0 && c.updates < maxUpdates {
		c.updates++
	}
}

func (c *conn) noteUseless() error {
	if c.useless++; c.useless > maxUseless {
		return fault(c, UnexpectedMessage, "too many records without content")
	}
	return nil
}

// heard takes an alert.
func (c *conn) heard(b []byte) error {
	if len(b) == 0 { // RFC 8446, section 5.4
		return fault(c, UnexpectedMessage, "an alert record without content")
	}
	if len(b) != 2 {
		return fault(c, DecodeError, "an alert is not two bytes")
	}
	switch a := Alert(b[1]); a {
	case CloseNotify:
		return transport.ErrEnd
	case userCanceled:
		return c.noteUseless()
	default: // the level does not matter: RFC 8446, section 6
		c.over = true
		return &Remote{a}
	}
}
