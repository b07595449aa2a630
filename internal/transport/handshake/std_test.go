package handshake_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// What must work between crypto/tls at one end and ours at the other, and between ours.
func TestEveryKindOfHandshakeWithCryptoTLS(t *testing.T) {
	for _, tt := range []struct {
		name           string
		server, client func(server, client *tls.Config)
		proto          string
	}{
		{name: "full"},
		{name: "no tickets", server: func(s, _ *tls.Config) { s.SessionTicketsDisabled = true }},
		{name: "HelloRetryRequest", server: func(s, _ *tls.Config) { s.CurvePreferences = []tls.CurveID{tls.CurveP384} }},
		{name: "without ML-KEM", server: func(s, _ *tls.Config) { s.CurvePreferences = []tls.CurveID{tls.X25519} }},
		{name: "ALPN", server: func(s, c *tls.Config) { s.NextProtos, c.NextProtos = []string{"a", "b"}, []string{"b"} }, proto: "b"},
		{name: "client certificates", server: func(s, c *tls.Config) {
			own, _ := selfsigned.New(time.Hour, "client")
			s.ClientAuth, s.ClientCAs = tls.RequireAndVerifyClientCert, selfsigned.Pool(own)
			c.Certificates = []tls.Certificate{own}
		}},
		{name: "many certificates, larger than a record", server: func(s, c *tls.Config) {
			own, _ := selfsigned.New(time.Hour, "client")
			for len(own.Certificate) < 60 {
				own.Certificate = append(own.Certificate, own.Certificate[0])
			}
			s.ClientAuth = tls.RequireAnyClientCert
			c.Certificates = []tls.Certificate{own}
			for len(s.Certificates[0].Certificate) < 60 {
				s.Certificates[0].Certificate = append(s.Certificates[0].Certificate, s.Certificates[0].Certificate[0])
			}
		}},
		{name: "GetConfigForClient", server: func(s, _ *tls.Config) {
			certificates := s.Certificates
			s.Certificates = nil
			s.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				if h.ServerName != "localhost" {
					return nil, errors.New("no such name")
				}
				return &tls.Config{Certificates: certificates, MaxVersion: tls.VersionTLS12}, nil // ours says 1.3
			}
		}},
		{name: "GetConfigForClient of nothing", server: func(s, _ *tls.Config) {
			s.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
		}},
		{name: "a certificate by its name", server: func(s, c *tls.Config) {
			other, _ := selfsigned.New(time.Hour, "other.example")
			s.Certificates = append(s.Certificates, other)
			c.RootCAs, c.ServerName = selfsigned.Pool(other), "other.example"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, client := configs(t)
			if tt.server != nil {
				tt.server(server, client)
			}
			wantHandshakes(t, server, client, tt.proto)
		})
	}
}

