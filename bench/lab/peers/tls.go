package peers

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"time"

	lltls "github.com/lesismal/llib/std/crypto/tls"
	"github.com/lesismal/nbio"
	nbtls "github.com/lesismal/nbio/extension/tls"
	"github.com/lesismal/nbio/logging"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/server"
)

// TLSes are the servers that answer the same frames by TLS 1.3.
var TLSes = []Kind{
	{Name: OursTLS, Label: "Stormwheel", Evicts: true, start: serveStormwheelTLS,
		How: "crypto/tls's handshake on a pool, its own record layer on the loop"},
	{Name: StdTLS, Label: "crypto/tls", Evicts: true, start: serveStdTLS,
		How: "`tls.Conn` of go1.26, a goroutine a connection with a buffer of 256 bytes, `SetReadDeadline` before each Read"},
	{Name: "nbio-tls", Label: "nbio v1.6.8", Evicts: true, start: serveNbioTLS,
		How: "its fork of crypto/tls of go1.16 (llib v1.2.2), 2 pollers, handshakes on them"},
}

// Those with which others are compared.
const (
	OursTLS = "stormwheel-tls"
	StdTLS  = "std-tls"
)

func serveStormwheelTLS(t *Serve) (string, error) {
	own, err := selfsigned.New(24*time.Hour, "localhost")
	if err != nil {
		return "", err
	}
	s, err := server.New(server.Config{Listen: t.Listen, Node: t.Node, Loops: t.Loops, TLS: &tls.Config{Certificates: []tls.Certificate{own}},
		Heartbeat: t.Heartbeat, Timeout: t.Timeout, Tick: t.Tick, AdmitRate: t.AdmitRate})
	if err != nil {
		return "", err
	}
	if err := s.Start(); err != nil {
		return "", err
	}
	return s.Addr(), nil
}

func serveStdTLS(t *Serve) (string, error) {
	own, err := selfsigned.New(24*time.Hour, "localhost")
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp4", t.Listen)
	if err != nil {
		return "", err
	}
	c := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				time.Sleep(10 * time.Millisecond) // out of descriptors: somebody will leave
				continue
			}
			go t.desk.attend(tls.Server(nc, c), t.Timeout)
		}
	}()
	return l.Addr().String(), nil
}

func serveNbioTLS(t *Serve) (string, error) {
	addr, err := bare.Concrete(t.Listen)
	if err != nil {
		return "", err
	}
	own, err := selfsigned.New(24*time.Hour, "localhost")
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		return "", err
	}
	cert, err := lltls.X509KeyPair(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		return "", err
	}
	logging.SetLevel(logging.LevelError)
	c := &nbtls.Config{Certificates: []lltls.Certificate{cert}, MinVersion: lltls.VersionTLS13}
	engine := nbio.NewEngine(nbio.Config{Network: "tcp4", Addrs: []string{addr}, NPoller: t.Loops})
	engine.OnOpen(nbtls.WrapOpen(c, false, func(c *nbio.Conn, _ *nbtls.Conn) { _ = c.SetReadDeadline(time.Now().Add(t.Timeout)) }))
	engine.OnData(nbtls.WrapData(func(c *nbio.Conn, secure *nbtls.Conn, data []byte) {
		_ = c.SetReadDeadline(time.Now().Add(t.Timeout))
		if t.desk.message(data, func(out []byte) error { _, err := secure.Write(out); return err }) != nil {
			_ = c.Close()
		}
	}))
	if err := engine.Start(); err != nil {
		return "", err
	}
	return addr, nil
}
