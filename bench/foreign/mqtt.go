package foreign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// mqtt is for brokers of MQTT 3.1.1 (OASIS Standard, 29 October 2014): a clean session
// that subscribes to nothing.
//
//	HELLO   -> CONNECT      CONNACK accepted -> WELCOME
//	PING    -> PINGREQ      CONNACK refused  -> GOAWAY
//	SEND    -> PUBLISH      PINGRESP         -> PONG to the latest PING
//	BYE     -> DISCONNECT   PUBACK           -> ACK
//
// A SEND goes out with quality of service 1, to Topic. Its packet id is made of its number, of which
// it tells all that are outstanding apart: they are few.
//
// Other packets that a broker may send are signs of life and no more: a PONG that nobody
// asked for, which a link does not take before its WELCOME.
type mqtt struct {
	terms     codec.Terms
	keepalive uint16
	login     []byte // user name and password, as they end CONNECT
	flags     byte   // of CONNECT
	accepted  []byte
}

// MaxKeepalive is what the two bytes of CONNECT hold.
const MaxKeepalive = math.MaxUint16 * time.Second

// Keepalive is the interval in whole seconds, rounded up: MQTT knows no parts, and a client
// that speaks more often than it said is right.
func Keepalive(interval time.Duration) time.Duration {
	return (interval + time.Second - 1).Truncate(time.Second)
}

// KeepaliveTimeout is the silence after which a broker must drop a client: "one and a half
// times the Keep Alive time period" (MQTT-3.1.2-24).
func KeepaliveTimeout(interval time.Duration) time.Duration { return Keepalive(interval) * 3 / 2 }

func newMQTT(cfg Config) (*mqtt, error) {
	if cfg.Interval <= 0 || cfg.Interval > MaxKeepalive {
		return nil, fmt.Errorf("a keepalive of %v is not within (0, %v]", cfg.Interval, MaxKeepalive)
	}
	m := &mqtt{
		terms:     codec.Terms{Interval: cfg.Interval, Timeout: KeepaliveTimeout(cfg.Interval)},
		keepalive: uint16(Keepalive(cfg.Interval) / time.Second),
		flags:     connectClean,
	}
	if err := CheckLogin(cfg.Username, cfg.Password); err != nil {
		return nil, err
	}
	if cfg.Username != "" {
		m.flags |= connectUser
		m.login = appendString(m.login, cfg.Username)
	}
	if cfg.Password != "" {
		m.flags |= connectPassword
		m.login = appendString(m.login, cfg.Password)
	}
	var err error
	m.accepted, err = localWelcome(m.terms)
	return m, err
}

// Topic is what messages are published to.
const Topic = "stormwheel/bench"

// packetIDs is how many there are; 0 is none.
const packetIDs = math.MaxUint16

func packetID(number uint64) uint16 { return uint16((number-1)%packetIDs) + 1 }

// numberOf is the latest number up to the last that has a packet id; 0: none has.
func numberOf(id uint16, last uint64) uint64 {
	back := (uint64(packetID(last)) + packetIDs - uint64(id)) % packetIDs
	if id == 0 || back >= last {
		return 0
	}
	return last - back
}

// CheckLogin says what makes a user name and a password impossible in MQTT.
func CheckLogin(username, password string) error {
	switch {
	case password != "" && username == "":
		return errors.New("a password needs a user name (MQTT-3.1.2-22)")
	case len(username) > math.MaxUint16 || len(password) > math.MaxUint16:
		return fmt.Errorf("a user name or password of more than %d bytes does not fit into CONNECT", math.MaxUint16)
	}
	return nil
}

func (m *mqtt) Welcome() []byte { return m.accepted }

func (m *mqtt) Outbound(dst []byte, f codec.Frame) (wire []byte, answered bool) {
	switch f.Type {
	case codec.Hello:
		if hello, err := codec.ParseHello(f.Payload); err == nil { // it is our own link's
			dst = appendConnect(dst, m.flags, m.keepalive, hello.ClientID, m.login)
		}
	case codec.Ping:
		dst = append(dst, packetPingReq, 0)
	case codec.Send:
		if number, body, err := codec.ParseMessage(f.Payload); err == nil {
			dst = appendPublish(dst, packetID(number), body)
		}
	case codec.Bye:
		dst = append(dst, packetDisconnect, 0)
	}
	return dst, false
}

func (m *mqtt) Inbound(dst, b []byte, asked Asked) (frame []byte, consumed, need int) {
	p, size, err := decodePacket(b, maxPacket)
	switch {
	case errors.Is(err, errPacketIncomplete):
		return dst, 0, size
	case err != nil:
		return append(dst, noFrame...), len(b), 1
	case p.kind == kindConnAck:
		return m.connAck(dst, p.body[1]), size, 1
	case p.kind == kindPingResp:
		return codec.AppendPong(dst, codec.PongMessage{Token: asked.Token, Terms: m.terms}), size, 1
	case p.kind == kindPubAck:
		if number := numberOf(binary.BigEndian.Uint16(p.body), asked.Sent); number != 0 {
			return codec.AppendAck(dst, codec.AckOf(number)), size, 1
		}
		fallthrough // nobody waits for it
	default:
		return codec.AppendPong(dst, codec.PongMessage{Terms: m.terms}), size, 1
	}
}

// connAck is what the return code of CONNACK (3.2.2.3) means to a link.
func (m *mqtt) connAck(dst []byte, code byte) []byte {
	switch code {
	case 0:
		return append(dst, m.accepted...)
	case 1: // unacceptable protocol version
		return appendGoAway(dst, codec.CodeVersion)
	case 3: // server unavailable
		return appendGoAway(dst, codec.CodeBusy)
	case 2, 4, 5: // identifier rejected; bad user name or password; not authorized
		return appendGoAway(dst, codec.CodeUnauthorized)
	default:
		return append(dst, noFrame...)
	}
}