// wantHandshakes has our server meet a client of crypto/tls, our client its server, and ours each other.
func wantHandshakes(t *testing.T, server, client *tls.Config, proto string) {
	t.Run("our server", func(t *testing.T) {
		addr := listen(t, ours(newConfig(t, server), echo))
		c := tls.Client(dial(t, addr), client)
		defer c.Close()
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().NegotiatedProtocol; got != proto {
			t.Errorf("protocol %q, want %q", got, proto)
		}
		_ = c.CloseWrite()
		if !ended(c) {
			t.Error("it did not end with close_notify")
		}
	})
	if server.GetConfigForClient == nil {
		t.Run("our client", func(t *testing.T) {
			addr := listen(t, std(server, echo))
			c := dialOurs(t, addr, client)
			defer c.Close()
			if err := echoes(c); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("ours", func(t *testing.T) {
		addr := listen(t, ours(newConfig(t, server), echo))
		c := dialOurs(t, addr, client)
		defer c.Close()
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
	})
}

// Without AES in the processor crypto/tls chooses ChaCha20-Poly1305.
func TestWithoutAESInTheProcessor(t *testing.T) {
	const once = "STORMWHEEL_TEST_NO_AES"
	if os.Getenv(once) != "" {
		server, client := configs(t)
		addr := listen(t, ours(newConfig(t, server), echo))
		c := tls.Client(dial(t, addr), client)
		defer c.Close()
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
		if suite := c.ConnectionState().CipherSuite; suite != tls.TLS_CHACHA20_POLY1305_SHA256 {
			t.Errorf("suite %s", tls.CipherSuiteName(suite))
		}
		addr = listen(t, std(server, echo))
		own := dialOurs(t, addr, client)
		defer own.Close()
		if err := echoes(own); err != nil {
			t.Fatal(err)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), once+"=1", "GODEBUG=cpu.aes=off,cpu.pclmulqdq=off")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// Handshakes that fail tell why, at both ends.
func TestHandshakesThatFail(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(server, client *tls.Config)
		want   string // of the client's error
	}{
		{"TLS 1.2", func(_, c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "protocol version not supported"},
		{"no common protocol", func(s, c *tls.Config) { s.NextProtos, c.NextProtos = []string{"a"}, []string{"b"} }, "no application protocol"},
		{"no certificate of the client", func(s, _ *tls.Config) { s.ClientAuth = tls.RequireAnyClientCert }, "certificate required"},
		{"a callback that refuses", func(s, _ *tls.Config) {
			s.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("not today") }
			s.Certificates = nil
		}, "tls: "},
		{"a callback that panics", func(s, _ *tls.Config) {
			s.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { panic("a fault of the embedder's") }
		}, "internal error"},
		{"a client that does not trust", func(_, c *tls.Config) { c.RootCAs = x509.NewCertPool() }, "certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, client := configs(t)
			tt.change(server, client)
			config := newConfig(t, server)
			errs := make(chan error, 1)
			addr := listen(t, ours(config, func(c net.Conn) {
				_, err := c.Read(make([]byte, 1))
				errs <- err
			}))
			c := tls.Client(dial(t, addr), client)
			defer c.Close()
			err := c.Handshake()
			if err == nil {
				_, err = c.Read(make([]byte, 1))
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the client: %v, want %q", err, tt.want)
			}
			_ = c.Close()
			if err := <-errs; err == nil {
				t.Error("the server read something")
			}
			if n := config.Counters(); n.Failed != 1 || n.Full != 0 || n.Waiting != 0 {
				t.Errorf("%+v, want one that failed", n)
			}
		})
	}
}

// The embedder's key log gets what it would have got, so that a trace can be read.
func TestKeyLogOfTheEmbedder(t *testing.T) {
	for _, by := range []string{"Config", "GetConfigForClient"} {
		server, client := configs(t)
		var log bytes.Buffer
		server.KeyLogWriter = &log
		if by == "GetConfigForClient" {
			own := server.Clone()
			server.KeyLogWriter = nil
			server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return own, nil }
		}
		addr := listen(t, ours(newConfig(t, server), echo))
		c := tls.Client(dial(t, addr), client)
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "\n"); n != 4 || !strings.Contains(log.String(), "SERVER_HANDSHAKE_TRAFFIC_SECRET") {
			t.Errorf("%s: %d lines, want 4:\n%s", by, n, log.String())
		}
		_ = c.Close()
	}
}

// What the handshake has told is there once.
func TestStateTellsNameProtocolAndCertificate(t *testing.T) {
	server, client := configs(t)
	own, _ := selfsigned.New(time.Hour, "client")
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, selfsigned.Pool(own)
	server.NextProtos, client.NextProtos = []string{"stormwheel"}, []string{"stormwheel"}
	client.Certificates = []tls.Certificate{own}
	var state atomic.Pointer[tls.ConnectionState]
	config := newConfig(t, server)
	addr := listen(t, func(nc net.Conn) {
		stage := handshake.NewServer(config, nil)
		stage.KeepStates()
		c := wrap(nc, stage)
		_, _ = c.Read(make([]byte, 1))
		state.Store(stage.State(0))
		if stage.State(0) != nil {
			t.Error("the state is there twice")
		}
		echo(c)
		_ = c.Close()
	})
	c := tls.Client(dial(t, addr), client)
	defer c.Close()
	_, _ = c.Write([]byte("x"))
	_ = c.CloseWrite()
	ended(c)
	s := state.Load()
	if s == nil || s.ServerName != "localhost" || s.NegotiatedProtocol != "stormwheel" || len(s.VerifiedChains) == 0 ||
		!s.PeerCertificates[0].Equal(own.Leaf) {
		t.Errorf("state %+v", s)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	server, _ := configs(t)
	old := server.Clone()
	old.MaxVersion = tls.VersionTLS12
	for _, tt := range []struct {
		c    *tls.Config
		want error
	}{{new(tls.Config), handshake.ErrCertificate}, {old, handshake.ErrVersion}, {server, nil}} {
		if _, err := handshake.NewConfig(tt.c); err != tt.want {
			t.Errorf("%v, want %v", err, tt.want)
		}
	}
}

// Without a name a client's tickets are kept by the address, which this side does not know.
func TestAClientWithoutANameKeepsItsTicket(t *testing.T) {
	server, _ := configs(t)
	config := newConfig(t, server)
	addr := listen(t, ours(config, echo))
	client := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for range 2 {
		c := dialOurs(t, addr, client)
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if n := config.Counters(); n.Full != 1 || n.Resumed != 1 {
		t.Errorf("%+v", n)
	}
}
