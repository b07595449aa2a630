package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync/atomic"
	"time"
)

// KeyPair is a certificate with its key, of files that may be replaced while a node runs: its
// GetCertificate is for Config.TLS. Any goroutine may use it.
type KeyPair struct {
	certFile, keyFile string
	present           atomic.Pointer[tls.Certificate]
}

// LoadKeyPair reads a certificate, with those that vouch for it behind it, and its key, in PEM.
func LoadKeyPair(certFile, keyFile string) (*KeyPair, error) {
	k := &KeyPair{certFile: certFile, keyFile: keyFile}
	return k, k.Reload()
}

// Reload reads the files again, for handshakes that begin from then on. If they cannot be read, or
// are not a pair, what was read before stays.
func (k *KeyPair) Reload() error {
	c, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return fmt.Errorf("server: certificate %s: %w", k.certFile, err)
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return fmt.Errorf("server: certificate %s: %w", k.certFile, err)
		}
	}
	k.present.Store(&c)
	return nil
}

// GetCertificate is tls.Config's.
func (k *KeyPair) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return k.present.Load(), nil
}

// Expires is when the certificate does.
func (k *KeyPair) Expires() time.Time { return k.present.Load().Leaf.NotAfter }
