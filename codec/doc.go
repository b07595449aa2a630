// Package codec turns Stormwheel frames into bytes and bytes into frames. It does no
// I/O, reads no clock and keeps no state: every function is safe for concurrent use.
//
// A frame is an 8-byte header, a payload and a 4-byte checksum; docs/PROTOCOL.md is the
// whole contract. Encoding appends to a buffer of the caller's; decoding returns views
// into the caller's bytes (see the package's example):
//
//	buf = codec.AppendPing(buf[:0], token, terms)
//
//	frame, size, err := codec.Decode(input, codec.MaxPayload)
//	switch {
//	case errors.Is(err, codec.ErrIncomplete):
//		// come back when size bytes are there
//	case err != nil:
//		// malformed: close the connection with codec.CodeFor(err)
//	default:
//		input = input[size:]
//	}
//
// A view (Frame.Payload and every byte slice of a parsed message) lives as long as the
// bytes that were decoded. Whoever keeps one longer copies it.
package codec
