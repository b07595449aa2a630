package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A crowd three times as large as what is admitted says its ClientHello and nothing more, from many addresses, behind a
// stall of a second; 50 honest clients come with it, and again after half a second when they are turned away. All are let
// in while the crowd goes on.
func TestHonestClientsGetInBesideACrowdOfSilentHandshakes(t *testing.T) {
	skipUnlessSlow(t, "a crowd takes half a minute")
	const honest, rate = 50, 100
	held := make(chan struct{})
	s := startHeld(t, Config{Loops: 1, AdmitRate: rate, Tick: 5 * time.Millisecond, MaxConns: 16000}, awayPatience, held)
	over, ends := context.WithTimeout(t.Context(), patience)
	defer ends()
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { silentCrowd(over, s, 3*rate) })
	began := time.Now()
	in := make(chan time.Duration, honest)
	for i := range honest {
		all.Go(func() {
			for comesIn(over, s, fmt.Sprint("honest-", i)) != nil {
				select {
				case <-over.Done():
					return
				case <-time.After(500 * time.Millisecond): // of a client's own, before it comes again
				}
			}
			in <- time.Since(began)
		})
	}
	stall := time.AfterFunc(time.Second, func() { close(held) })
	defer func() {
		if stall.Stop() {
			close(held)
		}
	}()
	for n := range honest {
		select {
		case at := <-in:
			if n+1 == honest/2 || n+1 == honest*9/10 || n+1 == honest {
				t.Logf("%d of %d are in after %.1f s", n+1, honest, at.Seconds())
			}
		case <-over.Done():
			t.Fatalf("%d of %d are in, and the crowd goes on", n, honest)
		}
	}
	ends()
	st := s.Stats()
	t.Logf("the crowd: %d handshakes begun by it were given up, %d sent away before", st.TLSFailed, st.Closes[ReasonTLSBusy])
}

// silentCrowd has so many a second say a ClientHello, from 100 addresses.
func silentCrowd(over context.Context, s *Server, rate int) {
	next := time.NewTicker(time.Second / time.Duration(rate))
	defer next.Stop()
	hello := clientHello()
	var kept []net.Conn
	defer func() {
		for _, c := range kept {
			_ = c.Close()
		}
	}()
	for i := 0; ; i++ {
		select {
		case <-over.Done():
			return
		case <-next.C:
		}
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, 0, byte(i%100+1))}}
		c, err := d.DialContext(over, "tcp", s.Addr())
		if err != nil {
			continue
		}
		_, _ = c.Write(hello)
		if kept = append(kept, c); len(kept) > 5000 {
			_ = kept[0].Close()
			kept = kept[1:]
		}
	}
}

var errNoWelcome = errors.New("no WELCOME")

// comesIn is a client that makes its handshake, says HELLO and waits ten seconds for its WELCOME.
func comesIn(over context.Context, s *Server, id string) error {
	ctx, cancel := context.WithTimeout(over, 10*time.Second)
	defer cancel()
	c, err := (&tls.Dialer{Config: clientTLS()}).DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write(helloFrame(id)); err != nil {
		return err
	}
	var got []byte
	for b := make([]byte, 1024); ; {
		n, err := c.Read(b)
		got = append(got, b[:n]...)
		f, _, decoded := codec.Decode(got, codec.MaxPayload)
		switch {
		case decoded == nil && f.Type == codec.Welcome:
			return nil
		case decoded != codec.ErrIncomplete:
			return errNoWelcome
		case err != nil:
			return err
		}
	}
}
