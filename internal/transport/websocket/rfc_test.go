package websocket

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// The cases of the Autobahn suite stand beside the sections of RFC 6455 that they are of. Those of
// text messages (1.1, 6) are not for us, which take none, nor those of compression (12, 13).

const (
	text, binary1, continuation = opText, opBinary, opContinuation
	fin                         = finBit
	ping, pong, goodbye         = fin | opPing, fin | opPong, fin | opClose
)

func TestSection4TheUpgrade(t *testing.T) {
	for _, c := range []struct {
		what, request string
		status        int
		has           string
	}{
		{"1.3 the example", upgrade(), 101, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"},
		{"4.1 words in any case", upgrade("Upgrade: WebSocket", "Connection: keep-alive, upgrade"), 101, ""},
		{"4.1 a query", request1("GET /?token=1 HTTP/1.1"), 101, ""},
		{"4.1 our subprotocol", upgrade("Sec-WebSocket-Protocol: chat, stormwheel.1"), 101, "Sec-WebSocket-Protocol: stormwheel.1\r\n"},
		{"4.1 other subprotocols", upgrade("Sec-WebSocket-Protocol: chat"), 400, ""},
		{"9.1 extensions are declined", upgrade("Sec-WebSocket-Extensions: permessage-deflate"), 101, ""},
		{"4.1 HTTP/1.0", request1("GET / HTTP/1.0"), 400, ""},
		{"4.1 HTTP/2.0", request1("GET / HTTP/2.0"), 400, ""},
		{"4.1 another method", request1("POST / HTTP/1.1"), 405, "Allow: GET"},
		{"4.1 no host", upgrade("Host"), 400, ""},
		{"4.1 two hosts", upgrade("Host: a\r\nHost: b"), 400, ""},
		{"4.2.1 no upgrade", upgrade("Upgrade"), 400, ""},
		{"4.2.1 another upgrade", upgrade("Upgrade: h2c"), 400, ""},
		{"4.2.1 no connection", upgrade("Connection: close"), 400, ""},
		{"4.2.1 no key", upgrade("Sec-WebSocket-Key"), 400, ""},
		{"4.2.1 a short key", upgrade("Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="), 400, ""},
		{"4.2.1 no base64", upgrade("Sec-WebSocket-Key: ????????????????????????"), 400, ""},
		{"11.3.1 two keys", upgrade("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400, ""},
		{"4.4 another version", upgrade("Sec-WebSocket-Version: 8"), 426, "Sec-WebSocket-Version: 13\r\n"},
		{"4.4 no version", upgrade("Sec-WebSocket-Version"), 400, ""},
		{"a body", upgrade("Content-Length: 3"), 400, ""},
		{"a body in chunks", upgrade("Transfer-Encoding: chunked"), 400, ""},
		{"no body", upgrade("Content-Length: 0"), 101, ""},
		{"two lengths", upgrade("Content-Length: 0\r\nContent-Length: 0"), 400, ""},
		{"a folded field", upgrade("X: a\r\n b"), 400, ""},
		{"a blank before the colon", upgrade("X : a"), 400, ""},
		{"a bare CR", upgrade("X: a\rb"), 400, ""},
		{"a NUL", upgrade("X: a\x00b"), 400, ""},
		{"no blank", "GET/HTTP/1.1\r\n\r\n", 400, ""},
		{"a blank in the target", request1("GET /a b HTTP/1.1"), 400, ""},
		{"no method", " / HTTP/1.1\r\n\r\n", 400, ""},
		{"no HTTP at all", "SSH-2.0-OpenSSH", 400, ""},
		{"a method without end", "GGGGGGGGGGGGGGGGGG", 400, ""},
		{"a head of 4 KiB", upgrade("X: " + strings.Repeat("a", maxHead-len(upgrade("X: ")))), 101, ""},
		{"a head of more", upgrade("X: " + strings.Repeat("a", maxHead-len(upgrade("X: "))+1)), 400, ""},
		{"a head of 1 MB", upgrade("X: " + strings.Repeat("a", 1<<20)), 400, ""},
		{"elsewhere", request1("GET /else HTTP/1.1"), 404, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, size := range []int{1, 1 << 20} {
				s := newServerEnd(t, ServerConfig{})
				for b := c.request; b != ""; b = b[min(size, len(b)):] {
					s.receive(b[:min(size, len(b))])
				}
				said := s.said()
				if !strings.HasPrefix(said, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || !strings.Contains(said, c.has) {
					t.Fatalf("in reads of %d bytes the answer is %q, want %d with %q", size, said, c.status, c.has)
				}
				if strings.Contains(said, "Extensions") {
					t.Errorf("an extension is agreed on: %q", said)
				}
				if held := s.lines.Held(0); held != 0 || (c.status == 101) != (s.err == nil) {
					t.Errorf("%d bytes held, %v", held, s.err)
				}
			}
		})
	}
}

func TestRequestsThatAreForNoWebSocket(t *testing.T) {
	plain := func(line string) string { return line + "\r\nHost: example.com\r\n\r\n" }
	for _, c := range []struct {
		path, request string
		ready         bool
		status        int
		err           error
	}{
		{"/", plain("GET / HTTP/1.1"), true, 200, transport.ErrAnswered},
		{"/", plain("HEAD / HTTP/1.0"), true, 200, transport.ErrAnswered},
		{"/", "GET /healthz HTTP/1.0\r\n\r\n", true, 200, transport.ErrAnswered},
		{"/", plain("GET /healthz HTTP/1.1"), false, 503, transport.ErrAnswered},
		{"/", plain("PUT /healthz HTTP/1.1"), true, 405, errRequest},
		{"/ws", plain("GET /ws HTTP/1.1"), true, 426, errRequest},
		{"/ws", plain("HEAD /ws HTTP/1.1"), true, 405, errRequest},
		{"/ws", upgrade(), true, 404, errRequest},
		{"/ws", plain("GET / HTTP/1.1"), true, 200, transport.ErrAnswered},
		{"/ws", plain("GET /favicon.ico HTTP/1.1"), true, 404, errRequest},
	} {
		s := newServerEnd(t, ServerConfig{Path: c.path, Ready: func() bool { return c.ready }})
		s.receive(c.request)
		said := s.said()
		if !strings.HasPrefix(said, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || !errors.Is(s.err, c.err) {
			t.Errorf("%q at a node with %q: %q, %v; want %d, %v", c.request, c.path, said, s.err, c.status, c.err)
		}
		if _, body, _ := strings.Cut(said, "\r\n\r\n"); strings.HasPrefix(c.request, "HEAD") != (body == "") {
			t.Errorf("%q: the body is %q", c.request, body)
		}
		s.send("farewell")
		if s.close(codec.CodeProtocolError); len(s.sent) != 0 {
			t.Errorf("%q: behind the answer comes %q", c.request, s.sent)
		}
	}
}

func TestSection10OriginsOfPages(t *testing.T) {
	for _, c := range []struct {
		allowed []string
		origin  string
		ok      bool
	}{
		{nil, "", true},
		{nil, "https://example.com", true},
		{nil, "http://EXAMPLE.com", true},
		{nil, "https://example.com:444", false},
		{nil, "https://example.com.evil.net", false},
		{nil, "null", false},
		{nil, "example.com", false},
		{[]string{"https://app.net"}, "https://app.net", true},
		{[]string{"https://app.net"}, "HTTPS://APP.net", true},
		{[]string{"https://app.net"}, "http://app.net", false},
		{[]string{"https://app.net"}, "https://example.com", false},
		{[]string{"https://app.net"}, "", true},
		{[]string{"*"}, "null", true},
	} {
		request := upgrade()
		if c.origin != "" {
			request = upgrade("Origin: " + c.origin)
		}
		s := newServerEnd(t, ServerConfig{Origins: c.allowed})
		s.receive(request)
		want := "HTTP/1.1 403 "
		if c.ok {
			want = "HTTP/1.1 101 "
		}
		if said := s.said(); !strings.HasPrefix(said, want) {
			t.Errorf("allowed %q, origin %q: %q", c.allowed, c.origin, said)
		}
	}
}

// What a server makes of frames that are not on the checklist of autobahn_test.go.
func TestSection5FramesBesideTheChecklist(t *testing.T) {
	for _, c := range []struct {
		what, frames string
		code         uint16 // 0: it goes on
	}{
		{"5.4 empty fragments", frame(binary1, "") + frame(continuation, "") + frame(fin|continuation, ""), 0},
		{"5.1 no mask", bare(fin|binary1, "a"), 1002},
		{"5.2 a length of 64 bits", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04", 1002},
		{"5.2 125 in two bytes", "\x82\xfe\x00\x7d\x01\x02\x03\x04", 1002},
		{"5.2 65535 in eight bytes", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04", 1002},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, size := range chops {
				(&checked{code: c.code}).check(t, openServer(t), c.frames, size)
			}
		})
	}
}

func TestSection7CloseCodes(t *testing.T) {
	good := []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} // [7.7]
	bad := []uint16{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}                             // [7.9, 7.13]
	for _, all := range []struct {
		codes []uint16
		ok    bool
	}{{good, true}, {bad, false}} {
		for _, code := range all.codes {
			s := openServer(t)
			s.receive(frame(goodbye, closing1(code, "")))
			s.close(0)
			want := code
			if !all.ok {
				want = 1002
			}
			if said := s.said(); said != bare(goodbye, closing1(want, "")) || errors.Is(s.err, transport.ErrEnd) != all.ok {
				t.Errorf("%d is answered with %q, %v", code, said, s.err)
			}
		}
	}
}

// Section 7.4.2 leaves 4000 to 4999 to applications.
func TestCloseCodesAreOursAndBack(t *testing.T) {
	for _, info := range codec.Codes {
		code := CloseCode(info.Code)
		if !mayBeSent(code) || code < 4000 {
			t.Errorf("%v is %d", info.Code, code)
		}
		if back, ok := GoAwayCode(code); !ok || back != info.Code {
			t.Errorf("%v is %d, which is %v, %v", info.Code, code, back, ok)
		}
	}
	if code := CloseCode(0); code != 1000 {
		t.Errorf("no GOAWAY is %d", code)
	}
	for _, code := range []uint16{1000, 1001, 1006, 3000, 3999, 5000} {
		if c, ok := GoAwayCode(code); ok {
			t.Errorf("%d is %v", code, c)
		}
	}
	s := openServer(t)
	s.send("away")
	s.close(codec.CodeDraining)
	if said := s.said(); said != bare(fin|binary1, "away")+bare(goodbye, closing1(4201, "")) {
		t.Errorf("it ends with %q", said)
	}
}
