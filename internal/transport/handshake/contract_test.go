package handshake_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
)

func certificate(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	c, err := selfsigned.New(time.Hour, append(names, "localhost", "127.0.0.1")...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// configs are a server's and a client's that trusts it.
func configs(t testing.TB) (server, client *tls.Config) {
	c := certificate(t)
	return &tls.Config{Certificates: []tls.Certificate{c}},
		&tls.Config{RootCAs: selfsigned.Pool(c), ServerName: "localhost"}
}

func newConfig(t testing.TB, c *tls.Config, secrets ...[]byte) *handshake.Config {
	t.Helper()
	config, err := handshake.NewConfig(c, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestTLSKeepsTheContract(t *testing.T) {
	server, client := configs(t)
	config := newConfig(t, server)
	transporttest.Check(t, transporttest.Kind{
		Client:  func() transport.Stage { return handshake.NewClient(client, nil) },
		Server:  func() transport.Stage { return handshake.NewServer(config, nil) },
		Garbage: []byte("GET / HTTP/1.1\r\n"),
		Silent:  true,
	})
}

// Clients that keep a ticket go through the same.
func TestResumedTLSKeepsTheContract(t *testing.T) {
	server, client := configs(t)
	config := newConfig(t, server)
	client.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	transporttest.Check(t, transporttest.Kind{
		Client: func() transport.Stage { return handshake.NewClient(client, nil) },
		Server: func() transport.Stage { return handshake.NewServer(config, nil) },
		Silent: true,
	})
	if n := config.Counters(); n.Resumed < n.Full || n.Full == 0 {
		t.Errorf("%+v: most should have been resumed", n)
	}
}
