package tlsrecord

import (
	"golang.org/x/crypto/cryptobyte"

	"github.com/stormwheel/stormwheel/internal/transport"
)

const (
	messageTicket    = 4 // NewSessionTicket
	messageKeyUpdate = 24

	messageHeader = 4
	maxMessage    = 64 << 10 // what crypto/tls takes

	maxUpdates      = 32 // KeyUpdates that a peer may send at once
	recordsAnUpdate = 64 // under one key, for one more: who changes its key by the clock may do so for ever
)

// messages takes a record of handshake messages. asks: one asks for a KeyUpdate.
func (l *Layer) messages(c *conn, p place, s transport.Slot, b []byte) (asks bool, err error) {
	if len(b) == 0 {
		return false, fault(c, UnexpectedMessage, "a handshake record without content")
	}
	part := l.parts[s]
	if len(part) > 0 {
		b = append(part, b...)
		delete(l.parts, s)
	}
	for len(b) > 0 && err == nil {
		var n int
		if n, err = l.messageBytes(c, b); err != nil {
			return false, err
		}
		if len(b) < n {
			if len(part) == 0 {
				b = append([]byte(nil), b...) // else it is ours already
			}
			l.parts[s] = b
			return asks, nil
		}
		message := b[:n]
		b = b[n:]
		if message[0] == messageTicket {
			err = l.takeTicket(c, s, message)
			continue
		}
		if len(b) > 0 {
			return false, fault(c, UnexpectedMessage, "a KeyUpdate is not the last of its record")
		}
		asks, err = l.takeUpdate(c, p, message)
	}
	return asks, err
}

// messageBytes is how long the message is at which b begins, or how much of it is needed to know.
func (l *Layer) messageBytes(c *conn, b []byte) (int, error) {
	ticket := l.client && b[0] == messageTicket
	if !ticket && b[0] != messageKeyUpdate {
		return 0, fault(c, UnexpectedMessage, "a handshake message after the handshake")
	}
	if len(b) < messageHeader {
		return messageHeader, nil
	}
	n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if !ticket && n != 1 {
		return 0, fault(c, DecodeError, "a KeyUpdate is not one byte")
	}
	if n > maxMessage {
		return 0, fault(c, InternalError, "a handshake message is too long")
	}
	return messageHeader + n, nil
}

func (l *Layer) takeTicket(c *conn, s transport.Slot, message []byte) error {
	if err := c.noteUseless(); err != nil {
		return err
	}
	if !isTicket(message[messageHeader:]) {
		return fault(c, DecodeError, "a NewSessionTicket that cannot be read")
	}
	if l.ticket != nil {
		l.ticket(s, message)
	}
	return nil
}

// isTicket says whether b is a NewSessionTicket: RFC 8446, section 4.6.1. Whether it is of use, crypto/tls says.
func isTicket(b []byte) bool {
	s := cryptobyte.String(b)
	var nonce, ticket, extensions, extension cryptobyte.String
	if !s.Skip(8) || !s.ReadUint8LengthPrefixed(&nonce) || !s.ReadUint16LengthPrefixed(&ticket) || len(ticket) == 0 ||
		!s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return false
	}
	for !extensions.Empty() {
		if !extensions.Skip(2) || !extensions.ReadUint16LengthPrefixed(&extension) {
			return false
		}
	}
	return true
}

// takeUpdate goes on to the peer's next key.
func (l *Layer) takeUpdate(c *conn, p place, message []byte) (asks bool, err error) {
	ask := message[messageHeader]
	if ask > 1 {
		return false, fault(c, IllegalParameter, "a KeyUpdate asks for what there is not")
	}
	if err := c.noteUseless(); err != nil {
		return false, err
	}
	if c.updates == 0 {
		return false, fault(c, UnexpectedMessage, "too many KeyUpdates")
	}
	c.updates--
	l.update(c, p, incoming)
	return ask == 1, nil
}
