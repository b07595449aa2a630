package foreign

import (
	"errors"

	"github.com/stormwheel/stormwheel/codec"
)

// pingPayload is the payload of our PING, in bytes. An echo cannot be longer than what was sent.
const pingPayload = 12

// echo is for servers that send back what they get. A client is welcome when it is
// connected; a PING goes out as it is, and its echo is the PONG. So does a SEND, and its echo is the ACK.
type echo struct {
	terms codec.Terms
	hello []byte
	most  int // payload of the longest frame that is sent, and so of those that come back
}

func newEcho(cfg Config) (*echo, error) {
	e := &echo{terms: codec.Terms{Interval: cfg.Interval, Timeout: cfg.Timeout}, most: max(pingPayload, codec.MaxPayload-codec.MaxBody+cfg.SendBytes)}
	var err error
	e.hello, err = localWelcome(e.terms)
	return e, err
}

func (e *echo) Welcome() []byte { return e.hello }

func (e *echo) Outbound(dst []byte, f codec.Frame) (wire []byte, answered bool) {
	if f.Type == codec.Ping || f.Type == codec.Send {
		dst = codec.AppendFrame(dst, f.Type, f.Flags, f.Payload)
	}
	return dst, f.Type == codec.Hello
}

func (e *echo) Inbound(dst, b []byte, _ Asked) (frame []byte, consumed, need int) {
	f, size, err := codec.Decode(b, e.most)
	if errors.Is(err, codec.ErrIncomplete) {
		return dst, 0, size
	}
	if err == nil && f.Type == codec.Ping {
		if token, _, err := codec.ParsePing(f.Payload); err == nil {
			return codec.AppendPong(dst, codec.PongMessage{Token: token, Terms: e.terms}), size, 1
		}
	}
	if err == nil && f.Type == codec.Send {
		if number, _, err := codec.ParseMessage(f.Payload); err == nil {
			return codec.AppendAck(dst, codec.AckOf(number)), size, 1
		}
	}
	return append(dst, noFrame...), len(b), 1
}
