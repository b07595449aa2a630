package websocket

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/codec"
)

// The codes of RFC 6455, section 7.4, that a side sends by itself.
const (
	closeNormal      = 1000
	closeProtocol    = 1002
	closeUnsupported = 1003
	closeInvalid     = 1007

	closeNone = 1005 // there is none; never sent
)

// CloseCode is the code of the close frame for a GOAWAY code: that one and 1000, since the range
// from 4000 on is for private use. A connection that ends without a GOAWAY closes with 1000.
func CloseCode(c codec.Code) uint16 {
	if c < 3000 || c > 3999 {
		return closeNormal
	}
	return uint16(c) + 1000
}

// GoAwayCode is the GOAWAY code that a close frame's code stands for, if it stands for one.
func GoAwayCode(code uint16) (c codec.Code, ok bool) {
	if code < 4000 || code > 4999 {
		return 0, false
	}
	return codec.Code(code - 1000), true
}

// fault is what is wrong with a peer's frames, and how that is told.
type fault struct {
	code uint16
	text string
}

func (f *fault) Error() string { return fmt.Sprintf("websocket: %s (%d)", f.text, f.code) }

// What a peer may do wrong.
var (
	errReserved          = &fault{closeProtocol, "a reserved bit is set"}
	errOpcode            = &fault{closeProtocol, "a reserved opcode"}
	errFragmentedControl = &fault{closeProtocol, "a control frame in fragments"}
	errLongControl       = &fault{closeProtocol, "a control frame of more than 125 bytes"}
	errMask              = &fault{closeProtocol, "a client's frame without a mask, or a server's with one"}
	errLength            = &fault{closeProtocol, "a length of more bytes than it needs, or of 64 bits"}
	errContinuation      = &fault{closeProtocol, "a continuation of nothing"}
	errInterrupted       = &fault{closeProtocol, "a message within another's fragments"}
	errText              = &fault{closeUnsupported, "a text message"}
	errClosePayload      = &fault{closeProtocol, "a close frame of one byte"}
	errCloseCode         = &fault{closeProtocol, "a close code that must not be sent"}
	errCloseReason       = &fault{closeInvalid, "a close reason that is not UTF-8"}
)

// parseClose reads a close frame's payload.
func parseClose(b []byte) (code uint16, err error) {
	switch {
	case len(b) == 0:
		return closeNone, nil
	case len(b) == 1:
		return 0, errClosePayload
	}
	code = binary.BigEndian.Uint16(b)
	switch {
	case !mayBeSent(code):
		return 0, errCloseCode
	case !utf8.Valid(b[2:]):
		return 0, errCloseReason
	}
	return code, nil
}

// mayBeSent says whether a code may stand in a close frame: those that the RFC and its registry
// define for that, and the ranges for libraries and applications.
func mayBeSent(code uint16) bool {
	switch {
	case code >= 3000:
		return code <= 4999
	case code < 1000, code > 1014:
		return false
	}
	return code != 1004 && code != closeNone && code != 1006
}
