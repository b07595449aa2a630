package codec

import "encoding/binary"

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

// ParsePing reads the payload of a PING.
func ParsePing(p []byte) (token uint64, terms uint16, err error) {
	if len(p) < pingFixed {
		return 0, 0, shortPayload(Ping, len(p), pingFixed)
	}
	if err := parseTail(p[pingFixed:], nil); err != nil {
		return 0, 0, err
	}
	return binary.BigEndian.Uint64(p), binary.BigEndian.Uint16(p[8:]), nil
}

// PongMessage is the payload of PONG: the token of the latest PING and the terms that
// hold now. Token zero is an announcement that no PING asked for.
type PongMessage struct {
	Token  uint64
	Terms  Terms
	Limits Limits // zero: as they were told before
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
	dst = appendTail(dst, []field{{tlvLimits, &limits}})
	return finish(dst, start)
}

// ParsePong reads the payload of a PONG.
func ParsePong(p []byte) (m PongMessage, err error) {
	if len(p) < pongFixed {
		return m, shortPayload(Pong, len(p), pongFixed)
	}
	var limits []byte
	fields := []field{{tlvLimits, &limits}}
	if err := parseTail(p[pongFixed:], fields); err != nil {
		return m, err
	}
	if err := checkFields(fields); err != nil {
		return m, err
	}
	if m.Limits, err = parseLimits(limits); err != nil {
		return m, err
	}
	m.Token, m.Terms = binary.BigEndian.Uint64(p), parseTerms(p[8:])
	return m, nil
}
