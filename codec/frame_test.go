package codec

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
)

// broken returns a good PING with one byte changed.
func broken(at int, to byte) []byte {
	b := AppendPing(nil, 42, 0)
	b[at] = to
	return b
}

func TestMalformedFrameIsNamed(t *testing.T) {
	for _, tc := range []struct {
		name  string
		input []byte
		limit int
		want  error
		text  string
		code  Code
	}{
		{"magic", broken(0, 'G'), MaxPayload, ErrMagic, "codec: wrong magic: 0x47, want 0x53", CodeProtocolError},
		{"magic alone", []byte("G"), MaxPayload, ErrMagic, "codec: wrong magic: 0x47, want 0x53", CodeProtocolError},
		{"version", broken(1, 0x20), MaxPayload, ErrVersion, "codec: unknown framing version: 0x20, want 0x10", CodeProtocolError},
		{"version nibble", broken(1, 0x11), MaxPayload, ErrVersion, "codec: unknown framing version: 0x11, want 0x10", CodeProtocolError},
		{"version after two bytes", []byte{Magic, 0}, MaxPayload, ErrVersion, "codec: unknown framing version: 0x00, want 0x10", CodeProtocolError},
		{"flags", broken(3, 0x82), MaxPayload, ErrFlags, "codec: unknown flags: 0x82 of PING", CodeProtocolError},
		{"flags after four bytes", []byte{Magic, 0x10, 3, 2}, MaxPayload, ErrFlags, "codec: unknown flags: 0x02 of PING", CodeProtocolError},
		{"length by one", AppendPing(nil, 1, 0), 7, ErrLength, "codec: payload exceeds the limit: 12 bytes declared, 7 allowed", CodeFrameTooLarge},
		{"length of 4 GiB", []byte{Magic, 0x10, 3, 0, 0xff, 0xff, 0xff, 0xff}, MaxPayload, ErrLength, "codec: payload exceeds the limit: 4294967295 bytes declared, 65536 allowed", CodeFrameTooLarge},
		{"length, limit negative", AppendPing(nil, 1, 0), -1, ErrLength, "codec: payload exceeds the limit: 12 bytes declared, -1 allowed", CodeFrameTooLarge},
		{"checksum", broken(23, 0), MaxPayload, ErrChecksum, "codec: checksum mismatch: frame says ", CodeBadChecksum},
		{"payload changed", broken(15, 43), MaxPayload, ErrChecksum, "codec: checksum mismatch: frame says ", CodeBadChecksum},
		{"type changed", broken(2, byte(Bye)), MaxPayload, ErrChecksum, "codec: checksum mismatch: frame says ", CodeBadChecksum},
		{"flag changed", broken(3, 1), MaxPayload, ErrChecksum, "codec: checksum mismatch: frame says ", CodeBadChecksum},
		{"all zero", make([]byte, 64), MaxPayload, ErrMagic, "codec: wrong magic: 0x00, want 0x53", CodeProtocolError},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), MaxPayload, ErrMagic, "codec: wrong magic: 0x47, want 0x53", CodeProtocolError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, size, err := Decode(tc.input, tc.limit)
			if !errors.Is(err, tc.want) || !strings.HasPrefix(err.Error(), tc.text) {
				t.Errorf("Decode(%x) = %v, want %v with the text %q", tc.input, err, tc.want, tc.text)
			}
			if size != 0 || f.Payload != nil {
				t.Errorf("Decode(%x) = %v, size %d beside the error, want nothing", tc.input, f, size)
			}
			if code := CodeFor(err); code != tc.code {
				t.Errorf("CodeFor(%v) = %v, want %v", err, code, tc.code)
			}
		})
	}
}

func TestFrameOfAnyLengthSurvives(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 255, 256, MaxPayload} {
		payload := bytes.Repeat([]byte{0xa5}, n)
		b := AppendFrame([]byte("before"), 200, FlagIgnorable, payload)
		f, size, err := Decode(append(b, "after"...)[len("before"):], MaxPayload)
		if err != nil || size != n+Overhead || f.Type != 200 || f.Flags != FlagIgnorable || !bytes.Equal(f.Payload, payload) {
			t.Errorf("payload of %d bytes: Decode = type %v, flags %d, %d payload bytes, size %d, %v", n, f.Type, f.Flags, len(f.Payload), size, err)
		}
		if cap(f.Payload) != len(f.Payload) {
			t.Errorf("payload of %d bytes: capacity %d, an append would write into the stream", n, cap(f.Payload))
		}
	}
}

func TestEveryChangedBitIsSeen(t *testing.T) {
	good := AppendSend(nil, 7, []byte("body"))
	for bit := range len(good) * 8 {
		b := bytes.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		if f, _, err := Decode(b, MaxPayload); err == nil {
			t.Errorf("bit %d changed: accepted as %v", bit, f)
		}
	}
}

func TestIncompleteFrameSaysHowMuchIsNeeded(t *testing.T) {
	frame := AppendSend(nil, 1, []byte("hello"))
	for n := range frame {
		want := HeaderLen
		if n >= HeaderLen {
			want = len(frame)
		}
		if _, size, err := Decode(frame[:n], MaxPayload); err != ErrIncomplete || size != want {
			t.Errorf("%d of %d bytes: size %d, %v, want size %d, %v", n, len(frame), size, err, want, ErrIncomplete)
		}
	}
}

// TestDeclaredLengthAllocatesNothing guards the limit "as read": what a header declares
// must not size anything, whether it is within the limit or beyond.
func TestDeclaredLengthAllocatesNothing(t *testing.T) {
	header := []byte{Magic, 0x10, byte(Send), 0, 0x7f, 0xff, 0xff, 0x00} // 2 GiB less 256 bytes
	if n := testing.AllocsPerRun(100, func() { _, _, _ = Decode(header, math.MaxInt32) }); n != 0 {
		t.Errorf("2 GiB declared and allowed: %v allocations, want 0", n)
	}
	const calls, most = 1000, 512 // an error with its text
	used := allocated(func() {
		for range calls {
			_, _, _ = Decode(header, MaxPayload)
		}
	})
	if used > calls*most {
		t.Errorf("2 GiB declared and refused: %d bytes a call, want at most %d", used/calls, most)
	}
}

// allocated returns the bytes that f allocates, with whatever the process does beside it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestTypeNames(t *testing.T) {
	for typ, want := range map[Type]string{0: "type 0", Hello: "HELLO", GoAway: "GOAWAY", Nack: "NACK", 11: "type 11", 12: "type 12", 255: "type 255"} {
		if got := typ.String(); got != want {
			t.Errorf("Type(%d).String() = %q, want %q", uint8(typ), got, want)
		}
	}
}
