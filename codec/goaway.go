package codec

import (
	"encoding/binary"
	"time"
)

// GoAwayMessage is the payload of GOAWAY. Whatever the protocol versions of the two
// sides, any decoder of framing 1 can read it.
type GoAwayMessage struct {
	Code       Code
	Delay      time.Duration // wait at least this long
	Window     time.Duration // then spread the attempt over this long
	Ticket     []byte        // to present in the next HELLO
	Alternates []byte        // "host:port,host:port"
	Reason     []byte        // for people
}

const goAwayFixed = 12

// AppendGoAway appends a GOAWAY frame. A field beyond its limit is ErrField; dst is then
// returned as it was.
func AppendGoAway(dst []byte, m *GoAwayMessage) ([]byte, error) {
	fields := m.fields()
	if err := checkFields(fields[:]); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = begin(dst, GoAway, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.Code))
	dst = append(dst, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, millis(m.Delay))
	dst = binary.BigEndian.AppendUint32(dst, millis(m.Window))
	dst = appendTail(dst, fields[:])
	return finish(dst, start), nil
}

// ParseGoAway reads the payload of a GOAWAY.
func ParseGoAway(p []byte) (m GoAwayMessage, err error) {
	if len(p) < goAwayFixed {
		return m, shortPayload(GoAway, len(p), goAwayFixed)
	}
	m.Code = Code(binary.BigEndian.Uint16(p))
	m.Delay = duration(binary.BigEndian.Uint32(p[4:]))
	m.Window = duration(binary.BigEndian.Uint32(p[8:]))
	fields := m.fields()
	if err := parseTail(p[goAwayFixed:], fields[:]); err != nil {
		return GoAwayMessage{}, err
	}
	if err := checkFields(fields[:]); err != nil {
		return GoAwayMessage{}, err
	}
	return m, nil
}

func (m *GoAwayMessage) fields() [3]field {
	return [...]field{{tlvTicket, &m.Ticket}, {tlvAlternates, &m.Alternates}, {tlvReason, &m.Reason}}
}

// AppendBye appends a BYE. It has no payload; a receiver does not read what a newer
// client may put there.
func AppendBye(dst []byte) []byte { return AppendFrame(dst, Bye, 0, nil) }
