package foreign

import (
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Translator turns the frames of a link into what a foreign server speaks, and back. It
// keeps nothing of any client, so that one serves all of them, on every loop at once. On
// heartbeats it must not allocate.
type Translator interface {
	// Outbound appends to dst what the server is to get for one frame of a link; nothing is
	// fine. answered says that the link gets a WELCOME at once, without the server.
	Outbound(dst []byte, f codec.Frame) (wire []byte, answered bool)

	// Inbound reads the one packet that begins b and appends to dst the frame that it means
	// to the link, of which asked tells what it waits for. need is as in codec.Decode: with
	// consumed 0, so many bytes must be there before there is a packet. What is no packet
	// becomes what no link takes for a frame.
	Inbound(dst, b []byte, asked Asked) (frame []byte, consumed, need int)

	// Welcome is the frame for answered.
	Welcome() []byte
}

// Asked is what a link has asked of its server, whose answers say less than ours.
type Asked struct {
	Token uint64 // of its latest PING
	Sent  uint64 // number of its latest SEND
}

// noFrame is what a link takes for a server's breach of the protocol.
var noFrame = []byte{0}

// Config is what a translator has to know of the clients and the server.
type Config struct {
	Interval time.Duration // between a client's heartbeats
	Timeout  time.Duration // of a tcp-echo server; 0: it has none
	// SendBytes is the size of the clients' messages; 0: they send none.
	SendBytes int
	Username  string // of MQTT; "": none
	Password  string
}

// New is nil for our own protocol.
func New(protocol string, cfg Config) (Translator, error) {
	switch protocol {
	case "", Own:
		return nil, nil
	case Echo:
		return newEcho(cfg)
	case MQTT:
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

// A protocol is what the servers of a run speak. Every client is a link whatever they
// speak, so that its retries, heartbeats and liveness are the same; for a foreign protocol
// a translator stands where bytes go to the socket and come from it.
const (
	Own  = "stormwheel"
	Echo = "tcp-echo"
	MQTT = "mqtt"
)

// Protocols are all of them. A new one is a file with its translator, a name here and a
// case in New.
var Protocols = []string{Own, Echo, MQTT}

// Names are those of the protocols, for a message.
func Names() string { return strings.Join(Protocols, ", ") }
