package natsbus

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// routeName is whom all certificates of a secret are made out to.
const routeName = "stormwheel-cluster"

// Certificates of a secret are good as long as it is: whoever has it could make others.
var (
	goodFrom  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	goodUntil = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// secretTLS is mutual TLS 1.3 between those who have a secret. Its authority follows from the secret, so each
// node makes itself a certificate, and the secret never leaves it. All secrets are believed; the first is shown.
func secretTLS(secrets [][]byte) (*tls.Config, error) {
	pool := x509.NewCertPool()
	var own tls.Certificate
	for i, secret := range secrets {
		authority, key, err := authorityOf(secret)
		if err != nil {
			return nil, err
		}
		pool.AddCert(authority)
		if i == 0 {
			if own, err = certificateOf(authority, key); err != nil {
				return nil, err
			}
		}
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own}, RootCAs: pool, ClientCAs: pool, ServerName: routeName,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}, nil
}

// authorityOf is the same certificate and key for the same secret.
func authorityOf(secret []byte) (*x509.Certificate, ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, secret, nil, "stormwheel cluster routes", ed25519.SeedSize)
	if err != nil {
		return nil, nil, err
	}
	key := ed25519.NewKeyFromSeed(seed)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: routeName},
		NotBefore: goodFrom, NotAfter: goodUntil,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

// certificateOf is a new one of an authority.
func certificateOf(authority *x509.Certificate, by ed25519.PrivateKey) (tls.Certificate, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: number.Add(number, big.NewInt(2)), Subject: pkix.Name{CommonName: routeName}, DNSNames: []string{routeName},
		NotBefore: goodFrom, NotAfter: goodUntil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, public, by)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
