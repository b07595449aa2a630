package web

import (
	"cmp"
	"log/slog"
	"time"
)

// Config says how New's handler behaves. The zero value of a field means its default.
type Config struct {
	// Tokens admit who shows one of them, as in "Authorization: Bearer TOKEN"; make them long, and of chance. None:
	// who asks from this machine by localhost or a loopback address is answered, and nobody else.
	Tokens [][]byte

	// MaxRequests bounds the requests that are answered at a time, those that wait for an outcome included;
	// beyond it the answer is 503. Default 128; negative: no bound.
	MaxRequests int

	// MaxKeys bounds the idempotency keys that are remembered, and KeyLife is how long each is, from its outcome
	// on. The oldest goes first; one takes some 400 bytes. They are lost with the process.
	// Default 16,384 and 24 h.
	MaxKeys int
	KeyLife time.Duration

	// Logger gets what operators need to know. Default: nothing is logged.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.MaxRequests = cmp.Or(c.MaxRequests, 128)
	if c.MaxKeys <= 0 {
		c.MaxKeys = 16_384
	}
	if c.KeyLife <= 0 {
		c.KeyLife = 24 * time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
