package handshake

import (
	"bytes"
	"testing"
)

// record is one of the handshake's type.
func record(content []byte) []byte {
	return append([]byte{typeHandshake, 3, 1, byte(len(content) >> 8), byte(len(content))}, content...)
}

func message(size int) []byte {
	return append([]byte{1, byte(size >> 16), byte(size >> 8), byte(size)}, bytes.Repeat([]byte{7}, size)...)
}

// A handshake begins when the whole ClientHello is there, in one record or in many, and not for
// one that is too long, whatever has come of it.
func TestWhenAClientHelloIsThere(t *testing.T) {
	pieces := func(b []byte, size int) (all []byte) {
		for len(b) > 0 {
			n := min(size, len(b))
			all = append(all, record(b[:n])...)
			b = b[n:]
		}
		return all
	}
	for _, tt := range []struct {
		name string
		wire []byte
		ok   bool
	}{
		{"short", record(message(0)), true},
		{"of 1.5 KiB", record(message(1500)), true},
		{"in records of 100 bytes", pieces(message(1500), 100), true},
		{"its header in two records", pieces(message(40), 2), true},
		{"the longest", record(message(maxHello - messageHeader)), true},
		{"too long", record(message(maxHello))[:recordHeader+messageHeader], false},
		{"too long, in pieces", pieces(message(maxHello), 1000), false},
		{"in as many records as may be", pieces(message(60), 1), true},
		{"too many records", pieces(message(61), 1), false},
		{"too long a record", []byte{typeHandshake, 3, 1, 0x50, 0}, false},
		{"an empty record", record(nil), false},
		{"HTTP", []byte("GET / HTTP/1.1\r\n"), false},
		{"an alert", []byte{21, 3, 1, 0, 2, 2, 0}, false},
		{"data in between", append(record([]byte{1, 0, 0}), 23, 3, 3, 0, 1, 0), false},
	} {
		n, need, err := hello(tt.wire)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if err != nil {
			continue
		}
		if n != len(tt.wire) || need != 0 {
			t.Errorf("%s: %d of %d bytes, needs %d", tt.name, n, len(tt.wire), need)
		}
		for cut := range tt.wire { // and when a part is there, it needs more than that
			if n, need, err := hello(tt.wire[:cut]); err != nil || n != 0 || need <= cut || need > len(tt.wire) && need > cut+recordHeader {
				t.Errorf("%s: of the first %d bytes: %d, needs %d, %v", tt.name, cut, n, need, err)
				break
			}
		}
	}
}

// What follows is handed over in whole records; of one that is too long, the header, so that
// crypto/tls says so.
func TestWholeRecordsAreHandedOver(t *testing.T) {
	b := append(record(make([]byte, 10)), record(make([]byte, 20))...)
	for cut := range len(b) + 1 {
		n, need := records(b[:cut])
		want := 0
		if cut >= 15 {
			want = 15
		}
		if cut >= 40 {
			want = 40
		}
		if n != want || n == 0 && need <= cut {
			t.Errorf("of %d bytes: %d, needs %d", cut, n, need)
		}
	}
	if n, _ := records([]byte{23, 3, 3, 0xff, 0xff, 0}); n != recordHeader {
		t.Errorf("%d bytes of a record that is too long, want its header", n)
	}
}
