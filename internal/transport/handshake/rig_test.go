package handshake_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stormwheel/stormwheel/internal/netstage"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "print-nothing" {
		return
	}
	goleak.VerifyTestMain(m)
}

const patience = time.Minute // of a connection, for all that it does

// listen serves connections until the test ends.
func listen(t testing.TB, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_ = nc.SetDeadline(time.Now().Add(patience))
			serve(nc)
			_ = nc.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-served
	})
	return l.Addr().String()
}

// ours serves with our side.
func ours(config *handshake.Config, serve func(net.Conn)) func(net.Conn) {
	return func(nc net.Conn) {
		c := netstage.New(nc, handshake.NewServer(config, nil))
		serve(c)
		_ = c.Close()
	}
}

// oursFrom serves with our side, which is told that its peers are there.
func oursFrom(config *handshake.Config, from string, serve func(net.Conn)) func(net.Conn) {
	return func(nc net.Conn) {
		c := netstage.New(nc, handshake.NewServer(config, func(transport.Slot) handshake.Peer { return handshake.Peer{Addr: netip.MustParseAddr(from)} }))
		serve(c)
		_ = c.Close()
	}
}

// echo sends back what comes.
func echo(c net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		if _, werr := c.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

// std serves with crypto/tls.
func std(config *tls.Config, serve func(net.Conn)) func(net.Conn) {
	return func(nc net.Conn) {
		c := tls.Server(nc, config)
		serve(c)
		_ = c.Close()
	}
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc
}

// dialOurs connects with our side. It returns what crypto/tls knows, too, when something was read.
func dialOurs(t testing.TB, addr string, config *tls.Config) net.Conn {
	t.Helper()
	return netstage.New(dial(t, addr), handshake.NewClient(config, nil))
}

// echoes checks that messages of all sizes come back, and ends the connection.
func echoes(c net.Conn) error {
	for _, size := range []int{1, 20, 1000, 1 << 14, 1<<14 + 1, 100_000, 1} {
		text := bytes.Repeat([]byte{byte(size), 'x'}, size)[:size]
		if _, err := c.Write(text); err != nil {
			return fmt.Errorf("write %d: %w", size, err)
		}
		got := make([]byte, size)
		if _, err := io.ReadFull(c, got); err != nil {
			return fmt.Errorf("read %d: %w", size, err)
		}
		if !bytes.Equal(got, text) {
			return fmt.Errorf("%d bytes came back changed", size)
		}
	}
	return nil
}

// ended reads the end of a connection; true if the peer said it in TLS's words.
func ended(c net.Conn) bool {
	_, err := io.Copy(io.Discard, c)
	return err == nil
}
