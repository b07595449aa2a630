package interop

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/server"
)

// here is where our client comes from, so that it is not the balancer's address.
const here = "127.0.0.9"

func behindProxies(mode server.ProxyProtocol) server.Config {
	cfg := webSockets()
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	cfg.ProxyProtocol = mode
	return cfg
}

// free is an address that nobody listens at.
func free(t *testing.T) string {
	addrs, err := freeport.Loopback(1)
	if err != nil {
		t.Fatal(err)
	}
	return addrs[0]
}

// runProxy runs a program until the test ends, and waits until it listens.
func runProxy(t *testing.T, listens []string, argv ...string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("it said %s", said.String())
		}
	})
	for _, addr := range listens {
		for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
}

func wantSession(t *testing.T, seen <-chan session, by server.Transport) {
	t.Helper()
	select {
	case is := <-seen:
		if is.by != by || is.addr != netip.MustParseAddr(here) {
			t.Errorf("it came from %v by %v, want %s by %v", is.addr, is.by, here, by)
		}
	case <-time.After(patience):
		t.Error("no session")
	}
}

func TestNginxInFront(t *testing.T) {
	nginx := program(t, "nginx")
	plain, seen := startNode(t, behindProxies(server.ProxyOff))
	required, told := startNode(t, behindProxies(server.ProxyRequired))
	web, stream := free(t), free(t)
	dir := t.TempDir()
	module := "/usr/lib/nginx/modules/ngx_stream_module.so"
	_, missing := os.Stat(module)
	conf := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
 server { listen %[2]s; location / { proxy_pass http://%[3]s; proxy_http_version 1.1; proxy_buffering off;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } } }
`, dir, web, plain.Addr())
	if missing == nil {
		conf = "load_module " + module + ";\n" + conf + fmt.Sprintf("stream { server { listen %s; proxy_pass %s; proxy_protocol on; } }\n", stream, required.Addr())
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	listens := []string{web}
	if missing == nil {
		listens = append(listens, stream)
	}
	runProxy(t, listens, nginx, "-e", "stderr", "-c", file, "-p", dir)
	t.Run("upgrade", func(t *testing.T) {
		talk(t, "ws://"+web+"/", here)
		wantSession(t, seen, server.TransportWebSocket)
	})
	t.Run("PROXY", func(t *testing.T) {
		if missing != nil {
			t.Skip("nginx has no module for streams: ", missing)
		}
		talk(t, stream, here)
		wantSession(t, told, server.TransportTCP)
		talk(t, "ws://"+stream+"/", here)
		wantSession(t, told, server.TransportWebSocket)
	})
}

func TestHaproxyInFront(t *testing.T) {
	haproxy := program(t, "haproxy")
	plain, seen := startNode(t, behindProxies(server.ProxyOff))
	required, told := startNode(t, behindProxies(server.ProxyRequired))
	web, v1, v2 := free(t), free(t), free(t)
	conf := fmt.Sprintf(`defaults
 timeout connect 5s
 timeout client 60s
 timeout server 60s
 timeout tunnel 60s
frontend web
 mode http
 bind %s
 option forwardfor
 default_backend web
backend web
 mode http
 option httpchk GET /healthz
 server a %s check inter 100ms
listen v1
 mode tcp
 bind %s
 server a %s send-proxy check inter 100ms
listen v2
 mode tcp
 bind %s
 server a %s send-proxy-v2 check inter 100ms
`, web, plain.Addr(), v1, required.Addr(), v2, required.Addr())
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	runProxy(t, []string{web, v1, v2}, haproxy, "-db", "-f", file)
	talk(t, "ws://"+web+"/", here)
	wantSession(t, seen, server.TransportWebSocket)
	for _, addr := range []string{v1, v2} {
		talk(t, addr, here)
		wantSession(t, told, server.TransportTCP)
		talk(t, "ws://"+addr+"/", here)
		wantSession(t, told, server.TransportWebSocket)
	}
	for end := time.Now().Add(patience); plain.Stats().Closes[server.ReasonProbe] == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no check of haproxy's was answered")
		}
	}
	for _, s := range []*server.Server{plain, required} {
		if n := s.Stats().Refused; n != 0 {
			t.Errorf("%d refusals", n)
		}
	}
}

// The library's headers at our node, and ours at the library.
func TestGoProxyproto(t *testing.T) {
	from, to := netip.MustParseAddrPort("192.0.2.1:4711"), netip.MustParseAddrPort("198.51.100.7:7000")
	node, told := startNode(t, server.Config{TrustedProxies: loopback, ProxyProtocol: server.ProxyRequired})
	for _, version := range []byte{1, 2} {
		h := proxyproto.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(from), net.TCPAddrFromAddrPort(to))
		if version == 2 {
			if err := h.SetTLVs([]proxyproto.TLV{{Type: proxyproto.PP2_TYPE_AUTHORITY, Value: []byte("example.com")}}); err != nil {
				t.Fatal(err)
			}
		}
		c, err := net.Dial("tcp", node.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := h.WriteTo(c); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(hello(fmt.Sprint("v", version))); err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		(&stream{t: t, next: func() ([]byte, error) {
			b := make([]byte, 4096)
			n, err := c.Read(b)
			return b[:n], err
		}}).want(codec.Welcome)
		if is := <-told; is.addr != from.Addr() {
			t.Errorf("version %d: it comes from %v", version, is.addr)
		}
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	wrapped := &proxyproto.Listener{Listener: l}
	defer wrapped.Close()
	for _, form := range []func([]byte, netip.AddrPort, netip.AddrPort) []byte{proxy.AppendV1, proxy.AppendV2} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(append(form(nil, from, to), "frames"...)); err != nil {
			t.Fatal(err)
		}
		got, err := wrapped.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		b := make([]byte, 6)
		if _, err := got.Read(b); err != nil || string(b) != "frames" || got.RemoteAddr().String() != from.String() {
			t.Errorf("%q from %v, %v", b, got.RemoteAddr(), err)
		}
	}
}
