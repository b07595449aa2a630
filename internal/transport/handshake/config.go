package handshake

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/tls"
	"errors"
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
	room  room
	terms []*terms // of NewConfig's configuration, and of Add's

	mu      sync.Mutex
	secrets [][]byte // guarded by mu: of the tickets; the first seals
	random  []byte   // of this process: the secret of a node that has none

	maxOlder int64 // connections of TLS 1.2
	older    atomic.Int64

	counters
}

// Counters are what became of a node's handshakes.
type Counters struct {
	Full, Resumed uint64 // that ended well
	Failed        uint64
	GivenUp       uint64 // of Failed: too many waited for their peers
	Waiting       int    // now, for their peers
	Older         int    // connections of TLS 1.2, now, from their ClientHello on

	// Expires is when the first does of Certificates, or of what GetCertificate gave last.
	Expires time.Time
}

type counters struct {
	full, resumed, failed, givenUp atomic.Uint64
}

// NewConfig returns the handshakes of a configuration, which it copies. Tickets are sealed under
// keys made of the first secret and the day, and those of all secrets are taken: so nodes that share
// them take each other's, and their own of an earlier run. None: one of this process. Keys that
// were set in the configuration are not used; WrapSession and UnwrapSession are. nil: there are those of
// Add alone.
func NewConfig(c *tls.Config, secrets ...[]byte) (*Config, error) {
	n := &Config{random: make([]byte, 32)}
	_, _ = rand.Read(n.random) // it does not fail
	n.room.max, n.room.maxBytes = maxWaiting, maxWaitingBytes
	n.SetSecrets(secrets...)
	if c == nil {
		n.terms = append(n.terms, newTerms(0, new(tls.Config))) // which nobody is shown
		return n, nil
	}
	if _, err := n.Add(c); err != nil {
		return nil, err
	}
	return n, nil
}

// Add has the node have another configuration, for Peer.Terms; that of NewConfig is number 0. Its tickets
// are no other one's: what one configuration asks of a peer another may not. So nodes that are to take each
// other's have their configurations in the same order. It is for before the first handshake.
func (n *Config) Add(c *tls.Config) (number int, err error) {
	if err := Check(c); err != nil {
		return 0, err
	}
	if len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
		return 0, ErrCertificate
	}
	number = len(n.terms)
	n.terms = append(n.terms, newTerms(number, c))
	return number, nil
}

// SetSecrets has tickets be sealed under the first of other secrets, and those of the others taken; those
// of secrets that are there no more are not. What goes on is not changed.
func (n *Config) SetSecrets(secrets ...[]byte) {
	if len(secrets) == 0 {
		secrets = [][]byte{n.random}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.secrets = secrets
	for _, t := range n.terms {
		t.day = never
	}
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

// Counters tells what became of the handshakes.
func (n *Config) Counters() Counters {
	c := Counters{Full: n.full.Load(), Resumed: n.resumed.Load(), Failed: n.failed.Load(), GivenUp: n.givenUp.Load(), Waiting: n.room.len(), Older: int(n.older.Load())}
	for _, t := range n.terms {
		if at := t.expires.Load(); at != 0 && (c.Expires.IsZero() || at < c.Expires.Unix()) {
			c.Expires = time.Unix(at, 0)
		}
	}
	return c
}

// MayBegin says whether there is room for another handshake: whoever does the work of stages asks
// before what is Fresh.
func (n *Config) MayBegin() bool { return n.room.mayBegin(time.Now()) }
