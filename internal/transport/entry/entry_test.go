package entry

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

var (
	balancer = netip.MustParseAddr("10.0.0.1")
	stranger = netip.MustParseAddr("203.0.113.9")
	private  = netip.MustParsePrefix("10.0.0.0/8").Contains
	client   = netip.MustParseAddrPort("192.0.2.1:4711")
	node     = netip.MustParseAddrPort("198.51.100.7:7000")
)

func headerV2(dst []byte) []byte { return proxy.AppendV2(dst, client, node) }

// arriving is a stage whose connections all come by its first listener from the balancer.
type arriving struct{ *Stage }

func (a arriving) Begin(s transport.Slot, dst []byte) []byte {
	a.Arrive(s, 0, balancer)
	return a.Stage.Begin(s, dst)
}

func TestItKeepsTheContractOfAStage(t *testing.T) {
	web := func() transport.Stage { return websocket.NewClient(websocket.ClientConfig{Host: "example.com"}) }
	for name, c := range map[string]struct {
		rules  Rules
		client func() transport.Stage
	}{
		"websocket": {Rules{Plain: true, WebSocket: true}, web},
		"proxy": {Rules{Plain: true, Proxy: ProxyRequired, Trusted: private}, func() transport.Stage {
			return proxy.NewSender(headerV2, nil)
		}},
		"proxy, websocket": {Rules{Plain: true, WebSocket: true, Proxy: ProxyOptional, Trusted: private}, func() transport.Stage {
			return proxy.NewSender(headerV2, web())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			transporttest.Check(t, transporttest.Kind{
				Client: c.client,
				Server: func() transport.Stage {
					return arriving{New(Config{Listeners: []Rules{c.rules}})}
				},
				Garbage: map[bool][]byte{true: []byte("BAD\r\n\r\n"), false: []byte("garbage")}[c.rules.WebSocket],
			})
		})
	}
}

// What becomes of first bytes, by the rules of the listener and who says them.
func TestTheFirstByteDecides(t *testing.T) {
	frames := string(codec.AppendPing(nil, 1, 0))
	v1, v2 := string(proxy.AppendV1(nil, client, node)), string(headerV2(nil))
	both := Rules{Plain: true, WebSocket: true, Trusted: private}
	optional, required := both, both
	optional.Proxy, required.Proxy = ProxyOptional, ProxyRequired
	const (
		plain = "plain"
		http  = "http"
		no    = "refused"
	)
	for _, c := range []struct {
		what  string
		rules Rules
		from  netip.Addr
		says  string
		is    string
		addr  netip.Addr
	}{
		{"frames", both, stranger, frames, plain, netip.Addr{}},
		{"HTTP", both, stranger, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", http, netip.Addr{}},
		{"garbage", both, stranger, "\x00", plain, netip.Addr{}},
		{"TLS without TLS", both, stranger, "\x16\x03\x01", plain, netip.Addr{}},
		{"HTTP without HTTP", Rules{Plain: true}, stranger, "GET / HTTP/1.1\r\n\r\n", plain, netip.Addr{}},
		{"frames without frames", Rules{WebSocket: true}, stranger, frames, no, netip.Addr{}},

		{"a header where there is none", both, balancer, v1, no, netip.Addr{}},
		{"v2 where there is none", both, balancer, v2, plain, netip.Addr{}},
		{"a stranger's v1", optional, stranger, v1 + frames, no, netip.Addr{}},
		{"a stranger's v2", optional, stranger, v2 + frames, plain, netip.Addr{}},
		{"v1, frames", optional, balancer, v1 + frames, plain, client.Addr()},
		{"v2, frames", optional, balancer, v2 + frames, plain, client.Addr()},
		{"v2, HTTP", optional, balancer, v2 + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", http, client.Addr()},
		{"frames without a header", optional, balancer, frames, plain, netip.Addr{}},
		{"PUT is no PROXY", optional, balancer, "PUT / HTTP/1.1\r\nHost: x\r\n\r\n", no, netip.Addr{}},
		{"LOCAL", optional, balancer, string(proxy.AppendLocal(nil)) + frames, plain, netip.Addr{}},
		{"UNKNOWN", optional, balancer, "PROXY UNKNOWN\r\n" + frames, plain, netip.Addr{}},
		{"twice", optional, balancer, v1 + v1 + frames, no, client.Addr()},
		{"v2 twice", optional, balancer, v2 + v2 + frames, plain, client.Addr()}, // and no frame

		{"required, a stranger", required, stranger, frames, no, netip.Addr{}},
		{"required, a stranger's header", required, stranger, v2 + frames, no, netip.Addr{}},
		{"required, none", required, balancer, frames, no, netip.Addr{}},
		{"required, one", required, balancer, v2 + frames, plain, client.Addr()},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, size := range []int{1, 1 << 20} {
				stage := New(Config{Listeners: []Rules{{}, c.rules}})
				stage.Arrive(0, 1, c.from)
				lines := transport.NewLines(stage)
				lines.Begin(0)
				is, rest := "", c.says
				for is == "" && rest != "" {
					in, err := lines.Receive(0, []byte(rest[:min(size, len(rest))]))
					rest = rest[min(size, len(rest)):]
					answered := errors.Is(err, transport.ErrAnswered)
					if got := len(in.Plain) > 0; got != (lines.Keep(0, nil)) {
						t.Fatalf("%q is plain, and it is not over", in.Plain)
					} else if got {
						is = plain
					}
					if err != nil {
						is = map[bool]string{true: http, false: no}[answered]
					}
				}
				if is != c.is || lines.Addr(0) != c.addr {
					t.Errorf("in reads of %d bytes it is %q from %v, want %q from %v", size, is, lines.Addr(0), c.is, c.addr)
				}
				if lines.End(0); lines.Addr(0).IsValid() || stage.Held(0) != 0 {
					t.Error("something outlives the connection")
				}
			}
		})
	}
}

