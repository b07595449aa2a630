package link

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Never is the deadline of a link that waits for nothing.
const Never = time.Duration(math.MaxInt64)

// Policy chooses the waits between attempts. All but Window ignore the window that the
// server announced in advance; they are here to be compared with it. A delay or window
// in a GOAWAY is an order and holds under every policy.
type Policy uint8

const (
	Window       Policy = iota // first U(0, the server's window), then drawOutage
	Full                       // U(0, v), v doubling from BackoffMin to BackoffMax
	Equal                      // v/2 + U(0, v/2)
	Decorrelated               // U(BackoffMin, 3 x the wait before), at most BackoffMax
	Fixed                      // BackoffMin, without jitter
	Exponential                // v, without jitter
)

var policyNames = [...]string{"window", "full", "equal", "decorrelated", "fixed", "exponential"}

// String returns the name that ParsePolicy reads.
func (p Policy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return fmt.Sprintf("policy %d", uint8(p))
}

// ParsePolicy reads the name of a policy.
func ParsePolicy(name string) (Policy, error) {
	for i, n := range policyNames {
		if n == name {
			return Policy(i), nil
		}
	}
	return 0, fmt.Errorf("unknown policy %q", name)
}

// Config is shared by any number of links, which only read it. Call Fill and Validate
// before the first Init; zero means the default.
type Config struct {
	// ID is the client id of the link with that number, for HELLO. Links that share a
	// configuration do not keep their ids, but make them when they connect. Default: the
	// number in decimal.
	ID func(number uint64) string

	// Incarnation is a random number that no other configuration had or will have: with a
	// link's number it makes the incarnation that the link tells in HELLO. It is never stored.
	Incarnation uint64

	// Endpoints are where to connect, "host:port" or "unix:path". One is chosen at random. Servers may
	// name alternates, which are kept apart.
	Endpoints []string

	// IgnoreAlternates keeps to the endpoints, whatever servers name.
	IgnoreAlternates bool

	Policy Policy

	// Interval is the longest silence before a PING. Default 0: what the server says.
	// A server that asks for patience, since it is late, and for a longer one gets that.
	// It is cut to four fifths of the server's timeout.
	Interval time.Duration

	PongTimeout    time.Duration // silence after a PING that means death, if the server asks for no longer one; default 10s
	ConnectTimeout time.Duration // the first for each of resolving and connecting; default 5s
	WelcomeTimeout time.Duration // the first from HELLO to WELCOME; default 5s; see patience

	BackoffMin  time.Duration // first step of the backoff; default 500ms
	BackoffMax  time.Duration // the longest wait that no server ordered; default 60s
	StableAfter time.Duration // age at which a session ends the backoff; default 1min

	// MaxPayload limits the payload of every frame in both directions, in bytes; default
	// codec.MaxPayload.
	MaxPayload int

	// AtMostOnce sends nothing again: what its connection took along is given up, with ErrLost.
	AtMostOnce bool

	// NeverGiveUp has no code end the link: what would is then one address's word, as every other
	// code from 3500 is, and a token that has ended a refusal to come back from.
	NeverGiveUp bool

	// FreshTokens says that the owner gets a new token for every Connected. Without it
	// the code "token_expired" stops the link: the same token would be refused again.
	FreshTokens bool
}

// Fill replaces zeros by the defaults.
func (c *Config) Fill() {
	if c.ID == nil {
		c.ID = func(number uint64) string { return strconv.FormatUint(number, 10) }
	}
	setDefault(&c.PongTimeout, 10*time.Second)
	setDefault(&c.ConnectTimeout, 5*time.Second)
	setDefault(&c.WelcomeTimeout, 5*time.Second)
	setDefault(&c.BackoffMin, 500*time.Millisecond)
	setDefault(&c.BackoffMax, time.Minute)
	setDefault(&c.StableAfter, time.Minute)
	setDefault(&c.MaxPayload, codec.MaxPayload)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate returns one sentence about the first field that can't work.
func (c *Config) Validate() error {
	if len(c.Endpoints) == 0 {
		return errors.New("Endpoints is empty")
	}
	for _, e := range c.Endpoints {
		if !validAddress(e) && !validUnix(e) {
			return fmt.Errorf("Endpoints: %q is neither host:port nor unix:path", e)
		}
	}
	if int(c.Policy) >= len(policyNames) {
		return fmt.Errorf("Policy: %d is unknown", c.Policy)
	}
	if c.Interval < 0 || c.Interval > 0 && c.Interval < minInterval {
		return fmt.Errorf("Interval: %v is below %v", c.Interval, minInterval)
	}
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"PongTimeout", c.PongTimeout}, {"ConnectTimeout", c.ConnectTimeout},
		{"WelcomeTimeout", c.WelcomeTimeout}, {"BackoffMin", c.BackoffMin},
		{"BackoffMax", c.BackoffMax}, {"StableAfter", c.StableAfter},
	} {
		if f.value <= 0 || f.value > maxWait {
			return fmt.Errorf("%s: %v is not within (0, %v]", f.name, f.value, maxWait)
		}
	}
	if c.BackoffMin > c.BackoffMax {
		return fmt.Errorf("BackoffMin: %v is above BackoffMax %v", c.BackoffMin, c.BackoffMax)
	}
	if c.MaxPayload < codec.MaxPayloadBeforeAuth || c.MaxPayload > math.MaxInt32 {
		return fmt.Errorf("MaxPayload: %d is not within [%d, %d]", c.MaxPayload, codec.MaxPayloadBeforeAuth, math.MaxInt32)
	}
	return nil
}

// validUnix says whether an endpoint can be a unix socket. What a server names never is: it knows
// nothing of the files of this machine.
func validUnix(endpoint string) bool {
	path, is := strings.CutPrefix(endpoint, "unix:")
	return is && path != "" && len(path) < maxUnixPath && !strings.Contains(path, "\x00")
}

// maxUnixPath is the room for the path of a socket, and its end, on Linux.
const maxUnixPath = 108

func validAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || len(host) > 253 {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
