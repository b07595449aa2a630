package codec

import (
	"encoding/binary"
	"fmt"
)

// A SEND or a DELIVER may want a reply, and may be one. What wants one has a number that is not
// zero. A reply settles what it replies to, as an ACK does, and is itself not answered: its number
// is zero.

// AppendRequest appends a message of type t, SEND or DELIVER, that wants a reply. The number must
// not be zero. Otherwise it is as AppendSend and AppendDeliver.
func AppendRequest(dst []byte, t Type, number uint64, body []byte) []byte {
	return appendNumbered(dst, t, FlagWantsReply, number, body)
}

// AppendReply appends a message of type t, SEND or DELIVER, that is the reply to the other side's
// message of that number. A peer with the default limit refuses a body above MaxReply.
func AppendReply(dst []byte, t Type, to uint64, body []byte) []byte {
	start := len(dst)
	dst = begin(dst, t, FlagReply)
	dst = binary.BigEndian.AppendUint64(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, to)
	dst = append(dst, body...)
	return finish(dst, start)
}

// ParseRequest reads the payload of a SEND or a DELIVER that has FlagWantsReply.
func ParseRequest(p []byte) (number uint64, body []byte, err error) {
	number, body, err = ParseMessage(p)
	if err == nil && number == 0 {
		return 0, nil, fmt.Errorf("%w: number 0 of a message that wants a reply", ErrField)
	}
	return number, body, err
}

// ParseReply reads the payload of a SEND or a DELIVER that has FlagReply: the number of the
// reader's own message that it replies to, and what it says.
func ParseReply(p []byte) (to uint64, body []byte, err error) {
	if len(p) < 2*messageIDLen {
		return 0, nil, fmt.Errorf("%w: reply payload of %d bytes, want at least %d", ErrTruncated, len(p), 2*messageIDLen)
	}
	if number := binary.BigEndian.Uint64(p); number != 0 {
		return 0, nil, fmt.Errorf("%w: number %d of a reply, want 0", ErrField, number)
	}
	return binary.BigEndian.Uint64(p[messageIDLen:]), p[2*messageIDLen:], nil
}
