package handshakes

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve is a server of crypto/tls that waits for the end of its clients.
func serve(t *testing.T, c *tls.Config) netip.AddrPort {
	t.Helper()
	own, err := selfsigned.New(time.Hour, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	c.Certificates = []tls.Certificate{own}
	l, err := tls.Listen("tcp", "127.0.0.1:0", c)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-served
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestHandshakesAreFullOrResumed(t *testing.T) {
	for _, resume := range []bool{false, true} {
		c := Config{Targets: []netip.AddrPort{serve(t, new(tls.Config))}, TLS: &tls.Config{InsecureSkipVerify: true}, Resume: resume, Open: 4, Most: 40}
		seen, err := Run(t.Context(), c, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		if resume {
			want = 40
		}
		if seen.Ended != 40 || seen.Resumed != want || seen.Failed != 0 || seen.Latency.Count() != 40 {
			t.Errorf("resume %v: %+v", resume, seen)
		}
	}
}

func TestWhatCannotBeMadeIsTold(t *testing.T) {
	old := serve(t, &tls.Config{MaxVersion: tls.VersionTLS12})
	c := Config{Targets: []netip.AddrPort{old}, TLS: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, Open: 2, Most: 4}
	if seen, err := Run(t.Context(), c, time.Minute); err != nil || seen.Failed != 4 || seen.Ended != 0 || seen.Err == nil {
		t.Errorf("%+v, %v", seen, err)
	}
	c = Config{Targets: []netip.AddrPort{serve(t, &tls.Config{SessionTicketsDisabled: true})}, TLS: &tls.Config{InsecureSkipVerify: true}, Resume: true, Open: 1}
	if _, err := Run(t.Context(), c, time.Minute); err != errNoTicket {
		t.Errorf("without tickets: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Resume = false
	if seen, err := Run(ctx, c, time.Minute); err != nil || seen.Ended != 0 {
		t.Errorf("after the end: %+v, %v", seen, err)
	}
}
