package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/server"
)

// tlsFlags are the flags of serve that say which certificates a node has.
type tlsFlags struct {
	TLSCert       []string `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificates for TLS 1.3, PEM, each with those that vouch for it behind it; of several the first that fits the name that a client asks for. Read again on SIGHUP and when the file changes. Default: no TLS."`
	TLSKey        []string `name:"tls-key" type:"path" placeholder:"FILE" help:"Their keys, PEM, in the same order."`
	TLSClientCA   string   `name:"tls-client-ca" type:"path" placeholder:"FILE" help:"Let in only clients with a certificate of these authorities, PEM. Default: everybody."`
	TLSSelfSigned bool     `name:"tls-self-signed" help:"For trials: a certificate that nobody vouches for, made at the start."`
}

func (f *tlsFlags) any() bool { return len(f.TLSCert) > 0 || f.TLSSelfSigned }

func (f *tlsFlags) check() error {
	switch {
	case len(f.TLSCert) != len(f.TLSKey):
		return errors.New("--tls-cert and --tls-key go together, as many of the one as of the other")
	case f.TLSSelfSigned && len(f.TLSCert) > 0:
		return errors.New("--tls-self-signed and --tls-cert exclude each other")
	case f.TLSClientCA != "" && !f.any():
		return errors.New("--tls-client-ca needs --tls-cert")
	}
	return nil
}

// config is what they say; nil: no TLS. The certificates are those of files.
func (f *tlsFlags) config(listen []string) (*tls.Config, *certificates, error) {
	if !f.any() {
		return nil, nil, nil
	}
	c, files := new(tls.Config), new(certificates)
	if f.TLSSelfSigned {
		own, err := selfsigned.New(365*24*time.Hour, selfNames(listen)...)
		if err != nil {
			return nil, nil, err
		}
		c.Certificates = []tls.Certificate{own}
	}
	for i := range f.TLSCert {
		if err := files.load(f.TLSCert[i], f.TLSKey[i]); err != nil {
			return nil, nil, err
		}
		c.GetCertificate = files.get
	}
	if f.TLSClientCA != "" {
		pool, err := authorities("--tls-client-ca", f.TLSClientCA)
		if err != nil {
			return nil, nil, err
		}
		c.ClientCAs, c.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return c, files, nil
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

// selfNames are the hosts of a node that has no name.
func selfNames(listen []string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	for _, text := range listen {
		if l, err := listenerOf(text); err == nil {
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

// certificates are those of files, read again when these change.
type certificates struct {
	pairs   []*server.KeyPair
	files   [][2]string
	changed [][2]time.Time // when they had changed as of the last look
	warned  time.Time      // that one expires
}

func (c *certificates) load(cert, key string) error {
	pair, err := server.LoadKeyPair(cert, key)
	if err != nil {
		return err
	}
	c.pairs, c.files = append(c.pairs, pair), append(c.files, [2]string{cert, key})
	c.changed = append(c.changed, changedAt(c.files[len(c.files)-1]))
	return nil
}

// get is tls.Config's GetCertificate.
func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, pair := range c.pairs {
		own, err := pair.GetCertificate(hello)
		if err != nil || hello.SupportsCertificate(own) == nil {
			return own, err
		}
	}
	return c.pairs[0].GetCertificate(hello)
}

// changedAt is of each by itself: the later of two files to come may be the older.
func changedAt(files [2]string) (at [2]time.Time) {
	for i, f := range files {
		if info, err := os.Stat(f); err == nil {
			at[i] = info.ModTime()
		}
	}
	return at
}

const (
	lookAtFiles  = 10 * time.Second
	expiresSoon  = 14 * 24 * time.Hour
	remindExpiry = 24 * time.Hour
)

// watch reads certificates again when their files change and whenever it is told to, until again is
// closed. What cannot be read leaves the old one in place.
func (c *certificates) watch(log *slog.Logger, again <-chan os.Signal, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	c.remind(log)
	for {
		asked := false
		select {
		case _, asked = <-again:
			if !asked {
				return
			}
		case <-ticker.C:
		}
		c.reread(log, asked)
		c.remind(log)
	}
}

// reread reads those again whose files have changed, or all.
func (c *certificates) reread(log *slog.Logger, all bool) {
	for i, pair := range c.pairs {
		changed := changedAt(c.files[i])
		if !all && changed == c.changed[i] {
			continue
		}
		c.changed[i] = changed
		if err := pair.Reload(); err != nil {
			log.Error("a certificate cannot be read; the old one stays", "file", c.files[i][0], "err", err)
			continue
		}
		log.Info("a certificate was read again", "file", c.files[i][0], "expires", pair.Expires())
	}
}

// remind warns of certificates that expire, once a day.
func (c *certificates) remind(log *slog.Logger) {
	now := time.Now()
	if now.Sub(c.warned) < remindExpiry {
		return
	}
	for i, pair := range c.pairs {
		if pair.Expires().Sub(now) < expiresSoon {
			c.warned = now
			log.Warn("a certificate expires", "file", c.files[i][0], "expires", pair.Expires())
		}
	}
}

// follow has the files read again at each SIGHUP, and when they change, until stop is called. Without
// certificates, or with one that was made here, there are none.
func (c *certificates) follow(log *slog.Logger) (stop func()) {
	if c == nil || len(c.pairs) == 0 {
		return func() {}
	}
	again, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(again, syscall.SIGHUP)
	go func() {
		defer close(ended)
		c.watch(log, again, lookAtFiles)
	}()
	return func() {
		signal.Stop(again)
		close(again)
		<-ended
	}
}
