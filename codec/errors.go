package codec

import (
	"errors"
	"fmt"
)

// What can be wrong with the bytes of a peer. Decode and the Parse functions wrap
// exactly one of these; the text around it gives the values. ErrIncomplete alone is not
// a fault: more bytes are needed.
var (
	ErrIncomplete = errors.New("codec: frame is incomplete")

	ErrMagic     = errors.New("codec: wrong magic")               // first byte is not Magic
	ErrVersion   = errors.New("codec: unknown framing version")   // second byte is not framing 1
	ErrFlags     = errors.New("codec: unknown flags")             // a flag that the type may not have
	ErrLength    = errors.New("codec: payload exceeds the limit") // checked on the length as read
	ErrChecksum  = errors.New("codec: checksum mismatch")
	ErrTruncated = errors.New("codec: truncated field") // the payload ends inside a field
	ErrField     = errors.New("codec: invalid field")   // too long, empty, twice, no text, or out of range
)

// CodeFor returns the GOAWAY code for a decoding error. A checksum mismatch can be the
// path's fault, so that the client may return; anything else would only repeat itself.
func CodeFor(err error) Code {
	switch {
	case errors.Is(err, ErrChecksum):
		return CodeBadChecksum
	case errors.Is(err, ErrLength):
		return CodeFrameTooLarge
	default:
		return CodeProtocolError
	}
}

func shortPayload(t Type, got, want int) error {
	return fmt.Errorf("%w: %s payload of %d bytes, want at least %d", ErrTruncated, t, got, want)
}

// wrongPayload is for payloads of one length only.
func wrongPayload(t Type, got, want int) error {
	if got < want {
		return shortPayload(t, got, want)
	}
	return fmt.Errorf("%w: %s payload of %d bytes, want exactly %d", ErrField, t, got, want)
}
