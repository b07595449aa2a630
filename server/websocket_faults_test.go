package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/netstage"
	"github.com/stormwheel/stormwheel/internal/siege"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
)

// A header of a megabyte is refused with its first 4 KiB; no more of it is kept.
func TestAHeaderOfAMegabyteIsRefusedAtOnce(t *testing.T) {
	s := startNode(t, Config{Transports: []Transport{TransportWebSocket}, Loops: 1, HelloTimeout: time.Hour})
	for name, head := range map[string]string{
		"one field": "GET / HTTP/1.1\r\nHost: x\r\nCookie: " + strings.Repeat("a", 1<<20),
		"many":      "GET / HTTP/1.1\r\n" + strings.Repeat("X-Filler: abcdefghijklmnop\r\n", 1<<15),
		"the path":  "GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\n",
	} {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(time.Minute))
		go func() { _, _ = io.WriteString(c, head) }()
		b, err := io.ReadAll(c)
		if err != nil && !strings.Contains(err.Error(), "reset") || !strings.HasPrefix(string(b), "HTTP/1.1 400 ") {
			t.Errorf("%s: it is answered with %q, %v", name, b, err)
		}
		c.Close()
	}
	eventually(t, "nothing is kept", func() bool { c := s.exact(); return c.Conns == 0 && c.Partial == 0 && c.Hellos == 0 })
}

// One byte at a time the upgrade and all frames are understood; who takes longer than HELLO may is cut
// all the same.
func TestAWebSocketOneByteAtATime(t *testing.T) {
	cfg := Config{Loops: 1, HelloTimeout: time.Minute, Tick: 20 * time.Millisecond, Transports: []Transport{TransportWebSocket}, Handler: echo}
	nc, err := net.Dial("tcp", startNode(t, cfg).Addr())
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(time.Minute))
	w := netstage.New(dribbling{nc}, wsClient())
	defer w.Close()
	var got []byte
	for _, step := range []struct {
		says []byte
		want codec.Type
	}{{helloFrame("slow"), codec.Welcome}, {codec.AppendSend(nil, 1, []byte("byte by byte")), codec.Deliver}} {
		if _, err := w.Write(step.says); err != nil {
			t.Fatal(err)
		}
		for {
			f, n, err := codec.Decode(got, 1<<16)
			if err == nil && f.Type == step.want {
				got = got[n:]
				break
			}
			b := make([]byte, 4096)
			n, err = w.Read(b)
			if err != nil {
				t.Fatalf("no %v: %q, %v", step.want, got, err)
			}
			got = append(got, b[:n]...)
		}
	}

	cfg.HelloTimeout = time.Second
	c, err := net.Dial("tcp", startNode(t, cfg).Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		for _, b := range []byte("GET / HTTP/1.1\r\nHost: x\r\nX-For-Ever: " + strings.Repeat("a", 2000)) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != http.StatusRequestTimeout {
		t.Errorf("who never ends is answered with %v, %v", r, err)
	}
}

// echo sends back.
var echo = Handler{Message: func(s *Session, m Message) { _ = s.Deliver(m.Body); _ = s.Ack(m.Number) }}

// dribbling writes a byte at a time, each in a packet of its own.
type dribbling struct{ net.Conn }

func (d dribbling) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := d.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// Fragments of nothing, for ever, are charged as the frames that they are.
func TestFragmentsOfNothingForEverAreCutAtTheRate(t *testing.T) {
	over.Store(t, transports["websocket"])
	defer over.Delete(t)
	s := startNode(t, Config{Loops: 1, MaxFrameRate: 50})
	for name, flood := range map[string]string{
		"of one message": "\x02\x80abcd" + strings.Repeat("\x00\x80abcd", 100000),
		"whole messages": strings.Repeat("\x82\x80abcd", 100000),
		"pongs":          strings.Repeat("\x8a\x80abcd", 100000),
	} {
		t.Run(name, func(t *testing.T) {
			over.Store(t, transports["websocket"])
			defer over.Delete(t)
			w, _ := joinNode(t, s, strings.ReplaceAll(name, " ", "-"))
			go func() { _, _ = io.WriteString(w.Socket, flood) }()
			w.wantGoAway(codec.CodeRateLimit)
		})
	}
}

