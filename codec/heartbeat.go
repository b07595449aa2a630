package codec

import (
	"encoding/binary"
	"time"
)

const pingFixed = 12

// AppendPing appends a PING. The token comes back in the PONG; zero is not used, it
// marks a PONG that nobody asked for. terms is the number of the terms that the client
// has applied, zero for none.
func AppendPing(dst []byte, token uint64, terms uint16) []byte {
	start := len(dst)
	dst = begin(dst, Ping, 0)
	dst = binary.BigEndian.AppendUint64(dst, token)
	dst = binary.BigEndian.AppendUint16(dst, terms)
	dst = append(dst, 0, 0)
	return finish(dst, start)
}

// AppendRenewal appends a PING that brings a new credential, like the token of HELLO. One beyond
// its limit is ErrField; dst is then returned as it was. An empty one is none.
func AppendRenewal(dst []byte, token uint64, terms uint16, credential []byte) ([]byte, error) {
	fields := []field{{tlvToken, &credential}}
	if err := checkFields(fields); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = begin(dst, Ping, 0)
	dst = binary.BigEndian.AppendUint64(dst, token)
	dst = binary.BigEndian.AppendUint16(dst, terms)
	dst = append(dst, 0, 0)
	dst = appendTail(dst, fields)
	return finish(dst, start), nil
}

// ParsePing reads the payload of a PING, but for the credential that it may bring: see Renewal.
func ParsePing(p []byte) (token uint64, terms uint16, err error) {
	if len(p) < pingFixed {
		return 0, 0, shortPayload(Ping, len(p), pingFixed)
	}
	if len(p) > pingFixed {
		if _, err := pingTail(p); err != nil {
			return 0, 0, err
		}
	}
	return binary.BigEndian.Uint64(p), binary.BigEndian.Uint16(p[8:]), nil
}

// Renewal is the credential in the payload of a PING that ParsePing has taken, a view; empty if
// it brings none, as heartbeats do.
func Renewal(p []byte) (credential []byte) {
	if len(p) > pingFixed {
		credential, _ = pingTail(p)
	}
	return credential
}

func pingTail(p []byte) (credential []byte, err error) {
	fields := []field{{tlvToken, &credential}}
	if err := parseTail(p[pingFixed:], fields); err != nil {
		return nil, err
	}
	return credential, checkFields(fields)
}

// PongMessage is the payload of PONG: the token of the latest PING and the terms that
// hold now. Token zero is an announcement that no PING asked for.
type PongMessage struct {
	Token  uint64
	Terms  Terms
	Limits Limits // zero: as they were told before

	// Expires is how long the grant is still good, in whole milliseconds, rounded up, or
	// NeverExpires; zero or less: as it was told before.
	Expires time.Duration
}

const pongFixed = 28

// AppendPong appends a PONG.
func AppendPong(dst []byte, m PongMessage) []byte {
	start := len(dst)
	dst = begin(dst, Pong, 0)
	dst = binary.BigEndian.AppendUint64(dst, m.Token)
	dst = appendTerms(dst, m.Terms)
	var buf [limitsLen]byte
	limits := appendLimits(buf[:0], m.Limits)
	var end [expiresLen]byte
	expires := appendExpires(end[:0], m.Expires)
	dst = appendTail(dst, []field{{tlvLimits, &limits}, {tlvExpires, &expires}})
	return finish(dst, start)
}

// ParsePong reads the payload of a PONG.
func ParsePong(p []byte) (m PongMessage, err error) {
	if len(p) < pongFixed {
		return m, shortPayload(Pong, len(p), pongFixed)
	}
	var limits, expires []byte
	fields := []field{{tlvLimits, &limits}, {tlvExpires, &expires}}
	if err := parseTail(p[pongFixed:], fields); err != nil {
		return m, err
	}
	if err := checkFields(fields); err != nil {
		return m, err
	}
	if m.Limits, err = parseLimits(limits); err != nil {
		return m, err
	}
	if m.Expires, err = parseExpires(expires); err != nil {
		return PongMessage{}, err
	}
	m.Token, m.Terms = binary.BigEndian.Uint64(p), parseTerms(p[8:])
	return m, nil
}
