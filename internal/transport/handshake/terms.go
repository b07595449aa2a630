package handshake

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync/atomic"
	"time"
)

// terms are one configuration of a node, that of a listener.
type terms struct {
	number  int
	expires atomic.Int64 // of its certificate, in seconds since 1970; 0: nobody knows

	// Guarded by the Config's mu.
	tls *tls.Config // with the ticket keys of the day
	day int64
}

// never is a day for which there are no ticket keys.
const never = -1

func newTerms(number int, c *tls.Config) *terms {
	t := &terms{number: number, tls: c.Clone(), day: never}
	for i := range c.Certificates {
		t.noteExpiry(&c.Certificates[i])
	}
	return t
}

// noteExpiry takes a certificate into account that is there from the beginning.
func (t *terms) noteExpiry(c *tls.Certificate) {
	leaf := c.Leaf
	if leaf == nil && len(c.Certificate) > 0 {
		leaf, _ = x509.ParseCertificate(c.Certificate[0]) // a bad one fails the handshakes
	}
	if leaf == nil {
		return
	}
	if at := t.expires.Load(); at == 0 || leaf.NotAfter.Unix() < at {
		t.expires.Store(leaf.NotAfter.Unix())
	}
}

// noteShown takes the certificates into account that a configuration gives.
func (t *terms) noteShown(c *tls.Config) {
	get := c.GetCertificate
	if get == nil {
		return
	}
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		own, err := get(hello)
		if own != nil && own.Leaf != nil {
			t.expires.Store(own.Leaf.NotAfter.Unix())
		}
		return own, err
	}
}

// today is the configuration with the ticket keys of the day.
func (n *Config) today(t *terms) *tls.Config {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now
	if t.tls.Time != nil {
		now = t.tls.Time
	}
	if day := now().Unix() / (24 * 60 * 60); day != t.day {
		t.day = day
		var keys [][32]byte
		for _, secret := range n.secrets { // yesterday's are taken, and tomorrow's, of a node whose clock is ahead
			keys = append(keys, t.ticketKey(secret, day), t.ticketKey(secret, day-1), t.ticketKey(secret, day+1))
		}
		t.tls.SetSessionTicketKeys(keys)
	}
	return t.tls
}

func (t *terms) ticketKey(secret []byte, day int64) (key [32]byte) {
	info := fmt.Sprintf("stormwheel tls ticket %d", day)
	if t.number > 0 {
		info = fmt.Sprintf("%s terms %d", info, t.number)
	}
	b, err := hkdf.Key(sha256.New, secret, nil, info, len(key))
	if err != nil {
		panic("handshake: " + err.Error()) // only if it were longer than 255 hashes
	}
	copy(key[:], b)
	return key
}

// server makes the server's side of a handshake.
func (n *Config) server(h *handshake, t *terms) (*tls.Conn, error) {
	c, s := n.today(t).Clone(), &h.secrets
	s.also = c.KeyLogWriter
	c.KeyLogWriter = s
	t.noteShown(c)
	configured, get := c.MinVersion, c.GetConfigForClient
	c.MinVersion = tls.VersionTLS13
	if get == nil && n.maxOlder == 0 {
		return tls.Server(&h.wire, c), nil
	}
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (own *tls.Config, err error) {
		if get != nil {
			if own, err = get(hello); err != nil {
				return nil, err
			}
		}
		if own == nil {
			oldest := n.minVersion(configured, h, hello)
			if oldest == tls.VersionTLS13 {
				return nil, nil
			}
			own = c.Clone()
			own.MinVersion = oldest
			return own, nil
		}
		own = own.Clone()
		own.MinVersion, own.MaxVersion = n.minVersion(own.MinVersion, h, hello), 0
		s.also = own.KeyLogWriter
		own.KeyLogWriter = s
		t.noteShown(own)
		return own, nil
	}
	return tls.Server(&h.wire, c), nil
}
