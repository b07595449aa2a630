package websocket

import (
	"encoding/binary"
	"math/bits"
)

// The frames of RFC 6455, section 5.

const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finBit  = 0x80
	maskBit = 0x80

	maxControl = 125 // bytes of a control frame's payload
)

// header is that of a frame.
type header struct {
	fin    bool
	opcode byte
	size   int    // of the header
	length uint64 // of the payload
	mask   uint32 // 0: there is none, which masks like zero
}

func (h header) control() bool { return h.opcode&0x8 != 0 }

// parseHeader reads a header, from a client or a server. need is how many bytes it has if it is not
// all there, else 0.
func parseHeader(b []byte, masked bool) (h header, need int, err error) {
	if len(b) < 2 {
		return h, 2, nil
	}
	h.fin, h.opcode, h.length, h.size = b[0]&finBit != 0, b[0]&0xf, uint64(b[1]&^maskBit), 2
	switch {
	case b[0]&0x70 != 0:
		return h, 0, errReserved
	case h.opcode > opPong || h.opcode > opBinary && h.opcode < opClose:
		return h, 0, errOpcode
	case h.control() && !h.fin:
		return h, 0, errFragmentedControl
	case h.control() && h.length > maxControl:
		return h, 0, errLongControl
	case b[1]&maskBit != 0 != masked:
		return h, 0, errMask
	}
	least := uint64(0)
	switch h.length {
	case 126:
		h.size, least = 4, 126
	case 127:
		h.size, least = 10, 1<<16
	}
	lengthEnds := h.size
	if masked {
		h.size += 4
	}
	if len(b) < lengthEnds {
		return h, lengthEnds, nil
	}
	switch lengthEnds {
	case 4:
		h.length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 10:
		h.length = binary.BigEndian.Uint64(b[2:])
	}
	if h.length < least || h.length>>63 != 0 {
		return h, 0, errLength
	}
	if len(b) < h.size {
		return h, h.size, nil
	}
	if masked {
		h.mask = binary.LittleEndian.Uint32(b[lengthEnds:])
	}
	return h, 0, nil
}

// appendHeader appends the header of a whole message, or control frame.
func appendHeader(dst []byte, opcode byte, length int, maskFlag byte) []byte {
	dst = append(dst, finBit|opcode)
	switch {
	case length < 126:
		return append(dst, maskFlag|byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, maskFlag|126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(dst, maskFlag|127), uint64(length))
	}
}

// mask changes b by a mask of which the first byte is the lowest, and returns the one that goes on
// behind it.
func mask(b []byte, m uint32) uint32 {
	wide := uint64(m)<<32 | uint64(m)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(m)
		m = bits.RotateLeft32(m, -8)
	}
	return m
}
