package foreign

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The packets of MQTT 3.1.1 that a client meets that does not subscribe. The
// first byte is the kind and four flags, then the length of the rest in one to four bytes
// of seven bits.
const (
	kindConnAck  = 2
	kindPublish  = 3
	kindPubAck   = 4
	kindPubRec   = 5
	kindPubRel   = 6
	kindPubComp  = 7
	kindSubAck   = 9
	kindUnsubAck = 11
	kindPingResp = 13

	packetConnect    = 1 << 4
	packetPublish    = 3<<4 | 1<<1 // quality of service 1
	packetPingReq    = 12 << 4
	packetDisconnect = 14 << 4

	connectClean    = 1 << 1
	connectPassword = 1 << 6
	connectUser     = 1 << 7
)

// maxPacket limits the rest of a packet, in bytes. MQTT allows 256 MiB; nobody sends that
// to a client that has not subscribed.
const maxPacket = 64 << 10

var (
	errPacketIncomplete = errors.New("mqtt: packet is incomplete")
	errPacket           = errors.New("mqtt: malformed packet")
)

// packet is one decoded packet. body is a view into the decoded bytes.
type packet struct {
	kind  byte
	flags byte
	body  []byte
}

// decodePacket reads the packet at the start of b, if it is one that a broker may send. The
// declared length is checked as read, before anything waits for it. size is the packet's;
// with errPacketIncomplete, so many bytes must be there first. After any other error the
// stream is lost.
func decodePacket(b []byte, limit int) (p packet, size int, err error) {
	if len(b) == 0 {
		return p, 1, errPacketIncomplete
	}
	p.kind, p.flags = b[0]>>4, b[0]&15
	shortest, longest, err := bounds(p.kind, p.flags, limit)
	if err != nil {
		return p, 0, err
	}
	length, header := 0, 1
	for shift := 0; ; shift += 7 {
		if header == len(b) {
			return p, header + 1, errPacketIncomplete
		}
		digit := b[header]
		header++
		length |= int(digit&127) << shift
		switch {
		case length > longest:
			return p, 0, fmt.Errorf("%w: kind %d with %d bytes, %d are allowed", errPacket, p.kind, length, longest)
		case digit&128 == 0:
		case shift == 21:
			return p, 0, fmt.Errorf("%w: a length of more than four bytes", errPacket)
		default:
			continue
		}
		break
	}
	if length < shortest {
		return p, 0, fmt.Errorf("%w: kind %d with %d bytes, it has %d", errPacket, p.kind, length, shortest)
	}
	if size = header + length; len(b) < size {
		return p, size, errPacketIncomplete
	}
	p.body = b[header:size:size]
	return p, size, p.check()
}

// bounds is how long the body of a broker's packet may be. A kind or flags that no broker
// may send are an error.
func bounds(kind, flags byte, limit int) (shortest, longest int, err error) {
	var wantFlags byte
	switch kind {
	case kindPublish:
		if flags&6 == 6 { // QoS 3
			return 0, 0, fmt.Errorf("%w: PUBLISH with flags %#x", errPacket, flags)
		}
		wantFlags, shortest, longest = flags, 2, limit
		if flags&6 != 0 {
			shortest += 2 // the packet's id
		}
	case kindPubRel:
		wantFlags, shortest, longest = 2, 2, 2
	case kindConnAck, kindPubAck, kindPubRec, kindPubComp, kindUnsubAck:
		shortest, longest = 2, 2
	case kindSubAck:
		shortest, longest = 3, limit
	case kindPingResp:
	default:
		return 0, 0, fmt.Errorf("%w: kind %d is not a broker's", errPacket, kind)
	}
	if flags != wantFlags {
		return 0, 0, fmt.Errorf("%w: kind %d with flags %#x", errPacket, kind, flags)
	}
	return shortest, longest, nil
}

// check is for what only the whole packet shows.
func (p *packet) check() error {
	switch p.kind {
	case kindConnAck:
		if p.body[0]&^1 != 0 {
			return fmt.Errorf("%w: CONNACK with flags %#x", errPacket, p.body[0])
		}
	case kindPublish:
		fixed := 2
		if p.flags&6 != 0 {
			fixed += 2
		}
		if topic := int(binary.BigEndian.Uint16(p.body)); fixed+topic > len(p.body) {
			return fmt.Errorf("%w: PUBLISH of %d bytes with a topic of %d", errPacket, len(p.body), topic)
		}
	}
	return nil
}

// appendConnect appends a CONNECT; login is what follows the client id.
func appendConnect(dst []byte, flags byte, keepalive uint16, clientID, login []byte) []byte {
	const fixed = 10 // "MQTT" with its length, level, flags, keepalive
	dst = append(dst, packetConnect)
	dst = appendLength(dst, fixed+2+len(clientID)+len(login))
	dst = appendString(dst, "MQTT")
	dst = append(dst, 4, flags) // level 4 is 3.1.1
	dst = binary.BigEndian.AppendUint16(dst, keepalive)
	dst = appendString(dst, clientID)
	return append(dst, login...)
}

// appendPublish appends a PUBLISH to Topic that is to be acknowledged. A connection that begins anew
// knows nothing of the one before: it is no duplicate to it (3.3.1.1 speaks of one session).
func appendPublish(dst []byte, id uint16, body []byte) []byte {
	dst = append(dst, packetPublish)
	dst = appendLength(dst, 2+len(Topic)+2+len(body))
	dst = appendString(dst, Topic)
	dst = binary.BigEndian.AppendUint16(dst, id)
	return append(dst, body...)
}

// appendLength appends the remaining length of a packet, below 256 MiB.
func appendLength(dst []byte, n int) []byte {
	for ; n > 127; n >>= 7 {
		dst = append(dst, byte(n&127)|128)
	}
	return append(dst, byte(n))
}

func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}
