package proxy

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
)

// AppendV1 appends a header of version 1. Both addresses are of one family.
func AppendV1(dst []byte, from, to netip.AddrPort) []byte {
	family := "TCP6"
	if from.Addr().Unmap().Is4() {
		family = "TCP4"
	}
	return fmt.Appendf(dst, "PROXY %s %v %v %d %d\r\n", family, from.Addr().Unmap(), to.Addr().Unmap(), from.Port(), to.Port())
}

// AppendV2 appends a header of version 2, with a checksum. Both addresses are of one family.
func AppendV2(dst []byte, from, to netip.AddrPort) []byte {
	begins := len(dst)
	a, b := from.Addr().Unmap(), to.Addr().Unmap()
	family := byte(famINET6)
	if a.Is4() {
		family = famINET
	}
	dst = append(dst, signature...)
	dst = append(dst, cmdProxy, family<<4|protoStream)
	dst = binary.BigEndian.AppendUint16(dst, uint16(addrBytes[family]+7))
	dst = append(append(dst, a.AsSlice()...), b.AsSlice()...)
	dst = binary.BigEndian.AppendUint16(dst, from.Port())
	dst = binary.BigEndian.AppendUint16(dst, to.Port())
	dst = append(dst, tlvChecksum, 0, 4, 0, 0, 0, 0)
	sum := crc32.Checksum(dst[begins:], castagnoli)
	binary.BigEndian.PutUint32(dst[len(dst)-4:], sum)
	return dst
}

// AppendLocal appends the header of version 2 with which a proxy connects for itself.
func AppendLocal(dst []byte) []byte {
	return append(append(dst, signature...), cmdLocal, 0, 0, 0)
}
