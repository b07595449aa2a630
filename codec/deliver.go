package codec

import (
	"encoding/binary"
	"fmt"
)

const messageIDLen = 8

// AppendSend appends a SEND: a message of the client with the number that the ACK or NACK for
// it will carry, 0 if it wants neither. A peer with the default limit refuses a body above MaxBody.
func AppendSend(dst []byte, id uint64, body []byte) []byte {
	return appendNumbered(dst, Send, 0, id, body)
}

// AppendDeliver appends a DELIVER: a message of the server with the number that the ACK or
// NACK for it will carry, 0 if it wants neither. A peer with the default limit refuses a body above MaxBody.
func AppendDeliver(dst []byte, id uint64, body []byte) []byte {
	return appendNumbered(dst, Deliver, 0, id, body)
}

// Range is a run of numbers, both ends included.
type Range struct{ First, Last uint64 }

// AckMessage is the payload of ACK: the other side's application has dealt with the messages of
// these numbers, as far as they are outstanding.
type AckMessage struct {
	Range
	What uint8 // what it did with them, a word between the applications; 0: it took them
}

// AckOf acknowledges one message.
func AckOf(number uint64) AckMessage { return AckMessage{Range: Range{number, number}} }

const ackLen = 20

// AppendAck appends an ACK. First above Last is ErrField at its receiver.
func AppendAck(dst []byte, m AckMessage) []byte {
	start := len(dst)
	dst = begin(dst, Ack, 0)
	dst = binary.BigEndian.AppendUint64(dst, m.First)
	dst = binary.BigEndian.AppendUint64(dst, m.Last)
	dst = append(dst, m.What, 0, 0, 0)
	return finish(dst, start)
}

// NackMessage is the payload of NACK: the message of this number is refused for good; the
// session goes on.
type NackMessage struct {
	Number uint64
	Code   NackCode
	Reason []byte // text for people
}

const nackFixed = 12

// AppendNack appends a NACK. A reason beyond its limit is ErrField; dst is then returned as it
// was.
func AppendNack(dst []byte, m *NackMessage) ([]byte, error) {
	fields := m.fields()
	if err := checkFields(fields[:]); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = begin(dst, Nack, 0)
	dst = binary.BigEndian.AppendUint64(dst, m.Number)
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.Code))
	dst = append(dst, 0, 0)
	dst = appendTail(dst, fields[:])
	return finish(dst, start), nil
}

// ParseNack reads the payload of a NACK.
func ParseNack(p []byte) (m NackMessage, err error) {
	if len(p) < nackFixed {
		return m, shortPayload(Nack, len(p), nackFixed)
	}
	m.Number = binary.BigEndian.Uint64(p)
	m.Code = NackCode(binary.BigEndian.Uint16(p[8:]))
	fields := m.fields()
	if err := parseTail(p[nackFixed:], fields[:]); err != nil {
		return NackMessage{}, err
	}
	if err := checkFields(fields[:]); err != nil {
		return NackMessage{}, err
	}
	return m, nil
}

func (m *NackMessage) fields() [1]field { return [...]field{{tlvReason, &m.Reason}} }

func appendNumbered(dst []byte, t Type, flags Flags, id uint64, body []byte) []byte {
	start := len(dst)
	dst = begin(dst, t, flags)
	dst = binary.BigEndian.AppendUint64(dst, id)
	dst = append(dst, body...)
	return finish(dst, start)
}

// ParseMessage reads the payload of a SEND or a DELIVER that neither wants a reply nor is one; for
// these there are ParseRequest and ParseReply.
func ParseMessage(p []byte) (id uint64, body []byte, err error) {
	if len(p) < messageIDLen {
		return 0, nil, fmt.Errorf("%w: message payload of %d bytes, want at least %d", ErrTruncated, len(p), messageIDLen)
	}
	return binary.BigEndian.Uint64(p), p[messageIDLen:], nil
}

// ParseAck reads the payload of an ACK.
func ParseAck(p []byte) (m AckMessage, err error) {
	if len(p) != ackLen {
		return m, wrongPayload(Ack, len(p), ackLen)
	}
	m = AckMessage{Range{binary.BigEndian.Uint64(p), binary.BigEndian.Uint64(p[8:])}, p[16]}
	if m.First > m.Last {
		return AckMessage{}, fmt.Errorf("%w: ACK from %d to %d", ErrField, m.First, m.Last)
	}
	return m, nil
}
