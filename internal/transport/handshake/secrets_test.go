package handshake

import (
	"bytes"
	"crypto/tls"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
)

// The secrets of a handshake that its peer never ends are zeroed when the connection does.
func TestSecretsOfAHandshakeThatIsAbandonedAreZeroed(t *testing.T) {
	own, err := selfsigned.New(time.Hour, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	config, err := NewConfig(&tls.Config{Certificates: []tls.Certificate{own}})
	if err != nil {
		t.Fatal(err)
	}
	server, client := NewServer(config, nil), NewClient(&tls.Config{ServerName: "localhost"}, nil)
	o, err := server.Open(0, nil, client.Begin(0, nil))
	if err != nil || o.Away == nil {
		t.Fatal(o, err)
	}
	o.Away()()
	secrets := server.under[0].h.secrets
	if zero := make([]byte, len(secrets.server)); len(zero) == 0 || bytes.Equal(secrets.server, zero) {
		t.Fatal("there are no secrets yet")
	}
	server.End(0)
	client.End(0)
	for _, secret := range [][]byte{secrets.client, secrets.server} {
		if !bytes.Equal(secret, make([]byte, len(secret))) {
			t.Error("a secret outlives its connection")
		}
	}
}
