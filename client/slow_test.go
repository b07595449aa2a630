package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/netstage"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// narrow sets small kernel buffers, so that what is not carried yet is not taken either.
func narrow(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4096)
	})
}

// slowLink leads to an address, at up and down bytes every 10 ms. It makes up for a machine that
// is late by no more than a tenth of a second.
func slowLink(t *testing.T, to string, up, down int) string {
	t.Helper()
	ln, err := (&net.ListenConfig{Control: narrow}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	pump := func(from, to net.Conn, step int) {
		defer to.(*net.TCPConn).CloseWrite()
		buf := make([]byte, step)
		for free := time.Now(); ; {
			n, err := from.Read(buf)
			if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
				return
			}
			if idle := time.Now().Add(-100 * time.Millisecond); free.Before(idle) {
				free = idle
			}
			free = free.Add(10 * time.Millisecond * time.Duration(n) / time.Duration(step))
			time.Sleep(time.Until(free))
		}
	}
	wg.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{Control: narrow}).Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			wg.Go(func() {
				defer near.Close()
				defer far.Close()
				var both sync.WaitGroup
				both.Go(func() { pump(near, far, up) })
				both.Go(func() { pump(far, near, down) })
				both.Wait()
			})
		}
	})
	return ln.Addr().String()
}

const (
	slowRate  = 200 // bytes every 10 ms
	fastRate  = 64 << 10
	slowBytes = 80000 // 4 s at that rate
)

// slowTerms are those of a node whose clients would give it up within 2.5 s, if whole frames
// were all that counts.
var slowTerms = codec.Terms{Interval: time.Second, Timeout: time.Minute}

const slowPatience = 1500 * time.Millisecond

// Promise 9: a message that is longer on its way than the pong timeout, and than the write
// timeout, ends no session.
func TestSlowLinkKeepsItsSession(t *testing.T) {
	for name, c := range map[string]struct {
		up, down int
		tls, ws  bool
	}{
		"up": {up: slowRate, down: fastRate}, "down": {up: fastRate, down: slowRate},
		"up, TLS": {up: slowRate, down: fastRate, tls: true}, "down, TLS": {up: fastRate, down: slowRate, tls: true},
		"up, WebSocket": {up: slowRate, down: fastRate, ws: true}, "down, WebSocket": {up: fastRate, down: slowRate, ws: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert := certificate(t)
			a := listen(t, func(p *peer) {
				if c.tls {
					p.Conn = tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{cert}})
				}
				if c.ws {
					p.Conn = netstage.New(p.Conn, websocket.NewServer(websocket.ServerConfig{}))
				}
				if _, err := p.welcome(codec.WelcomeMessage{Terms: slowTerms}); err != nil {
					return
				}
				p.timeout = 2200 * time.Millisecond
				if c.down == slowRate {
					p.Write(codec.AppendDeliver(nil, 1, make([]byte, slowBytes)))
				}
				p.serve()
			})
			scheme := map[bool]string{true: "ws://"}[c.ws]
			cfg := Config{Endpoints: []string{scheme + slowLink(t, a.Addr().String(), c.up, c.down)},
				PongTimeout: slowPatience, WriteTimeout: slowPatience, MaxPayload: 100 << 10}
			delivered, acked := make(chan int, 1), make(chan uint64, 1)
			cfg.Deliver = func(m Message) { delivered <- len(m.Body) }
			cfg.Settled = func(id uint64, _ Outcome) { acked <- id }
			dialer := &net.Dialer{Control: narrow} // most waits in the client, not in its kernel
			cfg.Dial = dialer.DialContext
			if c.tls {
				cfg.Dial = (&tls.Dialer{NetDialer: dialer, Config: &tls.Config{InsecureSkipVerify: true}}).DialContext
			}
			client, ran := run(t, cfg)
			defer end(t, client, ran)
			defer func() {
				if t.Failed() {
					t.Logf("Info = %+v", client.Info())
				}
			}()
			if c.up == slowRate {
				if _, err := client.Send(t.Context(), make([]byte, slowBytes-4000)); err != nil {
					t.Fatal(err)
				}
				if _, err := client.Send(t.Context(), make([]byte, 4000)); err != nil {
					t.Fatal(err)
				}
				eventually(t, "ACK of the first", func() bool { return len(acked) > 0 })
				<-acked
				eventually(t, "ACK of the second", func() bool { return len(acked) > 0 })
			} else {
				eventually(t, "the message", func() bool { return len(delivered) > 0 })
			}
			if i := client.Info(); i.Sessions != 1 || i.Losses != 0 {
				t.Errorf("Info = %+v, want one undisturbed session", i)
			}
		})
	}
}

// A handover on a slow uplink: what was sent before it arrives in order, and is acknowledged.
func TestHandoverOnASlowLinkDropsNothing(t *testing.T) {
	const messages = 20
	b := listen(t, node)
	var mu sync.Mutex
	var got []uint64
	a := listen(t, func(p *peer) {
		if _, err := p.welcome(codec.WelcomeMessage{Terms: slowTerms}); err != nil {
			return
		}
		for {
			f, err := p.next()
			if err != nil {
				return
			}
			switch f.Type {
			case codec.Ping:
				token, _, _ := codec.ParsePing(f.Payload)
				p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: slowTerms}))
			case codec.Send:
				id, _, _ := codec.ParseMessage(f.Payload)
				mu.Lock()
				if got = append(got, id); len(got) == 2 {
					p.goAway(codec.GoAwayMessage{Code: codec.CodeDraining, Alternates: []byte(b.Addr().String())})
				}
				mu.Unlock()
				p.Write(codec.AppendAck(nil, codec.AckOf(id)))
			case codec.Bye:
				return
			}
		}
	})
	var acked []uint64
	c, ran := run(t, Config{Endpoints: []string{slowLink(t, a.Addr().String(), slowRate, fastRate)},
		Dial: (&net.Dialer{Control: narrow}).DialContext, WriteTimeout: slowPatience,
		Settled: func(id uint64, o Outcome) { mu.Lock(); acked = append(acked, id); mu.Unlock() }})
	defer end(t, c, ran)
	var sent []uint64
	for range messages {
		id, err := c.Send(t.Context(), make([]byte, slowBytes/messages))
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, id)
	}
	eventually(t, "the move", func() bool { return c.Info().Node == b.Addr().String() })
	eventually(t, "all ACKs", func() bool { mu.Lock(); defer mu.Unlock(); return len(acked) == messages })
	// The new node has acknowledged what was sent again; the old one reads it all the same.
	eventually(t, "the old node", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == messages })
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, sent) {
		t.Errorf("the old node got %v, want %v", got, sent)
	}
	if i := c.Info(); i.Losses != 0 || i.Sessions != 2 {
		t.Errorf("Info = %+v", i)
	}
}

// certificate is nobody's.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
