package foreign

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// mqtt is for brokers of MQTT 3.1.1 (OASIS Standard, 29 October 2014): a clean session
// that subscribes to nothing and publishes nothing.
//
//	HELLO   -> CONNECT      CONNACK accepted -> WELCOME
//	PING    -> PINGREQ      CONNACK refused  -> GOAWAY
//	BYE     -> DISCONNECT   PINGRESP         -> PONG to the latest PING
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
	case codec.Bye:
		dst = append(dst, packetDisconnect, 0)
	}
	return dst, false
}

func (m *mqtt) Inbound(dst, b []byte, token uint64) (frame []byte, consumed, need int) {
	p, size, err := decodePacket(b, maxPacket)
	switch {
	case errors.Is(err, errPacketIncomplete):
		return dst, 0, size
	case err != nil:
		return append(dst, noFrame...), len(b), 1
	case p.kind == kindConnAck:
		return m.connAck(dst, p.body[1]), size, 1
	case p.kind == kindPingResp:
		return codec.AppendPong(dst, codec.PongMessage{Token: token, Terms: m.terms}), size, 1
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
