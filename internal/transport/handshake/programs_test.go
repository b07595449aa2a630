package handshake_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Other people's programs at the other end. Who has one not installed reads so.

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// pemFiles are a certificate and its key in files.
func pemFiles(t *testing.T, c tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]},
		key:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// talk is a program that is spoken to.
type talk struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
	all bytes.Buffer
}

func speakTo(t *testing.T, name string, args ...string) *talk {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	cmd := exec.CommandContext(ctx, name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		_ = w.Close()
		close(done)
	}()
	k := &talk{t: t, in: in, out: bufio.NewReader(r)}
	t.Cleanup(func() {
		_ = in.Close()
		_ = r.Close()
		cancel()
		<-done
		if t.Failed() {
			t.Logf("%s said:\n%s", name, k.all.String())
		}
	})
	return k
}

func (k *talk) say(s string) {
	k.t.Helper()
	if _, err := io.WriteString(k.in, s); err != nil {
		k.t.Fatal(err)
	}
}

// want reads until a line has it.
func (k *talk) want(part string) (line string) {
	k.t.Helper()
	for {
		line, err := k.out.ReadString('\n')
		k.all.WriteString(line)
		if strings.Contains(line, part) {
			return line
		}
		if err != nil {
			k.t.Fatalf("%v before %q", err, part)
		}
	}
}

var opensslSuites = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}

// OpenSSL's client at our server: each suite, KeyUpdate both ways, and resumption at another node.
func TestOpenSSLClient(t *testing.T) {
	openssl := program(t, "openssl")
	server, _ := configs(t)
	secret := []byte("of the cluster")
	addr := listen(t, ours(newConfig(t, server, secret), echo))
	other := listen(t, ours(newConfig(t, server, secret), echo))
	for _, suite := range opensslSuites {
		t.Run(suite, func(t *testing.T) {
			session := filepath.Join(t.TempDir(), "session")
			k := speakTo(t, openssl, "s_client", "-connect", addr, "-ciphersuites", suite, "-sess_out", session)
			k.want("New, TLSv1.3, Cipher is " + suite)
			k.keysChange()
			k.say("Q\n")
			k.want("DONE")
			k = speakTo(t, openssl, "s_client", "-connect", other, "-ciphersuites", suite, "-sess_in", session)
			k.want("Reused, TLSv1.3, Cipher is " + suite)
			k.keysChange()
		})
	}
}

// keysChange has the program's keys change, and ours if it asks, between lines that are echoed.
func (k *talk) keysChange() {
	k.t.Helper()
	for i, command := range []string{"", "k", "K", "K", "k"} {
		if command != "" {
			k.say(command + "\n")
			k.want("KEYUPDATE")
		}
		k.say(fmt.Sprintf("line %d\n", i))
		k.want(fmt.Sprintf("line %d", i))
	}
}

// OpenSSL's server with our client: the same.
func TestOpenSSLServer(t *testing.T) {
	openssl, stdbuf := program(t, "openssl"), program(t, "stdbuf")
	server, client := configs(t)
	cert, key := pemFiles(t, server.Certificates[0])
	for _, suite := range opensslSuites {
		t.Run(suite, func(t *testing.T) {
			k := speakTo(t, stdbuf, "-o0", openssl, "s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key, "-ciphersuites", suite)
			addr := k.want("ACCEPT 127")
			addr = strings.TrimSpace(strings.TrimPrefix(addr, "ACCEPT "))
			client := client.Clone()
			client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			var state tls.ConnectionState
			client.VerifyConnection = func(cs tls.ConnectionState) error { state = cs; return nil }
			for i := range 3 {
				c := dialOurs(t, addr, client)
				lines := bufio.NewReader(c)
				go func() { _, _ = fmt.Fprintf(c, "hello %d\n", i) }() // with the handshake: it is done by who reads
				for n, command := range []string{"", "k", "K", "K", "k"} {
					if command != "" {
						k.say(command + "\n")
						k.want("SSL_do_handshake -> 1")
					}
					k.say(fmt.Sprintf("line %d\n", n))
					if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("line %d\n", n) {
						t.Fatalf("%q, %v", line, err)
					}
					if _, err := fmt.Fprintf(c, "to %d\n", n); err != nil {
						t.Fatal(err)
					}
					k.want(fmt.Sprintf("to %d", n))
				}
				if got := tls.CipherSuiteName(state.CipherSuite); got != suite || state.DidResume != (i > 0) {
					t.Errorf("connection %d: %s, resumed %v", i, got, state.DidResume)
				}
				_ = c.Close()
				k.want("CONNECTION CLOSED")
			}
		})
	}
}

// serveHTTP answers one request a connection.
func serveHTTP(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	body := strings.Repeat("a wheel in the storm\n", 10_000)
	fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\nX-Path: %s\r\n\r\n%s", len(body), r.URL.Path, body)
}

const bodyBytes = 21 * 10_000

func TestCurlNodeAndPython(t *testing.T) {
	server, _ := configs(t)
	cert, _ := pemFiles(t, server.Certificates[0])
	addr := listen(t, ours(newConfig(t, server), serveHTTP))
	_, port, _ := net.SplitHostPort(addr)
	url := "https://localhost:" + port + "/x"
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"curl", []string{"-4", "-sS", "--tlsv1.3", "--cacert", cert, url}},
		{"node", []string{"-e", `require("https").get({host: "127.0.0.1", servername: "localhost", port: ` + port + `, path: "/x",
			ca: require("fs").readFileSync(process.argv[1])}, r => r.pipe(process.stdout))`, cert}},
		{"python3", []string{"-c", `import ssl, socket, sys
c = ssl.create_default_context(cafile=sys.argv[1])
s = c.wrap_socket(socket.create_connection(("127.0.0.1", ` + port + `)), server_hostname="localhost")
s.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
b = b""
while True:
    d = s.recv(65536)
    if not d: break
    b += d
sys.stdout.write(b.split(b"\r\n\r\n", 1)[1].decode())`, cert}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, program(t, tt.name), tt.args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || len(out) != bodyBytes {
				t.Errorf("%d bytes, %v\n%s", len(out), err, stderr.String())
			}
		})
	}
}
