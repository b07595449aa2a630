package hook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/internal/loopback"
	"github.com/stormwheel/stormwheel/messaging"
)

// Config says how a BackEnd is asked. The zero value of a field means its default.
type Config struct {
	// URL is where all calls are POSTed to, http or https. Needed.
	URL string

	// Node names the node in calls until Start does. Default: they have no name.
	Node string

	// Secrets sign each call, with each of them; receivers accept any. They have 24 bytes at least. Default:
	// none, and calls are not signed, of which Logger is warned beyond loopback.
	Secrets [][]byte

	// Timeout is how long the back end may take for an answer about a login or a policy, from 10 ms to 3 s;
	// beyond it the client is told to try later. Default 2 s. Events have 10 s.
	Timeout time.Duration

	// Calls bounds the calls under way about logins, and those about policies likewise; others wait for
	// a connection within their Timeout. Default 64.
	Calls int

	// Events are the kinds that the back end is told. Default: none, and it is not told either when the
	// node starts and stops.
	Events []messaging.EventKind

	// MaxQueued and MaxQueuedBytes bound the events that wait for the back end; beyond it the oldest
	// are dropped, counted, and told to be missing. Default 16,384 and 16 MiB.
	MaxQueued      int
	MaxQueuedBytes int

	// Logger gets what operators need to know. Default: nothing is logged.
	Logger *slog.Logger
}

// MinSecret is the shortest secret that signs, in bytes.
const MinSecret = 24

// DefaultTimeout and MaxTimeout are those of Config.Timeout.
const (
	DefaultTimeout = 2 * time.Second
	MaxTimeout     = 3 * time.Second
)

// DefaultCalls is that of Config.Calls.
const DefaultCalls = 64

func (c Config) withDefaults() Config {
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.Calls, DefaultCalls)
	setDefault(&c.MaxQueued, 16384)
	setDefault(&c.MaxQueuedBytes, 16<<20)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate says in one sentence which field makes no sense.
func (c Config) Validate() error {
	if _, err := readURL(c.URL); err != nil {
		return err
	}
	c = c.withDefaults()
	switch {
	case c.Timeout < 10*time.Millisecond || c.Timeout > MaxTimeout:
		return fmt.Errorf("hook: Timeout must be within 10ms and %v, not %v", MaxTimeout, c.Timeout)
	case c.Calls < 1:
		return errors.New("hook: Calls must be positive")
	case c.MaxQueued < 1 || c.MaxQueuedBytes < 1:
		return errors.New("hook: MaxQueued and MaxQueuedBytes must be positive")
	}
	return checkSecrets(c.Secrets)
}

func checkSecrets(secrets [][]byte) error {
	if slices.ContainsFunc(secrets, func(s []byte) bool { return len(s) < MinSecret }) {
		return ErrSecret
	}
	return nil
}

// readURL says what is wrong with a URL. It does not repeat one that may have a password in it.
func readURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		var wrong *url.Error
		if errors.As(err, &wrong) {
			err = wrong.Err
		}
		return nil, fmt.Errorf("hook: the URL cannot be read: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("hook: the URL must be one as in https://app.example/hook")
	case u.User != nil:
		return nil, errors.New("hook: the URL must have no user and password; calls are signed")
	case u.Fragment != "":
		return nil, errors.New("hook: the URL must have no #fragment")
	}
	return u, nil
}

// warn tells the log what may be read or forged on the way.
func (c *Config) warn(u *url.URL) {
	if loopback.Host(u.Host) { // calls stay on this machine
		return
	}
	if u.Scheme == "http" {
		c.Logger.Warn("the back end is asked by http:// beyond this machine: who is on the way reads tokens and messages, and can let clients in", "host", u.Host)
	}
	if len(c.Secrets) == 0 {
		c.Logger.Warn("calls to the back end are not signed: it cannot tell them from those of others", "host", u.Host)
	}
}
