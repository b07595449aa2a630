package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/selfsigned"
)

// pair writes a certificate and its key.
func pair(t *testing.T, dir string) (c tls.Certificate, cert, key string) {
	t.Helper()
	c, err := selfsigned.New(48*time.Hour, "localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c, cert, key
}

// answered says HELLO and reads what the node says to that: its ticket is before it, and its alert instead of it.
func answered(conn net.Conn) error {
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice")})
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		return err
	}
	_, _ = conn.Write(hello) // what is wrong is read
	_, err = conn.Read(make([]byte, 1))
	return err
}

// shown is the certificate that a node shows, and whether the session was resumed.
func shown(t *testing.T, n *node, c *tls.Config) (*x509.Certificate, bool) {
	t.Helper()
	conn, err := tls.Dial("tcp", n.listen, c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := answered(conn); err != nil {
		t.Fatal(err)
	}
	state := conn.ConnectionState()
	return state.PeerCertificates[0], state.DidResume
}

// A certificate is replaced while the node runs; garbage in its place changes nothing and is told.
// Sessions are resumed at another node, after kill -9 too.
func TestCertificatesAreReplacedAndSessionsResumed(t *testing.T) {
	dir := t.TempDir()
	old, cert, key := pair(t, dir)
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--tls-cert", cert, "--tls-key", key, "--cluster-secret-file", secret}
	n := serve(t, flags...)
	n.untilSaid("a certificate expires") // it has two days left
	client := &tls.Config{RootCAs: selfsigned.Pool(old), ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	if got, resumed := shown(t, n, client); !got.Equal(old.Leaf) || resumed {
		t.Errorf("resumed %v, or another certificate", resumed)
	}
	if _, resumed := shown(t, n, client); !resumed {
		t.Error("the session was not resumed")
	}

	if err := os.WriteFile(cert, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.signal(syscall.SIGHUP)
	n.untilSaid("the old one stays")
	insecure := &tls.Config{InsecureSkipVerify: true}
	if got, _ := shown(t, n, insecure); !got.Equal(old.Leaf) {
		t.Error("the old certificate is gone")
	}
	fresh, _, _ := pair(t, dir)
	n.signal(syscall.SIGHUP)
	n.untilSaid("was read again")
	if got, _ := shown(t, n, insecure); !got.Equal(fresh.Leaf) {
		t.Error("the new certificate is not shown")
	}

	client.RootCAs = selfsigned.Pool(old, fresh)
	n.signal(syscall.SIGKILL)
	n.exit()
	other := serve(t, flags...)
	if _, resumed := shown(t, other, client); !resumed {
		t.Error("the session was not resumed at another node")
	}
}

// untilSaid waits for a line of the log.
func (p *process) untilSaid(text string) {
	p.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(p.stderr.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%q was not said:\n%s", text, p.stderr.String())
		}
	}
}

func TestConnectByTLS(t *testing.T) {
	_, cert, key := pair(t, t.TempDir())
	n := serve(t, "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", cert, "--transports", "tcp,tls,wss")
	for _, scheme := range []string{"tls://", "wss://"} {
		p := stormwheel(t, "connect", "--server", scheme+n.listen, "--tls-ca", cert, "--tls-cert", cert, "--tls-key", key)
		p.until("connected to")
		p.say("hello")
		p.until("< hello")
		_ = p.stdin.Close()
		if code, _ := p.exit(); code != 0 {
			t.Errorf("%s exit %d\n%s", scheme, code, p.stderr.String())
		}
	}
	p := stormwheel(t, "connect", "--server", "tls://"+n.listen, "--tls-ca", cert) // without a certificate
	p.until("certificate_required")
}

// Each listener shows its own certificate, which is read again, too.
func TestListenersCertificates(t *testing.T) {
	general, cert, key := pair(t, t.TempDir())
	dir := t.TempDir()
	own, ownCert, ownKey := pair(t, dir)
	n := serve(t, "--tls-cert", cert, "--tls-key", key, "--listen", "127.0.0.1:0,tls-cert="+ownCert+",tls-key="+ownKey)
	insecure := &tls.Config{InsecureSkipVerify: true}
	shows := func(listener int, want tls.Certificate) {
		t.Helper()
		c, err := tls.Dial("tcp", strings.Split(n.listen, ",")[listener], insecure)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if !c.ConnectionState().PeerCertificates[0].Equal(want.Leaf) {
			t.Errorf("listener %d shows another certificate", listener)
		}
	}
	shows(0, general)
	shows(1, own)
	own, _, _ = pair(t, dir)
	n.signal(syscall.SIGHUP)
	n.untilSaid("file=" + ownCert)
	shows(0, general)
	shows(1, own)
}

// TLS 1.2 is there if it is asked for.
func TestServeSpeaksTLS12IfAskedTo(t *testing.T) {
	n := serve(t, "--tls-self-signed", "--tls-min", "1.2", "--max-tls12", "1")
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}
	c, err := tls.Dial("tcp", n.listen, old)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c, err := tls.Dial("tcp", n.listen, old); err == nil {
		c.Close()
		t.Error("one more than there may be")
	}
}

// Where the module's AEADs may not be used as the record layer does, it is said at the start.
func TestTLSIsRefusedUnderFIPS140Only(t *testing.T) {
	t.Setenv("GODEBUG", "fips140=only")
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--tls-self-signed"},
		{"connect", "--server", "tls://127.0.0.1:1", "--insecure"},
		{"bench", "hold", "--target", "tls://127.0.0.1:1", "--insecure"},
		{"bench", "hold", "--spawn", "1", "--transport", "wss"},
	} {
		p := stormwheel(t, args...)
		if code, _ := p.exit(); code != 2 || !strings.Contains(p.stderr.String(), "put a TLS proxy in front") || strings.Count(p.stderr.String(), "\n") > 1 {
			t.Errorf("%q: exit %d, %s", args, code, p.stderr.String())
		}
	}
}

