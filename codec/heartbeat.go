package codec

import "encoding/binary"

const pingLen = 8

// AppendPing appends a PING. The token comes back in the PONG; zero is not used, it
// marks a PONG that nobody asked for.
func AppendPing(dst []byte, token uint64) []byte {
	start := len(dst)
	dst = begin(dst, Ping, 0)
	dst = binary.BigEndian.AppendUint64(dst, token)
	return finish(dst, start)
}

// ParsePing reads the payload of a PING.
func ParsePing(p []byte) (token uint64, err error) {
	if len(p) != pingLen {
		return 0, wrongPayload(Ping, len(p), pingLen)
	}
	return binary.BigEndian.Uint64(p), nil
}

// PongMessage is the payload of PONG: the token of the latest PING and the terms that
// hold now. Token zero is an announcement that no PING asked for.
type PongMessage struct {
	Token uint64
	Terms Terms
}

const pongFixed = 20

// AppendPong appends a PONG.
func AppendPong(dst []byte, m PongMessage) []byte {
	start := len(dst)
	dst = begin(dst, Pong, 0)
	dst = binary.BigEndian.AppendUint64(dst, m.Token)
	dst = appendTerms(dst, m.Terms)
	return finish(dst, start)
}

// ParsePong reads the payload of a PONG.
func ParsePong(p []byte) (m PongMessage, err error) {
	if len(p) < pongFixed {
		return m, shortPayload(Pong, len(p), pongFixed)
	}
	if err := parseTail(p[pongFixed:], nil); err != nil {
		return m, err
	}
	return PongMessage{Token: binary.BigEndian.Uint64(p), Terms: parseTerms(p[8:])}, nil
}
