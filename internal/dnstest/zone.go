// Package dnstest is a name server for tests: names that have the addresses a test needs.
package dnstest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// Zone answers for names, as a name server over TCP does; names that it does not have do not
// exist.
type Zone map[string][]string

// Install makes the zone the only thing that names are looked up in.
func (z Zone) Install(t testing.TB) {
	t.Helper()
	was := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = was })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go z.serve(far)
		return near, nil
	}}
}

func (z Zone) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := z.reply(query)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// reply is RFC 1035's, section 4.1, for one question.
func (z Zone) reply(query []byte) []byte {
	var labels []string
	i := 12
	for ; query[i] != 0; i += 1 + int(query[i]) {
		labels = append(labels, string(query[i+1:i+1+int(query[i])]))
	}
	question := query[12 : i+5]
	kind := binary.BigEndian.Uint16(query[i+1:])
	var answers []byte
	count := 0
	all, known := z[strings.Join(labels, ".")]
	for _, text := range all {
		a := netip.MustParseAddr(text)
		if (kind == 1) != a.Is4() || (kind == 28) != a.Is6() {
			continue
		}
		count++
		answers = append(answers, 0xc0, 12)
		answers = binary.BigEndian.AppendUint16(answers, kind)
		answers = append(answers, 0, 1, 0, 0, 0, 0)
		answers = binary.BigEndian.AppendUint16(answers, uint16(a.BitLen()/8))
		answers = append(answers, a.AsSlice()...)
	}
	head := []byte{query[0], query[1], 0x84, 0, 0, 1, 0, byte(count), 0, 0, 0, 0}
	if !known {
		head[3] = 3
	}
	return append(append(head, question...), answers...)
}
