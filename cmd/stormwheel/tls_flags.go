package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/server"
)

// tlsFlags are the flags of serve that say which certificates a node has.
type tlsFlags struct {
	TLSCert       []string `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificates for TLS 1.3, PEM, each with those that vouch for it behind it; of several the first that fits the name that a client asks for. Read again on SIGHUP and when the file changes. Default: no TLS."`
	TLSKey        []string `name:"tls-key" type:"path" placeholder:"FILE" help:"Their keys, PEM, in the same order."`
	TLSClientCA   string   `name:"tls-client-ca" type:"path" placeholder:"FILE" help:"Let in only clients with a certificate of these authorities, PEM. Read again as certificates are. Default: everybody."`
	TLSMin        string   `name:"tls-min" default:"1.3" enum:"1.2,1.3" help:"Oldest version, 1.3 or 1.2; connections of 1.2 cost 7 KB each. Default ${default}."`
	MaxTLS12      int      `name:"max-tls12" env:"STORMWHEEL_MAX_TLS12" default:"1000" placeholder:"N" help:"With --tls-min 1.2: most connections of TLS 1.2; beyond them there is 1.3 alone. Default ${default}."`
	HandshakeRate float64  `placeholder:"R" help:"Most TLS handshakes per second that begin, half a second's worth at once. Default: what the processors manage."`
	TLSSelfSigned bool     `name:"tls-self-signed" help:"For trials: a certificate that nobody vouches for, made at the start."`
}

func (f *tlsFlags) any() bool { return len(f.TLSCert) > 0 || f.TLSSelfSigned }

// fill sets what they say in a configuration, but for the certificates.
func (f *tlsFlags) fill(cfg *server.Config) {
	cfg.HandshakeRate = f.HandshakeRate
	if f.TLSMin == "1.2" {
		cfg.MaxTLS12 = f.MaxTLS12
	}
}

func (f *tlsFlags) check() error {
	switch {
	case f.MaxTLS12 < 1:
		return errors.New("--max-tls12 must be positive")
	case !(f.HandshakeRate >= 0) || math.IsInf(f.HandshakeRate, 1):
		return errors.New("--handshake-rate must be finite and positive")
	}
	own := tlsFiles{flag: "--", cert: f.TLSCert, key: f.TLSKey}
	if !f.TLSSelfSigned {
		own.clientCA = f.TLSClientCA
	} else if len(f.TLSCert) > 0 {
		return errors.New("--tls-self-signed and --tls-cert exclude each other")
	}
	return own.check()
}

// config is what they say; nil: no TLS. Its files are among those that are read again.
func (f *tlsFlags) config(listen []string, files *certificates) (c *tls.Config, err error) {
	if !f.any() {
		return nil, nil
	}
	own := tlsFiles{flag: "--", cert: f.TLSCert, key: f.TLSKey, clientCA: f.TLSClientCA}
	if c, err = own.config(files); err != nil || !f.TLSSelfSigned {
		return c, err
	}
	made, err := selfsigned.New(365*24*time.Hour, selfNames(listen)...)
	c.Certificates = []tls.Certificate{made}
	return c, err
}

// tlsFiles are those of a node, or of one of its listeners.
type tlsFiles struct {
	flag      string // what comes before tls-cert and the like
	cert, key []string
	clientCA  string
}

func (f *tlsFiles) check() error {
	switch {
	case len(f.cert) != len(f.key):
		return fmt.Errorf("%stls-cert and %stls-key go together, as many of the one as of the other", f.flag, f.flag)
	case f.clientCA != "" && len(f.cert) == 0:
		return fmt.Errorf("%stls-client-ca needs %stls-cert", f.flag, f.flag)
	}
	return nil
}

// config is a configuration of theirs.
func (f *tlsFiles) config(files *certificates) (*tls.Config, error) {
	c := new(tls.Config)
	var pairs []*server.KeyPair
	for i := range f.cert {
		pair, err := files.load(f.cert[i], f.key[i])
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
		c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return fitting(pairs, hello) }
	}
	if f.clientCA != "" {
		if err := files.loadAuthorities(c, f.flag+"tls-client-ca", f.clientCA); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// fitting is the first certificate that fits what a client asks for, or the first of all.
func fitting(pairs []*server.KeyPair, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, pair := range pairs {
		own, err := pair.GetCertificate(hello)
		if err != nil || hello.SupportsCertificate(own) == nil {
			return own, err
		}
	}
	return pairs[0].GetCertificate(hello)
}

// selfNames are the hosts of a node that has no name.
func selfNames(listen []string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	for _, text := range listen {
		if l, _, err := listenerOf(text); err == nil {
			if host, _, err := net.SplitHostPort(l.Addr); err == nil && host != "" {
				names = append(names, host)
			}
		}
	}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	return names
}
