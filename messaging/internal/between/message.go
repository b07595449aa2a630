package between

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Version is that of the bodies that Append writes, and the only one that Parse reads.
const Version = 1

// What can be wrong with a body. Parse wraps exactly one of these.
var (
	ErrVersion   = errors.New("between: unknown version")
	ErrTruncated = errors.New("between: truncated")
	ErrField     = errors.New("between: invalid field") // no number, or one that is too large
)

// Message is one body. Byte slices are views into what was parsed.
type Message struct {
	Kind Kind

	// Of a Stream, which sets them.
	Stream    uint64 // the stream that it is of; 0: of none
	Number    uint64 // on that stream, from 1 on
	AckStream uint64 // the stream of the other direction
	Acked     uint64 // all of that stream up to this number have come
	Again     uint64 // 1: what is behind Acked has been lost

	Token  uint64 // names a question for its answer
	User   []byte
	Room   []byte
	Body   []byte // an envelope, as a DELIVER carries it
	List   []byte // names or sessions, see AppendName and AppendSession
	Result uint64 // of Outcome and others
	Device []byte // a client id
	Code   uint64
	Reason []byte
	Stamp  uint64 // of a login; of Located and Outcome: greater than those of all logins that it knows of
	Due    uint64 // ms; 0: at once
	Until  uint64 // ms: it expires
	Epoch  uint64 // of a room
	Offset uint64 // there

	Members uint64 // of a room
}

// field is the type of an entry.
type field uint8

const (
	fieldStream    field = 1
	fieldNumber    field = 2
	fieldAckStream field = 3
	fieldAcked     field = 4
	fieldAgain     field = 5
	fieldToken     field = 6
	fieldUser      field = 7
	fieldRoom      field = 8
	fieldBody      field = 9
	fieldList      field = 10
	fieldResult    field = 11
	fieldDevice    field = 12
	fieldCode      field = 13
	fieldReason    field = 14
	fieldStamp     field = 15
	fieldDue       field = 16
	fieldUntil     field = 17
	fieldEpoch     field = 18
	fieldOffset    field = 19
	fieldMembers   field = 20
)

// most is as many bytes as m takes, or some more.
func (m *Message) most() int {
	const (
		numbers = 14 * (2 + binary.MaxVarintLen64)
		texts   = 6 * (1 + binary.MaxVarintLen32)
	)
	return 2 + numbers + texts + len(m.User) + len(m.Room) + len(m.Device) + len(m.Reason) + len(m.List) + len(m.Body)
}

// Append appends the body that m describes to dst.
func Append(dst []byte, m *Message) []byte {
	if dst == nil {
		dst = make([]byte, 0, m.most())
	}
	dst = append(dst, Version, byte(m.Kind))
	dst = appendNumber(dst, fieldStream, m.Stream)
	dst = appendNumber(dst, fieldNumber, m.Number)
	dst = appendNumber(dst, fieldAckStream, m.AckStream)
	dst = appendNumber(dst, fieldAcked, m.Acked)
	dst = appendNumber(dst, fieldAgain, m.Again)
	dst = appendNumber(dst, fieldToken, m.Token)
	dst = appendNumber(dst, fieldResult, m.Result)
	dst = appendNumber(dst, fieldCode, m.Code)
	dst = appendNumber(dst, fieldStamp, m.Stamp)
	dst = appendNumber(dst, fieldDue, m.Due)
	dst = appendNumber(dst, fieldUntil, m.Until)
	dst = appendNumber(dst, fieldEpoch, m.Epoch)
	dst = appendNumber(dst, fieldOffset, m.Offset)
	dst = appendNumber(dst, fieldMembers, m.Members)
	dst = appendText(dst, fieldUser, m.User)
	dst = appendText(dst, fieldRoom, m.Room)
	dst = appendText(dst, fieldDevice, m.Device)
	dst = appendText(dst, fieldReason, m.Reason)
	dst = appendText(dst, fieldList, m.List)
	return appendText(dst, fieldBody, m.Body)
}

func appendNumber(dst []byte, f field, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return binary.AppendUvarint(append(dst, byte(f), byte(varintLen(v))), v)
}

func appendText(dst []byte, f field, v []byte) []byte {
	if len(v) == 0 {
		return dst
	}
	return append(binary.AppendUvarint(append(dst, byte(f)), uint64(len(v))), v...)
}

func varintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// Parse reads a body. Of a field that is there twice the latter counts. The kind may be one that this version
// does not know.
func Parse(body []byte) (m Message, err error) {
	if len(body) < 2 {
		return m, fmt.Errorf("%w: %d bytes", ErrTruncated, len(body))
	}
	if body[0] != Version {
		return m, fmt.Errorf("%w: %d", ErrVersion, body[0])
	}
	m.Kind = Kind(body[1])
	for body = body[2:]; len(body) > 0; {
		f := field(body[0])
		size, n := binary.Uvarint(body[1:])
		if n <= 0 || size > uint64(len(body)-1-n) {
			return Message{}, fmt.Errorf("%w: field %d in the last %d bytes", ErrTruncated, f, len(body))
		}
		end := 1 + n + int(size)
		if !m.set(f, body[1+n:end:end]) {
			return Message{}, fmt.Errorf("%w: %d is % x", ErrField, f, body[1+n:end])
		}
		body = body[end:]
	}
	return m, nil
}

// set takes the value of a field, and tells whether it can be that.
func (m *Message) set(f field, v []byte) bool {
	if t := m.text(f); t != nil {
		*t = v
		return true
	}
	if p := m.number(f); p != nil {
		x, n := binary.Uvarint(v)
		*p = x
		return n == len(v) && n > 0
	}
	return true
}

func (m *Message) text(f field) *[]byte {
	switch f {
	case fieldUser:
		return &m.User
	case fieldRoom:
		return &m.Room
	case fieldBody:
		return &m.Body
	case fieldList:
		return &m.List
	case fieldDevice:
		return &m.Device
	case fieldReason:
		return &m.Reason
	}
	return nil
}

func (m *Message) number(f field) *uint64 {
	switch f {
	case fieldStream:
		return &m.Stream
	case fieldNumber:
		return &m.Number
	case fieldAckStream:
		return &m.AckStream
	case fieldAcked:
		return &m.Acked
	case fieldAgain:
		return &m.Again
	case fieldToken:
		return &m.Token
	case fieldResult:
		return &m.Result
	case fieldCode:
		return &m.Code
	case fieldStamp:
		return &m.Stamp
	case fieldDue:
		return &m.Due
	case fieldUntil:
		return &m.Until
	case fieldEpoch:
		return &m.Epoch
	case fieldOffset:
		return &m.Offset
	case fieldMembers:
		return &m.Members
	}
	return nil
}
