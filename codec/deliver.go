package codec

import (
	"encoding/binary"
	"fmt"
)

const messageIDLen = 8

// MaxBody is the largest body of a SEND or a DELIVER within MaxPayload, in bytes.
const MaxBody = MaxPayload - messageIDLen

// AppendSend appends a SEND: a message of the client with the number that the ACK for
// it will carry. A peer with the default limit refuses a body above MaxBody.
func AppendSend(dst []byte, id uint64, body []byte) []byte {
	return appendNumbered(dst, Send, id, body)
}

// AppendDeliver appends a DELIVER: a message of the server with the number that the ACK
// for it will carry. A peer with the default limit refuses a body above MaxBody.
func AppendDeliver(dst []byte, id uint64, body []byte) []byte {
	return appendNumbered(dst, Deliver, id, body)
}

// AppendAck appends an ACK for message id of the other side.
func AppendAck(dst []byte, id uint64) []byte {
	return appendNumbered(dst, Ack, id, nil)
}

func appendNumbered(dst []byte, t Type, id uint64, body []byte) []byte {
	start := len(dst)
	dst = begin(dst, t, 0)
	dst = binary.BigEndian.AppendUint64(dst, id)
	dst = append(dst, body...)
	return finish(dst, start)
}

// ParseMessage reads the payload of a SEND or a DELIVER.
func ParseMessage(p []byte) (id uint64, body []byte, err error) {
	if len(p) < messageIDLen {
		return 0, nil, fmt.Errorf("%w: message payload of %d bytes, want at least %d", ErrTruncated, len(p), messageIDLen)
	}
	return binary.BigEndian.Uint64(p), p[messageIDLen:], nil
}

// ParseAck reads the payload of an ACK.
func ParseAck(p []byte) (id uint64, err error) {
	if len(p) != messageIDLen {
		return 0, wrongPayload(Ack, len(p), messageIDLen)
	}
	return binary.BigEndian.Uint64(p), nil
}
