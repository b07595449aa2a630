package bench

import (
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// translator turns the frames of a link into what a foreign server speaks, and back. It
// keeps nothing of any client, so that one serves all of them, on every loop at once. On
// heartbeats it must not allocate.
type translator interface {
	// outbound appends to dst what the server is to get for one frame of a link; nothing is
	// fine. answered says that the link gets a WELCOME at once, without the server.
	outbound(dst []byte, f codec.Frame) (wire []byte, answered bool)

	// inbound reads the one packet that begins b and appends to dst the frame that it means
	// to the link; token is that of the link's latest PING. need is as in codec.Decode: with
	// consumed 0, so many bytes must be there before there is a packet. What is no packet
	// is noFrame to the link.
	inbound(dst, b []byte, token uint64) (frame []byte, consumed, need int)

	// welcome is the frame for answered.
	welcome() []byte
}

// noFrame is what a link takes for a server's breach of the protocol.
var noFrame = []byte{0}

// foreignConfig is what a translator has to know of the clients and the server.
type foreignConfig struct {
	Interval time.Duration // between a client's heartbeats
	Timeout  time.Duration // of a tcp-echo server; 0: it has none
	Username string        // of MQTT; "": none
	Password string
}

// newTranslator is nil for our own protocol.
func newTranslator(protocol string, cfg foreignConfig) (translator, error) {
	switch protocol {
	case "", protocolOwn:
		return nil, nil
	case protocolEcho:
		return newEcho(cfg)
	case protocolMQTT:
		return newMQTT(cfg)
	default:
		return nil, fmt.Errorf("protocol %q is unknown", protocol)
	}
}

// localWelcome is the WELCOME that a foreign server cannot say.
func localWelcome(terms codec.Terms) ([]byte, error) {
	return codec.AppendWelcome(nil, &codec.WelcomeMessage{
		Version: codec.ProtocolVersion, Terms: terms, ServerTime: time.UnixMilli(0),
	})
}

// appendGoAway is a GOAWAY with nothing but a code.
func appendGoAway(dst []byte, code codec.Code) []byte {
	dst, _ = codec.AppendGoAway(dst, &codec.GoAwayMessage{Code: code}) // no field that could be too long
	return dst
}

// toServer is what goes to the socket for frames of a link: themselves, or their
// translation, which is valid until the next call. A link's WELCOME that no server sends
// is put off until its actions are done.
func (l *loop) toServer(a *link.Action) []byte {
	if l.foreign == nil {
		return a.Data
	}
	l.wire = l.wire[:0]
	for b := a.Data; len(b) > 0; {
		f, size, err := codec.Decode(b, len(b))
		if err != nil {
			panic("bench: a link wrote what is no frame: " + err.Error())
		}
		var answered bool
		if l.wire, answered = l.foreign.outbound(l.wire, f); answered {
			l.after = append(l.after, followUp{kind: welcomed, attempt: a.Attempt})
		}
		b = b[size:]
	}
	return l.wire
}

// translate reads one packet of a foreign server and lets the link have its meaning. A
// mute client has none: all that matters is the end.
func (l *loop) translate(i uint32, c *client, attempt uint32, b []byte) (consumed, need int) {
	if c.flags.has(flagMute) {
		l.answered(c) // of what it asked before it was mute
		return len(b), 1
	}
	l.frame, consumed, need = l.foreign.inbound(l.frame[:0], b, uint64(c.link.Info().Pings))
	if len(l.frame) > 0 {
		c.link.Received(l.now, attempt, l.frame, &l.out)
		l.act(i, c)
	}
	return consumed, need
}
