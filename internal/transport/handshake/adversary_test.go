package handshake_test

import (
	"crypto/tls"
	"net"
	"runtime"
	"testing"
)

type logOf func()

func (l logOf) Write(b []byte) (int, error) {
	l()
	return len(b), nil
}

// crypto/tls holds a mutex of all handshakes of the process while it writes a key log: one that fails
// ends its own handshake, and not every later one.
func TestAKeyLogThatFailsEndsItsHandshakeAlone(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic("the disk is full") }, "Goexit": runtime.Goexit} {
		server, client := configs(t)
		bad := server.Clone()
		bad.KeyLogWriter = logOf(fail)
		config := newConfig(t, bad)
		c := tls.Client(dial(t, listen(t, ours(config, echo))), client)
		if err := c.Handshake(); err == nil {
			t.Errorf("%s: the handshake ended well", name)
		}
		_ = c.Close()
		if n := config.Counters(); n.Failed != 1 {
			t.Errorf("%s: %+v, want one that failed", name, n)
		}
		c = tls.Client(dial(t, listen(t, ours(newConfig(t, server), echo))), client)
		if err := echoes(c); err != nil {
			t.Errorf("%s: the next handshake: %v", name, err)
		}
		_ = c.Close()
	}
}

// Who decides by the local address must not decide by the peer's.
func TestACallbackDoesNotTakeThePeersAddressForTheLocalOne(t *testing.T) {
	server, client := configs(t)
	own := server.Certificates[0]
	server.Certificates = nil
	locals := make(chan net.Addr, 1)
	server.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		locals <- h.Conn.LocalAddr()
		return &own, nil
	}
	c := tls.Client(dial(t, listen(t, oursFrom(newConfig(t, server), "127.0.0.1", echo))), client)
	defer c.Close()
	if err := echoes(c); err != nil {
		t.Fatal(err)
	}
	if a := (<-locals).(*net.TCPAddr); len(a.IP) != 0 {
		t.Errorf("the local address is %v, that of the peer", a)
	}
}
