package server

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/internal/siege"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// unixFolder is a folder whose name is short: the system takes paths of some 100 bytes.
func unixFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func unixAddr(t *testing.T) string { return "unix:" + filepath.Join(unixFolder(t), "node.sock") }

// What is at the path already stays, and the error says what it is.
func TestAPathThatIsTakenStays(t *testing.T) {
	dir := unixFolder(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	listen := func(network, path string) {
		t.Helper()
		if network == "unixgram" {
			c, err := net.ListenUnixgram(network, &net.UnixAddr{Name: path, Net: network})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return
		}
		l, err := net.Listen(network, path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
	for _, err := range []error{
		os.Mkdir(at("folder"), 0o700), os.WriteFile(at("folder/kept"), []byte("x"), 0o600), os.Mkdir(at("empty"), 0o700),
		os.WriteFile(at("file"), []byte("x"), 0o600), os.Symlink(at("file"), at("link")), os.Symlink(at("nothing"), at("dangling")),
		syscall.Mkfifo(at("fifo"), 0o600), os.Mkdir(at("open"), 0o700), os.Chmod(at("open"), 0o777),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	listen("unix", at("live"))
	listen("unixgram", at("datagrams"))
	if os.Geteuid() == 0 {
		listen("unix", at("others"))
		dead(t, at("others"))
		if err := os.Chown(at("others"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"folder": "a folder at its path", "empty": "a folder at its path", "file": "a file at its path that is no socket",
		"fifo": "a file at its path that is no socket", "link": "a symbolic link at its path", "dangling": "a symbolic link at its path",
		"live": "a socket in use at its path", "datagrams": "a socket in use at its path", "others": "a dead socket of another user (65534)",
		"missing/x": "no such file", "open/x": "everybody may write in its folder",
	} {
		before, lerr := os.Lstat(at(name))
		if name == "others" && lerr != nil {
			continue // only root can make one
		}
		s, err := New(Config{Listen: "unix:" + at(name), Loops: 1})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Start()
		if err == nil {
			t.Errorf("%s: a node listens there", name)
			_ = s.Stop(t.Context())
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), at(name)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		after, err := os.Lstat(at(name))
		if (err == nil) != (lerr == nil) || err == nil && !os.SameFile(before, after) {
			t.Errorf("%s is not there any more: %v", name, err)
		}
	}
	if b, err := os.ReadFile(at("folder/kept")); err != nil || string(b) != "x" {
		t.Errorf("what was in the folder: %q, %v", b, err)
	}
}

// dead replaces a socket by one at which nobody listens.
func dead(t *testing.T, path string) {
	t.Helper()
	_ = os.Remove(path)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestUnixListenersThatMakeNoSense(t *testing.T) {
	for want, l := range map[string]Listener{
		"has no path":             {Addr: "unix:"},
		"abstract":                {Addr: "unix:@x"},
		"the system takes":        {Addr: "unix:/" + strings.Repeat("x", 200)},
		"control characters":      {Addr: "unix:/tmp/a\nb"},
		"are for unix sockets":    {Addr: "127.0.0.1:0", Mode: 0o600},
		"must be at most 0777":    {Addr: "unix:/tmp/x", Mode: fs.ModeSetuid | 0o600},
		"needs TrustPeers":        {Addr: "unix:/tmp/x", ProxyProtocol: ProxyRequired},
		"needs TrustPeers: Trust": {Addr: "unix:/tmp/x", ProxyProtocol: ProxyRequired, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}},
		"\"unix\" is none of":     {Addr: "unix:/tmp/x", Transports: []Transport{TransportUnix}},
		"has no Transports":       {Addr: "unix:/tmp/x", Transports: []Transport{}},
		"the listener 127.0.0.1:": {Addr: "127.0.0.1:0", TrustPeers: true},
	} {
		if _, err := New(Config{Listeners: []Listener{l}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", l, err, want)
		}
	}
}

// A unix socket beside TCP, on every loop: its sessions are known by their peers, and it goes with the node.
func TestAUnixSocketBesideTCP(t *testing.T) {
	path := filepath.Join(unixFolder(t), "n")
	dead(t, path)
	type seen struct {
		addr netip.Addr
		by   Transport
		peer Peer
		is   bool
		loop int
	}
	opened := make(chan seen, 1)
	asked := make(chan *Peer, 1)
	s := startNode(t, Config{Loops: 3,
		Listeners: []Listener{{Addr: "unix:" + path, Mode: 0o600, Users: []uint32{uint32(os.Geteuid())}, Transports: []Transport{TransportTCP, TransportWebSocket}}, {Addr: "127.0.0.1:0"}},
		Auth: authFunc(func(_ context.Context, req AuthRequest) (AuthGrant, error) {
			asked <- req.Peer
			return AuthGrant{}, nil
		}),
		Handler: Handler{Opened: func(s *Session) {
			p, is := s.Peer()
			opened <- seen{s.Addr(), s.Transport(), p, is, s.Loop()}
		}}})
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Fatalf("the socket is %v, %v", info, err)
	}
	if got := s.Addrs(); s.Addr() != "unix:"+path || len(got) != 2 || got[0] != s.Addr() || !strings.HasPrefix(got[1], "127.0.0.1:") {
		t.Errorf("the addresses are %q", s.Addrs())
	}
	if s.Node() != s.Addr() {
		t.Errorf("the node is %q", s.Node())
	}
	loops := map[int]bool{}
	for i := range 6 {
		for _, c := range []struct {
			addr  string
			stage func() transport.Stage
			by    Transport
		}{{s.Addrs()[0], nil, TransportUnix}, {s.Addrs()[0], wsClient, TransportWebSocket}, {s.Addrs()[1], nil, TransportTCP}} {
			p := (&siege.Target{Addr: c.addr, Stage: c.stage}).Peer(fmt.Sprint("one-", i))
			if err := p.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, by := <-opened, <-asked
			want := seen{by: c.by, loop: got.loop}
			if c.by == TransportTCP {
				want.addr = netip.MustParseAddr("127.0.0.1")
			} else {
				want.peer, want.is = Peer{PID: os.Getpid(), UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}, true
				loops[got.loop] = true
			}
			if got != want || (by != nil) != want.is || by != nil && *by != want.peer {
				t.Errorf("%+v, the authenticator was asked about %v; want %+v", got, by, want)
			}
			p.Close()
		}
	}
	if len(loops) != 3 {
		t.Errorf("unix sockets came to %d of 3 loops", len(loops))
	}
	eventually(t, "all have left", func() bool { return s.exact().Conns == 0 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket outlives its node")
	}
}

// Another user than those that may connect is closed, and told of in the log.
func TestAUserThatMayNotConnect(t *testing.T) {
	var log lines
	s := startNode(t, Config{Loops: 1, Listeners: []Listener{{Addr: unixAddr(t), Users: []uint32{uint32(os.Geteuid()) + 1}}},
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 * unixInFlight { // it keeps no place
		p := (&siege.Target{Addr: s.Addr()}).Peer("stranger")
		if err := p.Join(t.Context()); err == nil {
			t.Fatal("a stranger is let in")
		}
		p.Close()
	}
	if n := s.exact(); n.Accepted != 0 {
		t.Errorf("%d connections came to a loop", n.Accepted)
	}
	if text := log.String(); strings.Count(text, "may not connect") != 1 || !strings.Contains(text, fmt.Sprint("uid=", os.Geteuid())) {
		t.Errorf("the log says %s", text)
	}
}

// gnet must have a TCP listener; where all are unix sockets nobody comes in by it.
func TestANodeOfUnixSocketsAloneHasNoOtherWayIn(t *testing.T) {
	s := startNode(t, Config{Loops: 2, Listen: unixAddr(t)})
	joinNode(t, s, "inside")
	p := (&siege.Target{Addr: s.nowhere.addr}).Peer("outside")
	defer p.Close()
	if err := p.Join(t.Context()); err == nil {
		t.Error("somebody came in by TCP")
	}
	if n := s.exact(); n.Accepted != 1 {
		t.Errorf("%d were accepted", n.Accepted)
	}
}

// A balancer at a unix socket is believed if the listener says so, and no other is.
func TestABalancerAtAUnixSocket(t *testing.T) {
	header := func() transport.Stage { return proxy.NewSender(testHeader, nil) }
	forward := func() transport.Stage { return forwarded{websocket.NewClient(websocket.ClientConfig{Host: "x"})} }
	addrs := make(chan netip.Addr, 1)
	for _, c := range []struct {
		what   string
		l      Listener
		client func() transport.Stage
		want   netip.Addr
		in     bool
	}{
		{"a header", Listener{TrustPeers: true, ProxyProtocol: ProxyRequired}, header, headerAddr, true},
		{"no header", Listener{TrustPeers: true, ProxyProtocol: ProxyRequired}, nil, netip.Addr{}, false},
		{"a header where there is none", Listener{TrustPeers: true}, header, netip.Addr{}, false},
		{"X-Forwarded-For", Listener{TrustPeers: true, Transports: []Transport{TransportWebSocket}}, forward, headerAddr, true},
		{"X-Forwarded-For of a stranger", Listener{Transports: []Transport{TransportWebSocket}}, forward, netip.Addr{}, true},
		{"a stranger with a network of proxies", Listener{Transports: []Transport{TransportWebSocket}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}, forward, netip.Addr{}, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			c.l.Addr = unixAddr(t)
			s := startNode(t, Config{Loops: 1, Listeners: []Listener{c.l}, Handler: Handler{Opened: func(s *Session) { addrs <- s.Addr() }}})
			p := (&siege.Target{Addr: s.Addr(), Stage: c.client}).Peer("x")
			defer p.Close()
			if err := p.Join(t.Context()); (err == nil) != c.in {
				t.Fatal(err)
			}
			if c.in {
				if from := <-addrs; from != c.want {
					t.Errorf("it comes from %v, want %v", from, c.want)
				}
			}
		})
	}
}

// A balancer's check over a unix socket.
func TestHealthOverAUnixSocket(t *testing.T) {
	s := startNode(t, Config{Loops: 1, Listen: unixAddr(t), Transports: []Transport{TransportWebSocket}})
	path := strings.TrimPrefix(s.Addr(), "unix:")
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
	r, err := client.Get("http://node/healthz")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("healthz answers %d", r.StatusCode)
	}
}

// Whose socket lies there is said where it is known that nobody listens, and where the system does not let
// this user find out: that is not "in use".
func TestASocketThatLiesThereIsNamed(t *testing.T) {
	for _, c := range []struct {
		answer error
		owner  int64
		says   string
	}{
		{nil, 7, "in use at"},
		{unix.EAGAIN, 7, "in use at"},
		{unix.EACCES, 7, "in use at"},
		{unix.EACCES, 0, "a socket of another user (0) at its path, in use or dead"},
		{unix.ECONNREFUSED, 0, "a dead socket of another user (0)"},
		{unix.ECONNREFUSED, 7, ""},
	} {
		err := mayReplace(c.answer, c.owner, 7)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("a socket of %d that answers %v: %v, want %q", c.owner, c.answer, err, c.says)
		}
	}
}
