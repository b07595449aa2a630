package between

import (
	"encoding/binary"
	"errors"
	"fmt"
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
)

// numbers are the fields that hold one, in the order in which they are written.
func (m *Message) numbers() [13]numberField {
	return [...]numberField{
		{fieldStream, &m.Stream}, {fieldNumber, &m.Number}, {fieldAckStream, &m.AckStream}, {fieldAcked, &m.Acked}, {fieldAgain, &m.Again},
		{fieldToken, &m.Token}, {fieldResult, &m.Result}, {fieldCode, &m.Code}, {fieldStamp, &m.Stamp},
		{fieldDue, &m.Due}, {fieldUntil, &m.Until},
		{fieldEpoch, &m.Epoch}, {fieldOffset, &m.Offset},
	}
}

type numberField struct {
	f field
	v *uint64
}

// texts are the fields that hold bytes.
func (m *Message) texts() [6]textField {
	return [...]textField{
		{fieldUser, &m.User}, {fieldRoom, &m.Room}, {fieldDevice, &m.Device}, {fieldReason, &m.Reason},
		{fieldList, &m.List}, {fieldBody, &m.Body},
	}
}

type textField struct {
	f field
	v *[]byte
}

// most is as many bytes as m takes, or some more.
func (m *Message) most() int {
	n := 2
	for _, t := range m.texts() {
		if len(*t.v) > 0 {
			n += 1 + binary.MaxVarintLen32 + len(*t.v)
		}
	}
	for _, v := range m.numbers() {
		if *v.v != 0 {
			n += 2 + binary.MaxVarintLen64
		}
	}
	return n
}

// Append appends the body that m describes to dst.
func Append(dst []byte, m *Message) []byte {
	if dst == nil {
		dst = make([]byte, 0, m.most())
	}
	dst = append(dst, Version, byte(m.Kind))
	for _, n := range m.numbers() {
		if *n.v != 0 {
			dst = append(dst, byte(n.f), byte(varintLen(*n.v)))
			dst = binary.AppendUvarint(dst, *n.v)
		}
	}
	for _, t := range m.texts() {
		if len(*t.v) > 0 {
			dst = append(dst, byte(t.f))
			dst = binary.AppendUvarint(dst, uint64(len(*t.v)))
			dst = append(dst, *t.v...)
		}
	}
	return dst
}

func varintLen(v uint64) (n int) {
	for n = 1; v >= 0x80; n++ {
		v >>= 7
	}
	return n
}

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
	}
	return nil
}
