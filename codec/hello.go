package codec

import (
	"encoding/binary"
	"fmt"
)

// ProtocolVersion is the only version of the payloads so far. HELLO offers a range,
// WELCOME names the choice; the framing below it never changes.
const ProtocolVersion = 1

// HelloMessage is the payload of HELLO, the first frame of a connection.
type HelloMessage struct {
	MinVersion, MaxVersion uint8  // protocol versions the client speaks
	Features               uint32 // feature bits it asks for; none are defined yet
	Incarnation            uint64 // random, one for the life of a client; never stored, never copied
	Attempt                uint32 // one more for every connection of that incarnation
	ClientID               []byte // 1..MaxClientID bytes of text
	Token                  []byte // credentials, opaque here
	ReturnPass             []byte // the return pass of the session that was lost
	Ticket                 []byte // the ticket of the GOAWAY that sent the client to wait
}

const helloFixed = 24

// AppendHello appends a HELLO frame. A field beyond its limit is ErrField; dst is then
// returned as it was.
func AppendHello(dst []byte, m *HelloMessage) ([]byte, error) {
	fields := m.fields()
	if err := m.check(fields[:]); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = begin(dst, Hello, 0)
	dst = append(dst, m.MinVersion, m.MaxVersion, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, m.Features)
	dst = binary.BigEndian.AppendUint64(dst, m.Incarnation)
	dst = binary.BigEndian.AppendUint32(dst, m.Attempt)
	dst = append(dst, 0, 0, 0, 0)
	dst = appendTail(dst, fields[:])
	return finish(dst, start), nil
}

// HelloVersions reads the range of protocol versions that a HELLO offers, and no more: what
// follows belongs to a version, and may be nothing that ParseHello knows. It is not ok if the
// payload has no such range.
func HelloVersions(p []byte) (lowest, highest uint8, ok bool) {
	if len(p) < 2 || p[0] > p[1] {
		return 0, 0, false
	}
	return p[0], p[1], true
}

// ParseHello reads the payload of a HELLO of ProtocolVersion; see HelloVersions.
func ParseHello(p []byte) (m HelloMessage, err error) {
	if len(p) < helloFixed {
		return m, shortPayload(Hello, len(p), helloFixed)
	}
	m.MinVersion, m.MaxVersion = p[0], p[1]
	m.Features = binary.BigEndian.Uint32(p[4:])
	m.Incarnation = binary.BigEndian.Uint64(p[8:])
	m.Attempt = binary.BigEndian.Uint32(p[16:])
	fields := m.fields()
	if err := parseTail(p[helloFixed:], fields[:]); err != nil {
		return HelloMessage{}, err
	}
	if err := m.check(fields[:]); err != nil {
		return HelloMessage{}, err
	}
	return m, nil
}

func (m *HelloMessage) fields() [4]field {
	return [...]field{
		{tlvClientID, &m.ClientID}, {tlvToken, &m.Token},
		{tlvReturnPass, &m.ReturnPass}, {tlvTicket, &m.Ticket},
	}
}

func (m *HelloMessage) check(fields []field) error {
	if m.MinVersion > m.MaxVersion {
		return fmt.Errorf("%w: lowest version %d above highest %d", ErrField, m.MinVersion, m.MaxVersion)
	}
	if len(m.ClientID) == 0 {
		return fmt.Errorf("%w: client id is missing", ErrField)
	}
	return checkFields(fields)
}