// Headers of a trusted balancer that lie give nobody a session, and end at once.
func TestProxyHeadersThatLieEndTheConnection(t *testing.T) {
	s := startNode(t, Config{Loops: 1, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, ProxyProtocol: ProxyRequired})
	v2 := string(testHeader(nil))
	lengthened := func(n int) string { // by n bytes of TLVs
		b := []byte(v2)
		b[15] += byte(n)
		return string(b)
	}
	v1 := string(proxy.AppendV1(nil, netip.MustParseAddrPort("192.0.2.9:1"), netip.MustParseAddrPort("198.51.100.7:7000")))
	hello := string(helloFrame("liar"))
	for name, says := range map[string]string{
		"a TLV longer than the header":      lengthened(5) + "\x01\x00\xffh2" + hello,
		"a TLV of 65535 bytes":              lengthened(3) + "\x04\xff\xff" + hello,
		"half a TLV":                        lengthened(2) + "\x01\x00" + hello,
		"a checksum that is wrong":          lengthened(7) + "\x03\x00\x04\x00\x00\x00\x00" + hello,
		"twice":                             v2 + v2 + hello,
		"both versions":                     v2 + v1 + hello,
		"version 1 twice":                   v1 + v1 + hello,
		"addresses shorter than they are":   v2[:14] + "\x00\x04" + v2[16:20] + hello,
		"an address that is none":           "PROXY TCP4 300.0.0.1 198.51.100.7 1 7000\r\n" + hello,
		"a port that is none":               "PROXY TCP4 192.0.2.9 198.51.100.7 70000 7000\r\n" + hello,
		"another family":                    "PROXY TCP6 192.0.2.9 198.51.100.7 1 7000\r\n" + hello,
		"version 1 without its end":         "PROXY TCP4 " + strings.Repeat("1", 200) + hello,
		"version 3":                         v2[:12] + "\x31" + v2[13:] + hello,
		"a truncated one, and its end":      v2[:20],
		"a truncated one of version 1":      v1[:10],
		"no header, but what a client says": hello,
	} {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(c, says)
		if len(says) < 30 {
			_ = c.(*net.TCPConn).CloseWrite()
		}
		b, err := io.ReadAll(c)
		if err, late := err.(net.Error); late && err.Timeout() {
			t.Errorf("%s: it is not closed", name)
		}
		if f, _, err := codec.Decode(b, 1<<16); err == nil && f.Type == codec.Welcome {
			t.Errorf("%s: it has a session", name)
		}
		c.Close()
	}
	eventually(t, "nothing is kept", func() bool { c := s.exact(); return c.Conns == 0 && c.Partial == 0 && c.Hellos == 0 })
	w := dial(t, &siege.Target{Addr: s.Addr(), Stage: func() transport.Stage { return proxy.NewSender(testHeader, nil) }})
	w.send(helloFrame("honest"))
	w.want(codec.Welcome)
}

// Halves of upgrades, again and again, keep nobody out who means it, and cost what they may.
func TestTenThousandHalfUpgradesForEver(t *testing.T) {
	halves := 10_000
	over.Store(t, stages{Name: "websocket", Client: wsClient})
	defer over.Delete(t)
	c := startChild(t, orders{})
	c.until("it says how it was built", func(r report) bool {
		if r.Race || testing.Short() || os.Getenv("CI") != "" {
			halves = 1000
		}
		return true
	})
	empty := c.warm()
	open := make(chan net.Conn, 1500)
	stop := make(chan struct{})
	done := make(chan int, 4)
	for range cap(done) {
		go func() {
			came := 0
			defer func() { done <- came }()
			for ; came < halves/cap(done); came++ {
				nc, err := net.Dial("tcp", c.Addr)
				if err != nil {
					continue // the queue is full
				}
				_, _ = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: webso")
				for put := false; !put; {
					select {
					case open <- nc:
						put = true
					case old := <-open:
						old.Close()
					case <-stop:
						nc.Close()
						return
					}
				}
			}
		}()
	}
	for i := range 20 { // whoever means it comes in meanwhile
		p := c.Peer(fmt.Sprint("honest", i))
		if err := p.Join(t.Context()); err != nil {
			t.Errorf("while halves come: %v", err)
		}
		p.Close()
	}
	total := 0
	for range cap(done) {
		total += <-done
	}
	close(stop)
	t.Logf("%d halves came", total)
	for len(open) > 0 {
		(<-open).Close()
	}
	c.wantNothingLeft(empty)
}
