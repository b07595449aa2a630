package interop

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/server"
)

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	own, err := selfsigned.New(time.Hour, "localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// byTLS is a node that has TLS alone, behind balancers or not.
func byTLS(t *testing.T, mode server.ProxyProtocol) server.Config {
	cfg := behindProxies(mode)
	cfg.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	cfg.Transports = []server.Transport{server.TransportTLS, server.TransportSecureWebSocket}
	return cfg
}

// pemFile has a certificate and its key, as nginx and haproxy read them.
func pemFile(t *testing.T, c tls.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	file := filepath.Join(t.TempDir(), "both.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// wantBoth has our client come by TLS and by WebSocket within it.
func wantBoth(t *testing.T, addr string, told <-chan session, plain, web server.Transport) {
	t.Helper()
	talk(t, "tls://"+addr, here)
	wantSession(t, told, plain)
	talk(t, "wss://"+addr+"/", here)
	wantSession(t, told, web)
}

// nginx passes TLS through, with a PROXY header before it, or ends it, as SECURITY.md shows it.
func TestNginxWithTLS(t *testing.T) {
	nginx := program(t, "nginx")
	module := "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(module); err != nil {
		t.Skip("nginx has no module for streams: ", err)
	}
	secure, told := startNode(t, byTLS(t, server.ProxyRequired))
	plain, toldPlain := startNode(t, behindProxies(server.ProxyRequired))
	through, ends := free(t), free(t)
	dir, file := t.TempDir(), pemFile(t, certificate(t))
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`load_module %s;
daemon off; pid %s/pid; error_log stderr;
events {}
stream {
 server { listen %s; proxy_pass %s; proxy_protocol on; }
 server { listen %s ssl; ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.3; proxy_pass %s; proxy_protocol on; }
}
`, module, dir, through, secure.Addr(), ends, file, file, plain.Addr())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	runProxy(t, []string{through, ends}, nginx, "-e", "stderr", "-c", conf, "-p", dir)
	wantBoth(t, through, told, server.TransportTLS, server.TransportSecureWebSocket)
	wantBoth(t, ends, toldPlain, server.TransportTCP, server.TransportWebSocket)
	if st := secure.Stats(); st.TLSFull != 2 {
		t.Errorf("%d handshakes at the node, want 2", st.TLSFull)
	}
}

// haproxy the same, with version 2 of the header.
func TestHaproxyWithTLS(t *testing.T) {
	haproxy := program(t, "haproxy")
	secure, told := startNode(t, byTLS(t, server.ProxyRequired))
	plain, toldPlain := startNode(t, behindProxies(server.ProxyRequired))
	through, ends := free(t), free(t)
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := fmt.Sprintf(`defaults
 mode tcp
 timeout connect 5s
 timeout client 60s
 timeout server 60s
listen through
 bind %s
 server a %s send-proxy-v2
listen ends
 bind %s ssl crt %s ssl-min-ver TLSv1.3
 server a %s send-proxy-v2
`, through, secure.Addr(), ends, pemFile(t, certificate(t)), plain.Addr())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	runProxy(t, []string{through, ends}, haproxy, "-db", "-f", conf)
	wantBoth(t, through, told, server.TransportTLS, server.TransportSecureWebSocket)
	wantBoth(t, ends, toldPlain, server.TransportTCP, server.TransportWebSocket)
}

// heard is what a program has said so far.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(b)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// until waits until it was said so many times; what is not is seen at the end.
func (h *heard) until(text string, times int) {
	for end := time.Now().Add(patience); strings.Count(h.String(), text) < times && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
}

// OpenSSL's client resumes at the node that it knows and at one that was started since, with each suite; keys change
// on the way.
func TestOpenSSLResumesAtNodesThatShareASecret(t *testing.T) {
	openssl := program(t, "openssl")
	own, secret := certificate(t), []byte(strings.Repeat("s", server.MinSecret))
	node := func() *server.Server {
		s, _ := startNode(t, server.Config{TLS: &tls.Config{Certificates: []tls.Certificate{own}}, ClusterSecrets: [][]byte{secret}})
		return s
	}
	first, second := node(), node()
	for _, suite := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} {
		session := filepath.Join(t.TempDir(), "session")
		for i, s := range []*server.Server{first, first, second} {
			args := []string{"s_client", "-connect", s.Addr(), "-ciphersuites", suite, "-CAfile", pemFile(t, own)}
			want := "New, TLSv1.3, Cipher is " + suite
			if i > 0 {
				args, want = append(args, "-sess_in", session), "Reused, TLSv1.3, Cipher is "+suite
			} else {
				args = append(args, "-sess_out", session)
			}
			cmd := exec.Command(openssl, args...)
			said := new(heard)
			cmd.Stdout, cmd.Stderr = said, said
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			said.until("Verify return code", 1)
			for n := range 3 { // it takes one command a read
				_, _ = in.Write([]byte("K\n"))
				said.until("KEYUPDATE", n+1)
			}
			_, _ = in.Write([]byte("Q\n"))
			if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), want) {
				t.Errorf("%s, number %d: %v, want %q of\n%s", suite, i, err, want, said)
			}
		}
	}
	for i, s := range []*server.Server{first, second} {
		if st := s.Stats(); st.TLSFailed != 0 || st.Closes[server.ReasonBadPayload] != 0 {
			t.Errorf("node %d: %d handshakes failed, %d were garbage", i, st.TLSFailed, st.Closes[server.ReasonBadPayload])
		}
	}
}
