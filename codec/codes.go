package codec

import "fmt"

// Code says why a server sends a client away. Its range says what the client does:
// 3000-3199 return here, 3200-3499 return elsewhere, 3500-3999 not to this address.
type Code uint16

// The codes. This table is the only one: server, client, metrics and docs read it.
const (
	CodeBusy             Code = 3000
	CodeHeartbeatTimeout Code = 3001
	CodeHelloTimeout     Code = 3002
	CodePartialTimeout   Code = 3003
	CodeBadChecksum      Code = 3004
	CodeSlowConsumer     Code = 3005
	CodeInternal         Code = 3006
	CodeTokenExpired     Code = 3007
	CodeRateLimit        Code = 3008
	CodeKicked           Code = 3009
	CodeSuperseded       Code = 3010
	CodeInUse            Code = 3011

	CodeFull     Code = 3200
	CodeDraining Code = 3201
	CodeShutdown Code = 3202

	CodeProtocolError Code = 3500
	CodeFrameTooLarge Code = 3501
	CodeVersion       Code = 3502
	CodeUnauthorized  Code = 3503
	CodeReplaced      Code = 3504
)

// NackCode says why a message is refused. Of codes from 1 to 99 the same message may be taken
// another time; from 100 on it never will be. Applications own 50-99 and those from 1000 on.
type NackCode uint16

// The codes of NACK that this version knows.
const (
	NackBusy     NackCode = 1   // the application has no room for it now
	NackInternal NackCode = 2   // the application failed while it handled the message
	NackRefused  NackCode = 100 // the application does not want it
)

// Again tells whether the same message may be taken another time.
func (c NackCode) Again() bool { return c >= 1 && c <= 99 }

// ForApplications tells whether an application may refuse a message with it: those that have a name
// here, and those that applications own.
func (c NackCode) ForApplications() bool {
	return c == NackBusy || c == NackInternal || c == NackRefused || c >= 50 && c <= 99 || c >= 1000
}

// String returns the name, or the number of a code that this version does not know.
func (c NackCode) String() string {
	switch c {
	case NackBusy:
		return "busy"
	case NackInternal:
		return "internal"
	case NackRefused:
		return "refused"
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// CodeInfo describes one code.
type CodeInfo struct {
	Code Code
	Name string // as logs, metrics and documents spell it
	// SessionOnly means that the fault is this session's alone and says nothing of the
	// node: the client is back within a second instead of over the reconnect window.
	SessionOnly bool
	Meaning     string
}

// Codes lists every code that this version knows, in ascending order.
var Codes = []CodeInfo{
	{CodeBusy, "busy", false, "The node admits clients in a queue; come back here at your slot."},
	{CodeHeartbeatTimeout, "heartbeat_timeout", true, "Nothing complete was read from you within the timeout."},
	{CodeHelloTimeout, "hello_timeout", true, "No complete HELLO arrived within the deadline."},
	{CodePartialTimeout, "partial_timeout", true, "A frame was begun and not finished within its deadline."},
	{CodeBadChecksum, "bad_checksum", true, "A frame's checksum did not match its bytes."},
	{CodeSlowConsumer, "slow_consumer", true, "You do not read what is sent to you."},
	{CodeInternal, "internal", true, "The server failed while it handled this session."},
	{CodeTokenExpired, "token_expired", true, "Get a new token and return."},
	{CodeRateLimit, "rate_limit", true, "You send more than this session may."},
	{CodeKicked, "kicked", true, "The application closed this session."},
	{CodeSuperseded, "superseded", true, "You came back, and your new session took this one's place."},
	{CodeInUse, "in_use", true, "Another client has a session under your id; come back when that may have ended."},
	{CodeFull, "full", false, "The node has no room for another connection."},
	{CodeDraining, "draining", false, "The node is about to stop and hands its clients over."},
	{CodeShutdown, "shutdown", false, "The node stops now."},
	{CodeProtocolError, "protocol_error", true, "The bytes are not this protocol."},
	{CodeFrameTooLarge, "frame_too_large", true, "A frame declares more bytes than are allowed."},
	{CodeVersion, "version", true, "No protocol version is common to both sides."},
	{CodeUnauthorized, "unauthorized", true, "The token does not admit this client."},
	{CodeReplaced, "replaced", true, "The same client has a newer session."},
}

// Info returns the entry of c in Codes, or one without a name.
func (c Code) Info() CodeInfo {
	for _, info := range Codes {
		if info.Code == c {
			return info
		}
	}
	return CodeInfo{Code: c}
}

// String returns the name, or the number of a code that this version does not know.
func (c Code) String() string {
	if info := c.Info(); info.Name != "" {
		return info.Name
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// Advice is what a code's range tells the client to do.
type Advice uint8

const (
	ReturnHere      Advice = iota // to the address that said so
	ReturnElsewhere               // to another address, if the client knows one
	AvoidAddress                  // go elsewhere, and if all say so, stay away for long
)

// Advice reads the range, so that a client obeys codes that are newer than itself. A
// number outside all ranges is treated like an unexplained loss: return here.
func (c Code) Advice() Advice {
	switch {
	case c >= 3200 && c < 3500:
		return ReturnElsewhere
	case c >= 3500 && c < 4000:
		return AvoidAddress
	default:
		return ReturnHere
	}
}
