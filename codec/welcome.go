package codec

import (
	"encoding/binary"
	"fmt"
	"time"
)

// SessionID names a session across restarts: the epoch is random for every start of a
// node, the handle is the node's own. It is no credential.
type SessionID struct {
	Epoch  uint64
	Handle uint64
}

// String returns the id as 16+16 hexadecimal digits.
func (id SessionID) String() string { return fmt.Sprintf("%016x-%016x", id.Epoch, id.Handle) }

// WelcomeMessage is the payload of WELCOME, the answer to an accepted HELLO.
type WelcomeMessage struct {
	Version    uint8 // the protocol version chosen
	Features   uint32
	Session    SessionID
	Terms      Terms
	ServerTime time.Time // wall clock of the node, milliseconds
	Node       []byte    // the node's name
	ReturnPass []byte    // to present after a loss
	Alternates []byte    // "host:port,host:port": where else to go
	Limits     Limits    // what the client may send; zero: not told

	// Expires is how long the grant is good, as in PongMessage; zero or less: not told.
	Expires time.Duration
}

const welcomeFixed = 52

// AppendWelcome appends a WELCOME frame. A field beyond its limit is ErrField; dst is
// then returned as it was.
func AppendWelcome(dst []byte, m *WelcomeMessage) ([]byte, error) {
	var buf [limitsLen]byte
	limits := appendLimits(buf[:0], m.Limits)
	var end [expiresLen]byte
	expires := appendExpires(end[:0], m.Expires)
	fields := m.fields(&limits, &expires)
	if err := checkFields(fields[:]); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = begin(dst, Welcome, 0)
	dst = append(dst, m.Version, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, m.Features)
	dst = binary.BigEndian.AppendUint64(dst, m.Session.Epoch)
	dst = binary.BigEndian.AppendUint64(dst, m.Session.Handle)
	dst = appendTerms(dst, m.Terms)
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.ServerTime.UnixMilli()))
	dst = appendTail(dst, fields[:])
	return finish(dst, start), nil
}

// ParseWelcome reads the payload of a WELCOME.
func ParseWelcome(p []byte) (m WelcomeMessage, err error) {
	if len(p) < welcomeFixed {
		return m, shortPayload(Welcome, len(p), welcomeFixed)
	}
	m.Version = p[0]
	m.Features = binary.BigEndian.Uint32(p[4:])
	m.Session.Epoch = binary.BigEndian.Uint64(p[8:])
	m.Session.Handle = binary.BigEndian.Uint64(p[16:])
	m.Terms = parseTerms(p[24:])
	m.ServerTime = time.UnixMilli(int64(binary.BigEndian.Uint64(p[24+termsLen:])))
	var limits, expires []byte
	fields := m.fields(&limits, &expires)
	if err := parseTail(p[welcomeFixed:], fields[:]); err != nil {
		return WelcomeMessage{}, err
	}
	if err := checkFields(fields[:]); err != nil {
		return WelcomeMessage{}, err
	}
	if m.Limits, err = parseLimits(limits); err != nil {
		return WelcomeMessage{}, err
	}
	if m.Expires, err = parseExpires(expires); err != nil {
		return WelcomeMessage{}, err
	}
	return m, nil
}

func (m *WelcomeMessage) fields(limits, expires *[]byte) [5]field {
	return [...]field{{tlvNode, &m.Node}, {tlvReturnPass, &m.ReturnPass}, {tlvAlternates, &m.Alternates}, {tlvLimits, limits}, {tlvExpires, expires}}
}