// With a PROXY header X-Forwarded-For is ignored; without one it is believed of who is trusted.
func TestWhomOfTwoToBelieve(t *testing.T) {
	request := "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 198.51.100.200\r\n\r\n"
	for _, c := range []struct {
		from   netip.Addr
		header []byte
		want   string
	}{
		{balancer, nil, "198.51.100.200"}, {balancer, headerV2(nil), "192.0.2.1"}, {stranger, nil, ""},
		{balancer, proxy.AppendLocal(nil), ""}, // it has one, which tells nothing
	} {
		stage := New(Config{
			Listeners: []Rules{{Plain: true, WebSocket: true, Proxy: ProxyOptional, Trusted: private}},
			WebSocket: websocket.ServerConfig{Trusted: private},
		})
		stage.Arrive(7, 0, c.from)
		lines := transport.NewLines(stage)
		lines.Begin(7)
		b := append(c.header, request...)
		if _, err := lines.Receive(7, b); err != nil || !stage.WebSocket(7) {
			t.Fatalf("no WebSocket: %v", err)
		}
		want, _ := netip.ParseAddr(c.want)
		if addr := lines.Addr(7); addr != want {
			t.Errorf("from %v, with the header %q: %v, want %v", c.from, c.header, addr, want)
		}
	}
}

// Who has said nothing is refused in plain frames, which a client by WebSocket knows for what they are.
func TestARefusalBeforeTheFirstByteIsPlain(t *testing.T) {
	stage := New(Config{Listeners: []Rules{{Plain: true, WebSocket: true}}})
	stage.Arrive(0, 0, stranger)
	lines := transport.NewLines(stage)
	lines.Begin(0)
	notice, _ := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeFull})
	if b := lines.Seal(0, notice); len(b) != 0 || lines.Held(0) != len(notice) {
		t.Fatalf("%x is sent at once, %d held", b, lines.Held(0))
	}
	if b := lines.Close(0, codec.CodeFull); string(b) != string(notice) {
		t.Errorf("%x, want %x", b, notice)
	}
}

// veil stands for TLS: its first byte is a handshake's, and all others are what they are.
type veil struct {
	transporttest.Header
	lifted bool // of its only connection
}

func (v *veil) Open(_ transport.Slot, plain, wire []byte) (transport.Opened, error) {
	if !v.lifted {
		if wire[0] != tlsHandshake {
			return transport.Opened{Plain: plain}, errNoHeader
		}
		v.lifted = true
		return transport.Opened{Plain: append(plain, wire[1:]...), Used: len(wire)}, nil
	}
	return transport.Opened{Plain: append(plain, wire...), Used: len(wire)}, nil
}

