package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// clientAuthorities are those of a file whose certificates clients must have. Any goroutine may use them, but
// for reload.
type clientAuthorities struct {
	flag, file string
	changed    time.Time // as of the last look
	present    atomic.Pointer[x509.CertPool]
}

// reload reads the file again, for handshakes that begin from then on. If it cannot be read, what was read
// before stays.
func (a *clientAuthorities) reload() error {
	pool, err := authorities(a.flag, a.file)
	if err != nil {
		return err
	}
	a.present.Store(pool)
	return nil
}

// require has a configuration let in only clients of the authorities that are there when they come, also of
// those that resume a session: crypto/tls looks again. All else of the configuration is set before the first
// handshake.
func (a *clientAuthorities) require(c *tls.Config) {
	c.ClientCAs, c.ClientAuth = a.present.Load(), tls.RequireAndVerifyClientCert
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		own := c.Clone()
		own.GetConfigForClient, own.ClientCAs = nil, a.present.Load()
		return own, nil
	}
}

// loadAuthorities reads a file for a configuration. It is among those that are read again.
func (c *certificates) loadAuthorities(of *tls.Config, flag, file string) error {
	a := &clientAuthorities{flag: flag, file: file, changed: changedAt(file)}
	if err := a.reload(); err != nil {
		return err
	}
	a.require(of)
	c.authorities = append(c.authorities, a)
	return nil
}

// authorities reads certificates, PEM, of the file that a flag names.
func authorities(flag, file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s has no certificate", flag, file)
	}
	return pool, nil
}