func TestTLSFlagsThatMakeNoSense(t *testing.T) {
	for want, args := range map[string][]string{
		"go together":                     {"serve", "--tls-cert", "x"},
		"exclude each other":              {"serve", "--tls-self-signed", "--tls-cert", "x", "--tls-key", "y"},
		"needs --tls-cert":                {"serve", "--tls-client-ca", "x"},
		"--max-tls12 must be positive":    {"serve", "--max-tls12", "0"},
		"--handshake-rate must be finite": {"serve", "--handshake-rate", "-1"},
		"--handshake-rate needs TLS":      {"serve", "--handshake-rate", "5"},
		"--tls-min needs TLS":             {"serve", "--tls-min", "1.2"},
		"--max-tls12 needs --tls-min":     {"serve", "--tls-self-signed", "--max-tls12", "5"},
		"--ws-path needs ws":              {"serve", "--ws-path", "/edge"},
		"--ws-origins needs ws":           {"serve", "--ws-origins", "https://example.com"},
		"/healthz is taken":               {"serve", "--transports", "ws", "--ws-path", "/healthz"},
		"--listen: tls-cert and":          {"serve", "--listen", "127.0.0.1:0,tls-cert=x"},
		"needs --tls-cert and --tls-key":  {"serve", "--transports", "tls"},
		"are for --transport tls and wss": {"bench", "hold", "--target", "127.0.0.1:1", "--insecure"},
		"is of tls":                       {"bench", "hold", "--target", "tls://127.0.0.1:1", "--transport", "ws"},
		"are for a --server of tls:// or": {"connect", "--insecure"},
		"--tls-cert and --tls-key go":     {"connect", "--server", "tls://127.0.0.1:1", "--tls-cert", "x"},
	} {
		p := stormwheel(t, args...)
		if code, _ := p.exit(); code != 2 || !strings.Contains(p.stderr.String(), want) {
			t.Errorf("%q: exit %d, %s; want %q", args, code, p.stderr.String(), want)
		}
	}
}

// The load generator starts nodes that have TLS, and comes by it, resumed sessions included.
func TestBenchByTLS(t *testing.T) {
	for _, by := range []string{"tls", "wss"} {
		p := stormwheel(t, "bench", "hold", "--spawn", "1", "--transport", by, "--tls-resume", "--conns", "100", "--rate", "500",
			"--heartbeat", "500ms", "--duration", "1s", "--no-tui", "--no-promises", "--threshold", "conns.end==100")
		if code, rest := p.exit(); code != 0 && code != 4 { // 4: a busy machine
			t.Errorf("%s: exit %d\n%s\n%s", by, code, strings.Join(rest, "\n"), p.stderr.String())
		}
	}
}
