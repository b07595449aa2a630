package handshake

import (
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// What NewConfig and Check refuse.
var (
	ErrFIPS        = errors.New("fips140=only does not let the record layer of this program make its own AEADs: put a TLS proxy in front")
	ErrVersion     = errors.New("this program speaks TLS 1.3: MaxVersion is below it")
	ErrCertificate = errors.New("no certificate: Certificates, GetCertificate or GetConfigForClient must be set")
)

// Config is what the handshakes of a node's server side have in common. Any goroutine may use it.
type Config struct {
	room    room
	secrets [][]byte // of the tickets; the first seals

	mu   sync.Mutex
	base *tls.Config // guarded by mu: with the ticket keys of the day
	day  int64       // guarded by mu

	counters
}

// Counters are what became of a node's handshakes.
type Counters struct {
	Full, Resumed uint64 // that ended well
	Failed        uint64
	GivenUp       uint64 // of Failed: too many waited for their peers
	Waiting       int    // now, for their peers

	// Expires is when the first of Certificates does, or the one that GetCertificate gave last.
	Expires time.Time
}

type counters struct {
	full, resumed, failed, givenUp atomic.Uint64
	expires                        atomic.Int64 // in seconds since 1970
}

// NewConfig returns the handshakes of a configuration, which it copies. Tickets are sealed under
// keys made of the first secret and the day, and those of all secrets are taken: so nodes that share
// them take each other's, and their own of an earlier run. None: one of this process. Keys that
// were set in the configuration are not used; WrapSession and UnwrapSession are.
func NewConfig(c *tls.Config, secrets ...[]byte) (*Config, error) {
	if err := Check(c); err != nil {
		return nil, err
	}
	if len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
		return nil, ErrCertificate
	}
	n := &Config{base: c.Clone(), day: -1, secrets: secrets}
	n.base.MinVersion = tls.VersionTLS13
	n.room.max, n.room.maxBytes = maxWaiting, maxWaitingBytes
	for i := range c.Certificates {
		n.noteExpiry(&c.Certificates[i])
	}
	if len(n.secrets) == 0 {
		n.secrets = [][]byte{make([]byte, 32)}
		_, _ = rand.Read(n.secrets[0]) // it does not fail
	}
	return n, nil
}

// Check says why neither side can use a configuration; nil: both can.
func Check(c *tls.Config) error {
	if fips140.Enforced() {
		return ErrFIPS
	}
	if c.MaxVersion != 0 && c.MaxVersion < tls.VersionTLS13 {
		return ErrVersion
	}
	return nil
}

// noteExpiry takes a certificate into account that is there from the beginning.
func (n *Config) noteExpiry(c *tls.Certificate) {
	leaf := c.Leaf
	if leaf == nil && len(c.Certificate) > 0 {
		leaf, _ = x509.ParseCertificate(c.Certificate[0]) // a bad one fails the handshakes
	}
	if leaf == nil {
		return
	}
	if at := n.expires.Load(); at == 0 || leaf.NotAfter.Unix() < at {
		n.expires.Store(leaf.NotAfter.Unix())
	}
}

// Counters tells what became of the handshakes.
func (n *Config) Counters() Counters {
	c := Counters{Full: n.full.Load(), Resumed: n.resumed.Load(), Failed: n.failed.Load(), GivenUp: n.givenUp.Load(), Waiting: n.room.len()}
	if at := n.expires.Load(); at != 0 {
		c.Expires = time.Unix(at, 0)
	}
	return c
}

// MayBegin says whether there is room for another handshake: whoever does the work of stages asks
// before what is Fresh.
func (n *Config) MayBegin() bool { return n.room.mayBegin(time.Now()) }

// today is the configuration with the ticket keys of the day.
func (n *Config) today() *tls.Config {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now
	if n.base.Time != nil {
		now = n.base.Time
	}
	if day := now().Unix() / (24 * 60 * 60); day != n.day {
		n.day = day
		var keys [][32]byte
		for _, secret := range n.secrets { // yesterday's are taken, and tomorrow's, of a node whose clock is ahead
			keys = append(keys, ticketKey(secret, day), ticketKey(secret, day-1), ticketKey(secret, day+1))
		}
		n.base.SetSessionTicketKeys(keys)
	}
	return n.base
}

func ticketKey(secret []byte, day int64) (key [32]byte) {
	b, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("stormwheel tls ticket %d", day), len(key))
	if err != nil {
		panic("handshake: " + err.Error()) // only if it were longer than 255 hashes
	}
	copy(key[:], b)
	return key
}

// server makes the server's side of a handshake.
func (n *Config) server(h *handshake) (*tls.Conn, error) {
	c, s := n.today().Clone(), &h.secrets
	s.also = c.KeyLogWriter
	c.KeyLogWriter = s
	if get := c.GetCertificate; get != nil {
		c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			own, err := get(hello)
			if own != nil && own.Leaf != nil {
				n.expires.Store(own.Leaf.NotAfter.Unix())
			}
			return own, err
		}
	}
	if get := c.GetConfigForClient; get != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			own, err := get(hello)
			if err != nil || own == nil {
				return nil, err
			}
			own = own.Clone()
			own.MinVersion, own.MaxVersion = tls.VersionTLS13, 0
			s.also = own.KeyLogWriter
			own.KeyLogWriter = s
			return own, nil
		}
	}
	return tls.Server(&h.wire, c), nil
}
