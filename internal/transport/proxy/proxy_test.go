package proxy

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

var (
	from4 = netip.MustParseAddrPort("192.0.2.1:4711")
	to4   = netip.MustParseAddrPort("198.51.100.7:7000")
	from6 = netip.MustParseAddrPort("[2001:db8::1]:4711")
	to6   = netip.MustParseAddrPort("[2001:db8::2]:7000")
)

// v2 is a header of version 2 of those bytes.
func v2(command, family byte, rest string) string {
	b := append([]byte(signature), command, family)
	return string(binary.BigEndian.AppendUint16(b, uint16(len(rest)))) + rest
}

const inet = "\xc0\x00\x02\x01\xc6\x33\x64\x07\x12\x67\x1b\x58"

func TestParse(t *testing.T) {
	sound := string(AppendV2(nil, from4, to4))
	flipped := []byte(sound)
	flipped[17] ^= 1
	for _, c := range []struct {
		what, header string
		want         Header
		err          error
	}{
		{"2.1 TCP4", "PROXY TCP4 192.0.2.1 198.51.100.7 4711 7000\r\n", Header{Source: from4}, nil},
		{"2.1 TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 4711 7000\r\n", Header{Source: from6}, nil},
		{"2.1 UNKNOWN", "PROXY UNKNOWN\r\n", Header{}, nil},
		{"2.1 UNKNOWN with more", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", Header{}, nil},
		{"2.1 the longest", "PROXY UNKNOWN " + strings.Repeat("f", maxV1-16) + "\r\n", Header{}, nil},
		{"2.1 longer", "PROXY UNKNOWN " + strings.Repeat("f", maxV1-15) + "\r\n", Header{}, errLong},
		{"2.1 another family", "PROXY UDP4 192.0.2.1 198.51.100.7 4711 7000\r\n", Header{}, errMalformed},
		{"2.1 the wrong family", "PROXY TCP4 2001:db8::1 198.51.100.7 4711 7000\r\n", Header{}, errMalformed},
		{"2.1 a port of 65536", "PROXY TCP4 192.0.2.1 198.51.100.7 65536 7000\r\n", Header{}, errMalformed},
		{"2.1 a port with a zero before it", "PROXY TCP4 192.0.2.1 198.51.100.7 04711 7000\r\n", Header{}, errMalformed},
		{"2.1 a port with a sign", "PROXY TCP4 192.0.2.1 198.51.100.7 +4711 7000\r\n", Header{}, errMalformed},
		{"2.1 two blanks", "PROXY TCP4  192.0.2.1 198.51.100.7 4711 7000\r\n", Header{}, errMalformed},
		{"2.1 no port", "PROXY TCP4 192.0.2.1 198.51.100.7 4711\r\n", Header{}, errMalformed},
		{"2.1 a zone", "PROXY TCP6 fe80::1%eth0 2001:db8::2 4711 7000\r\n", Header{}, errMalformed},

		{"2.2 INET", v2(cmdProxy, 0x11, inet), Header{Source: from4}, nil},
		{"2.2 INET6", string(AppendV2(nil, from6, to6)), Header{Source: from6}, nil},
		{"2.2 a mapped address", v2(cmdProxy, 0x21, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01"+strings.Repeat("\x00", 16)+"\x12\x67\x1b\x58"), Header{Source: from4}, nil},
		{"2.2 unix", v2(cmdProxy, 0x31, strings.Repeat("/", 216)), Header{}, nil},
		{"2.2 UNSPEC", v2(cmdProxy, 0x00, "whatever"), Header{}, nil},
		{"2.2 LOCAL", string(AppendLocal(nil)), Header{Local: true}, nil},
		{"2.2 LOCAL with addresses", v2(cmdLocal, 0x11, inet), Header{Local: true}, nil},
		{"2.2 version 1", v2(0x11, 0x11, inet), Header{}, errMalformed},
		{"2.2 command 2", v2(0x22, 0x11, inet), Header{}, errMalformed},
		{"2.2 family 4", v2(cmdProxy, 0x41, inet), Header{}, errMalformed},
		{"2.2 protocol 3", v2(cmdProxy, 0x13, inet), Header{}, errMalformed},
		{"2.2 no room for the addresses", v2(cmdProxy, 0x11, inet[:11]), Header{}, errMalformed},
		{"2.2 too long", v2(cmdProxy, 0x11, inet+strings.Repeat("\x04\x00\x00", maxV2/3)), Header{}, errLong},

		{"2.2.1 TLVs are passed over", v2(cmdProxy, 0x11, inet+"\x01\x00\x02h2\x04\x00\x00\xee\x00\x01x"), Header{Source: from4}, nil},
		{"2.2.1 a TLV that says it is longer", v2(cmdProxy, 0x11, inet+"\x01\x00\x03h2"), Header{}, errMalformed},
		{"2.2.1 half a TLV", v2(cmdProxy, 0x11, inet+"\x01\x00"), Header{}, errMalformed},
		{"2.2.3 a checksum", sound, Header{Source: from4}, nil},
		{"2.2.3 a wrong checksum", string(flipped), Header{}, errChecksum},
		{"2.2.3 a checksum of 3 bytes", v2(cmdProxy, 0x11, inet+"\x03\x00\x03abc"), Header{}, errMalformed},

		{"nothing of it", "GET / HTTP/1.1\r\n", Header{}, errNone},
		{"another word", "PROXIED", Header{}, errNone},
	} {
		t.Run(c.what, func(t *testing.T) {
			for there := 0; ; there++ { // a byte at a time, as far as it takes
				b := c.header[:min(there, len(c.header))] + strings.Repeat("S", max(there-len(c.header), 0))
				h, size, need, err := Parse([]byte(b))
				if need > 0 && err == nil {
					if need <= len(b) || there > len(c.header) {
						t.Fatalf("%d bytes are needed of %d", need, len(b))
					}
					continue
				}
				if h != c.want && err == nil || !errors.Is(err, c.err) || err == nil && size != len(c.header) {
					t.Fatalf("%+v, %d bytes, %v; want %+v, %d bytes, %v", h, size, err, c.want, len(c.header), c.err)
				}
				return
			}
		})
	}
}

func TestWhatIsAppendedIsRead(t *testing.T) {
	for _, c := range [][2]netip.AddrPort{{from4, to4}, {from6, to6}} {
		for _, b := range [][]byte{AppendV1(nil, c[0], c[1]), AppendV2([]byte("x"), c[0], c[1])[1:]} {
			if h, size, _, err := Parse(b); err != nil || size != len(b) || h != (Header{Source: c[0]}) {
				t.Errorf("%q: %+v, %d bytes, %v", b, h, size, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(AppendV1(nil, from4, to4))
	f.Add(AppendV2(nil, from6, to6))
	f.Add([]byte(v2(cmdProxy, 0x11, inet+"\x01\x00\x02h2")))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, size, need, err := Parse(b)
		switch {
		case err != nil:
		case need > 0:
			if need <= len(b) || need > maxV2 {
				t.Fatalf("%d bytes are needed of %d", need, len(b))
			}
		case size <= 0 || size > len(b):
			t.Fatalf("it has %d bytes of %d", size, len(b))
		}
		for n := range min(len(b), 200) { // what is decided with less is decided
			if _, s, nd, e := Parse(b[:n]); nd == 0 && (s != size || (e == nil) != (err == nil)) {
				t.Fatalf("with %d bytes: %d, %v; with all: %d, %v", n, s, e, size, err)
			}
		}
	})
}
