package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strconv"
	"strings"
)

// Header is what a header says.
type Header struct {
	Source netip.AddrPort // of the connection that the proxy took; zero if it does not tell
	Local  bool           // it is the proxy's own connection: a health check
}

const (
	maxV1     = 107
	fixedV2   = 16
	maxV2     = 4 << 10 // with its TLVs
	prefixV1  = "PROXY "
	signature = "\r\n\r\n\x00\r\nQUIT\n"
)

// Errors of Parse.
var (
	errNone      = errors.New("proxy: no PROXY header")
	errMalformed = errors.New("proxy: malformed PROXY header")
	errLong      = errors.New("proxy: PROXY header too long")
	errChecksum  = errors.New("proxy: wrong checksum of the PROXY header")
)

// Begins says whether bytes begin as a header does, and whether more are needed to know.
func Begins(b []byte) (yes, unsure bool) {
	for _, start := range []string{prefixV1, signature} {
		n := min(len(b), len(start))
		if string(b[:n]) == start[:n] {
			return n == len(start), n < len(start)
		}
	}
	return false, false
}

// Parse reads a header at the front of b, which has size bytes. If it is not all here, need is how
// many bytes there must be to achieve more.
func Parse(b []byte) (h Header, size, need int, err error) {
	yes, unsure := Begins(b)
	switch {
	case unsure:
		return h, 0, len(b) + 1, nil
	case !yes:
		return h, 0, 0, errNone
	case b[0] == prefixV1[0]:
		return parseV1(b)
	}
	return parseV2(b)
}

func parseV1(b []byte) (h Header, size, need int, err error) {
	end := bytes.Index(b[:min(len(b), maxV1)], []byte("\r\n"))
	switch {
	case end >= 0:
	case len(b) >= maxV1:
		return h, 0, 0, errLong
	default:
		return h, 0, len(b) + 1, nil
	}
	words := strings.Split(string(b[len(prefixV1):end]), " ")
	size = end + 2
	if words[0] == "UNKNOWN" {
		return h, size, 0, nil // what follows is to be ignored
	}
	if len(words) != 5 || words[0] != "TCP4" && words[0] != "TCP6" {
		return h, 0, 0, errMalformed
	}
	h.Source, err = addrV1(words[0] == "TCP4", words[1], words[3])
	if err == nil {
		_, err = addrV1(words[0] == "TCP4", words[2], words[4])
	}
	return h, size, 0, err
}

func addrV1(four bool, host, port string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(host)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || addr.Is4() != four || addr.Zone() != "" || port != strconv.FormatUint(n, 10) {
		return netip.AddrPort{}, errMalformed
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}

// What stands in bytes 13 and 14 of version 2.
const (
	cmdLocal = 0x20
	cmdProxy = 0x21

	famUnspec = 0x0
	famINET   = 0x1
	famINET6  = 0x2
	famUnix   = 0x3

	protoStream = 0x1
	protoDgram  = 0x2
)

// addrBytes are those of both ends, by family.
var addrBytes = [...]int{famUnspec: 0, famINET: 12, famINET6: 36, famUnix: 216}

func parseV2(b []byte) (h Header, size, need int, err error) {
	if len(b) < fixedV2 {
		return h, 0, fixedV2, nil
	}
	command, family, proto := b[12], int(b[13]>>4), b[13]&0xf
	size = fixedV2 + int(binary.BigEndian.Uint16(b[14:]))
	switch {
	case command != cmdLocal && command != cmdProxy, family >= len(addrBytes), proto > protoDgram:
		return h, 0, 0, errMalformed
	case size > maxV2:
		return h, 0, 0, errLong
	case len(b) < size:
		return h, 0, size, nil
	case command == cmdLocal:
		return Header{Local: true}, size, 0, nil // families and TLVs are to be ignored
	}
	b = b[:size]
	ends := fixedV2 + addrBytes[family]
	if family == famUnspec {
		return h, size, 0, nil // likewise
	}
	if ends > size {
		return h, 0, 0, errMalformed
	}
	if err = checkTLVs(b, ends); err != nil {
		return h, 0, 0, err
	}
	switch a := b[fixedV2:]; {
	case proto == 0: // of no kind that the protocol knows
	case family == famINET:
		h.Source = netip.AddrPortFrom(netip.AddrFrom4([4]byte(a)), binary.BigEndian.Uint16(a[8:]))
	case family == famINET6:
		h.Source = netip.AddrPortFrom(netip.AddrFrom16([16]byte(a)).Unmap(), binary.BigEndian.Uint16(a[32:]))
	}
	return h, size, 0, nil
}

const tlvChecksum = 0x03

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkTLVs passes over what stands behind the addresses, of which only the checksum is looked at.
func checkTLVs(b []byte, at int) error {
	for at < len(b) {
		if len(b)-at < 3 {
			return errMalformed
		}
		kind, length := b[at], int(binary.BigEndian.Uint16(b[at+1:]))
		value := at + 3
		if at = value + length; at > len(b) {
			return errMalformed
		}
		if kind != tlvChecksum {
			continue
		}
		if length != 4 {
			return errMalformed
		}
		sum := crc32.Update(0, castagnoli, b[:value])
		sum = crc32.Update(sum, castagnoli, []byte{0, 0, 0, 0}) // it is reckoned with zeros in its place
		if crc32.Update(sum, castagnoli, b[at:]) != binary.BigEndian.Uint32(b[value:]) {
			return errChecksum
		}
	}
	return nil
}