// In TLS the question comes anew; who had a header outside has none within.
func TestWithinTLSTheFirstByteDecidesAgain(t *testing.T) {
	frames, v2 := string(codec.AppendPing(nil, 1, 0)), string(headerV2(nil))
	request := "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	for _, c := range []struct {
		what, says string
		from       netip.Addr
		plain      bool
		webSocket  bool
		addr       netip.Addr
	}{
		{"frames", "\x16" + frames, stranger, true, false, netip.Addr{}},
		{"a WebSocket", "\x16" + request, stranger, false, true, netip.Addr{}},
		{"a header outside", v2 + "\x16" + request, balancer, false, true, client.Addr()},
		{"a header within", "\x16" + v2 + request, balancer, false, true, client.Addr()},
		{"a header within, frames", "\x16" + v2 + frames, balancer, true, false, client.Addr()},
		{"both", v2 + "\x16" + v2 + request, balancer, true, false, client.Addr()}, // and no frame
		{"a stranger's within", "\x16" + v2 + frames, stranger, true, false, netip.Addr{}},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, size := range []int{1, 1 << 20} {
				rules := Rules{Plain: true, WebSocket: true, TLSPlain: true, TLSWebSocket: true, Proxy: ProxyOptional, Trusted: private}
				stage := New(Config{Listeners: []Rules{rules}, TLS: new(veil)})
				stage.Arrive(0, 0, c.from)
				lines := transport.NewLines(stage)
				lines.Begin(0)
				plain, over := "", false
				for rest := c.says; rest != ""; rest = rest[min(size, len(rest)):] {
					b := rest[:min(size, len(rest))]
					if over {
						plain += b
						continue
					}
					in, err := lines.Receive(0, []byte(b))
					if err != nil {
						t.Fatal(err)
					}
					plain += string(in.Plain)
					over = lines.Keep(0, nil)
				}
				if (plain != "") != c.plain || stage.WebSocket(0) != c.webSocket || lines.Addr(0) != c.addr {
					t.Errorf("in reads of %d bytes: %q is plain, a WebSocket %v, from %v", size, plain, stage.WebSocket(0), lines.Addr(0))
				}
				lines.End(0)
			}
		})
	}
}

// Whatever comes first, nothing panics, and how it is cut changes nothing.
func FuzzFirstBytes(f *testing.F) {
	f.Add([]byte("PROXY UNKNOWN\r\nS"), uint8(1), true)
	f.Add(append(headerV2(nil), "GET / HTTP/1.1\r\n\r\n"...), uint8(3), true)
	f.Add([]byte("PUT / HTTP/1.1\r\n\r\n"), uint8(2), false)
	f.Fuzz(func(t *testing.T, b []byte, size uint8, required bool) {
		rules := Rules{Plain: true, WebSocket: true, Proxy: ProxyOptional, Trusted: private}
		if required {
			rules.Proxy = ProxyRequired
		}
		var outcomes []string
		for _, n := range []int{max(int(size), 1), max(len(b), 1)} {
			stage := New(Config{Listeners: []Rules{rules}})
			stage.Arrive(3, 0, balancer)
			lines := transport.NewLines(stage)
			lines.Begin(3)
			var said, plain strings.Builder
			var failed error
			for rest := b; len(rest) > 0; rest = rest[min(n, len(rest)):] {
				in, err := lines.Receive(3, rest[:min(n, len(rest))])
				said.Write(in.Words)
				plain.Write(in.Plain)
				if failed = errors.Join(failed, err); lines.Keep(3, nil) {
					plain.Write(rest[min(n, len(rest)):])
					break
				}
			}
			said.Write(lines.Close(3, codec.CodeProtocolError))
			if held := lines.Held(3); held != 0 {
				t.Fatalf("%d bytes are held behind the end", held)
			}
			outcomes = append(outcomes, said.String()+"|"+plain.String()+"|"+map[bool]string{true: "failed"}[failed != nil])
		}
		if outcomes[0] != outcomes[1] {
			t.Fatalf("in reads of %d bytes %q, at once %q", size, outcomes[0], outcomes[1])
		}
	})
}
