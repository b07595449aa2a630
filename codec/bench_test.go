package codec

import (
	"fmt"
	"testing"
)

func BenchmarkPing(b *testing.B) {
	buf := make([]byte, 0, 64)
	frame := AppendPing(nil, 1, 0)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			AppendPing(buf, 1, 0)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, _, err := Decode(frame, MaxPayload)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := ParsePing(f.Payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSend(b *testing.B) {
	for _, n := range []int{16, 256, 4096, MaxBody} {
		body, buf := make([]byte, n), make([]byte, 0, MaxPayload+Overhead)
		frame := AppendSend(nil, 1, body)
		b.Run(fmt.Sprintf("append/%dB", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				AppendSend(buf, 1, body)
			}
		})
		b.Run(fmt.Sprintf("decode/%dB", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if _, _, err := Decode(frame, MaxPayload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHello(b *testing.B) {
	frame, err := AppendHello(nil, &sampleHello)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, _, err := Decode(frame, MaxPayload)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := ParseHello(f.Payload); err != nil {
			b.Fatal(err)
		}
	}
}
