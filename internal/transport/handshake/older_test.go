package handshake_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// older makes configurations that speak TLS 1.2, of which the server lets so many in.
func older(t *testing.T, most int) (config *handshake.Config, client *tls.Config) {
	t.Helper()
	server, client := configs(t)
	config = newConfig(t, server)
	config.AllowTLS12(most)
	client.MaxVersion = tls.VersionTLS12
	return config, client
}

// dribble is a connection whose bytes come one by one.
type dribble struct{ net.Conn }

func (d dribble) Read(b []byte) (int, error) { return d.Conn.Read(b[:min(len(b), 1)]) }

func TestTLS12WithEverySuite(t *testing.T) {
	for _, suite := range tls.CipherSuites() {
		if !strings.Contains(suite.Name, "ECDSA") {
			continue // 1.3's, and those of RSA certificates
		}
		t.Run(suite.Name, func(t *testing.T) {
			config, client := older(t, 1)
			client.CipherSuites = []uint16{suite.ID}
			serve := ours(config, echo)
			addr := listen(t, func(nc net.Conn) { serve(dribble{nc}) })
			c := tls.Client(dial(t, addr), client)
			defer c.Close()
			if err := echoes(c); err != nil {
				t.Fatal(err)
			}
			if state := c.ConnectionState(); state.Version != tls.VersionTLS12 || state.CipherSuite != suite.ID {
				t.Errorf("version %x, suite %x", state.Version, state.CipherSuite)
			}
			if n := config.Counters(); n.Older != 1 {
				t.Errorf("%d connections are counted", n.Older)
			}
			if err := c.CloseWrite(); err != nil || !ended(c) {
				t.Errorf("the server did not say close_notify, %v", err)
			}
		})
	}
}

// There are as many as were allowed, beside any number of TLS 1.3; one that ends makes room.
func TestTLS12IsBounded(t *testing.T) {
	config, client := older(t, 2)
	held := make(chan net.Conn, 10)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go ours(config, echo)(nc)
		}
	}()
	in := func(c *tls.Config) error {
		conn := tls.Client(dial(t, l.Addr().String()), c)
		held <- conn
		return echoes(conn)
	}
	newer := client.Clone()
	newer.MaxVersion = 0
	for i := range 2 {
		if err := in(client); err != nil {
			t.Fatalf("number %d: %v", i, err)
		}
		if err := in(newer); err != nil {
			t.Fatal(err)
		}
	}
	if err := in(client); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("one too many: %v", err)
	}
	if err := in(newer); err != nil {
		t.Errorf("TLS 1.3 beside them: %v", err)
	}
	(<-held).Close()
	for end := time.Now().Add(patience); config.Counters().Older != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("one that ended still counts")
		}
	}
	if err := in(client); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
	close(held)
	for c := range held {
		c.Close()
	}
	for end := time.Now().Add(patience); config.Counters().Older != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("some are counted, and none is there")
		}
	}
}

// flip is a connection that changes a byte of the last record that is written to it.
type flip struct {
	net.Conn
	bad bool
}

func (f *flip) Write(b []byte) (int, error) {
	if f.bad {
		b = bytes.Clone(b)
		b[len(b)-1] ^= 1
	}
	return f.Conn.Write(b)
}

// A record that does not open ends it with an alert.
func TestTLS12SaysItsAlert(t *testing.T) {
	config, client := older(t, 1)
	f := &flip{Conn: dial(t, listen(t, ours(config, echo)))}
	c := tls.Client(f, client)
	defer c.Close()
	if err := echoes(c); err != nil {
		t.Fatal(err)
	}
	f.bad = true
	_, _ = c.Write([]byte("hello"))
	if _, err := io.ReadAll(c); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the client reads %v", err)
	}
}

// Tickets of TLS 1.2 are those of the node's secrets, too.
func TestTLS12IsResumed(t *testing.T) {
	server, client := configs(t)
	secret := []byte("a secret of the cluster's")
	client.MaxVersion, client.ClientSessionCache = tls.VersionTLS12, tls.NewLRUClientSessionCache(1)
	for i := range 2 {
		config := newConfig(t, server, secret)
		config.AllowTLS12(1)
		c := tls.Client(dial(t, listen(t, ours(config, echo))), client)
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
		if c.ConnectionState().DidResume != (i > 0) {
			t.Errorf("number %d: resumed %v", i, i == 0)
		}
		c.Close()
	}
}

// together is a connection whose second write waits until all others are as far, or have failed.
type together struct {
	net.Conn
	writes int
	here   func()
	all    <-chan struct{}
}

func (c *together) Write(b []byte) (int, error) {
	if c.writes++; c.writes == 2 {
		c.here()
		<-c.all
	}
	return c.Conn.Write(b)
}

// Those beyond the bound are told so instead of a handshake's end, also when all come at once, and each is
// counted once.
func TestTLS12IsBoundedBeforeItsHandshakesEnd(t *testing.T) {
	const clients, most = 8, 2
	config, client := older(t, most)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go ours(config, echo)(nc)
		}
	}()
	var far sync.WaitGroup
	far.Add(clients)
	all, ends := make(chan struct{}), make(chan error, clients)
	go func() {
		far.Wait()
		close(all)
	}()
	var conns []net.Conn
	for range clients {
		here := sync.OnceFunc(far.Done)
		c := tls.Client(&together{Conn: dial(t, l.Addr().String()), here: here, all: all}, client)
		conns = append(conns, c)
		go func() {
			err := c.Handshake()
			here()
			ends <- err
		}()
	}
	in := 0
	for range clients {
		if err := <-ends; err == nil {
			in++
		} else if !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("one beyond the bound hears %v", err)
		}
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if n := config.Counters(); n.Full+n.Failed >= clients {
			break
		}
	}
	if n := config.Counters(); in != most || n.Full != most || n.Failed != clients-most {
		t.Errorf("%d are in, %d handshakes are counted full and %d failed, want %d, %d and %d", in, n.Full, n.Failed, most, most, clients-most)
	}
	for _, c := range conns {
		c.Close()
	}
	for end := time.Now().Add(patience); config.Counters().Older != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("some are counted, and none is there")
		}
	}
}

// A handshake that its client leaves gives its place back.
func TestTLS12GivesThePlaceOfAHandshakeBack(t *testing.T) {
	config, client := older(t, 1)
	addr := listen(t, ours(config, echo))
	for range 3 {
		nc := dial(t, addr)
		c := tls.Client(&together{Conn: nc, here: func() { nc.Close() }, all: closed}, client)
		if err := c.Handshake(); err == nil {
			t.Fatal("a handshake ended well without its client")
		}
	}
	c := tls.Client(dial(t, addr), client)
	defer c.Close()
	if err := echoes(c); err != nil {
		t.Error(err)
	}
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()
