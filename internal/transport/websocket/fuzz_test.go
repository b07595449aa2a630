package websocket

import (
	"bytes"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// Whatever comes, nothing panics, and how it is cut changes nothing.
func FuzzServer(f *testing.F) {
	f.Add([]byte(upgrade()), uint8(3))
	f.Add([]byte(upgrade()+frame(fin|binary1, "a")+frame(ping, "b")+frame(goodbye, closing1(1000, ""))), uint8(5))
	f.Add([]byte(upgrade()+frame(binary1, "a")+frame(continuation, "b")+bare(fin|text, "c")), uint8(1))
	f.Add([]byte("GET /healthz HTTP/1.0\r\n\r\n"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		d := NewServer(ServerConfig{})
		wantAlike(t, newEnd(t, &d.side, d), newServerEnd(t, ServerConfig{}), b, int(size))
	})
}

func FuzzClient(f *testing.F) {
	f.Add([]byte("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n"), uint8(3))
	f.Add([]byte(bare(fin|binary1, "a")+bare(ping, "b")), uint8(5))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		one, _ := newPair(t, ServerConfig{})
		other, _ := newPair(t, ServerConfig{})
		wantAlike(t, one, other, b, int(size))
		wantAlike(t, newClientEnd(t), newClientEnd(t), b, int(size))
	})
}

// wantAlike brings bytes to two ends, to one at once and to one in reads of some bytes.
func wantAlike(t *testing.T, whole, cut *end, b []byte, size int) {
	whole.receive(string(b))
	for size = max(size, 1); len(b) > 0; b = b[min(size, len(b)):] {
		if cut.over {
			cut.got = append(cut.got, b...)
			break
		}
		cut.receive(string(b[:min(size, len(b))]))
	}
	if !bytes.Equal(whole.got, cut.got) || (whole.err == nil) != (cut.err == nil) || whole.frames != cut.frames {
		t.Fatalf("at once: %q, %d frames, %v; in reads of %d bytes: %q, %d frames, %v", whole.got, whole.frames, whole.err, size, cut.got, cut.frames, cut.err)
	}
	if held := cut.lines.Held(0); cut.err != nil && held != 0 {
		t.Fatalf("%d bytes are held behind an error", held)
	}
	for _, e := range []*end{whole, cut} {
		if e.over {
			continue
		}
		e.send("answer")
		e.close(codec.CodeProtocolError)
	}
	if !whole.side.client() && !bytes.Equal(whole.sent, cut.sent) {
		t.Fatalf("it says %q and %q", whole.sent, cut.sent)
	}
}
