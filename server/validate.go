package server

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// validate returns one sentence that names the first field that makes no sense.
func (c Config) validate() error {
	for _, part := range []func() error{c.validateTimes, c.validateSizes, c.validateRates, c.validateCounts,
		c.validateListeners, c.validateBackstops, c.validateNames} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) validateTimes() error {
	positive := []struct {
		field string
		value time.Duration
	}{
		{"Heartbeat", c.Heartbeat}, {"Timeout", c.Timeout}, {"HelloTimeout", c.HelloTimeout},
		{"PartialTimeout", c.PartialTimeout}, {"WriteTimeout", c.WriteTimeout}, {"MaxWindow", c.MaxWindow},
		{"DrainWindow", c.DrainWindow},
		{"AuthTimeout", c.AuthTimeout},
	}
	for _, p := range positive {
		if p.value <= 0 {
			return fmt.Errorf("server: %s must be positive, not %v", p.field, p.value)
		}
	}
	switch {
	case c.Tick < time.Millisecond || c.Tick > 10*time.Second:
		return fmt.Errorf("server: Tick must be 1ms to 10s, not %v", c.Tick)
	case c.Timeout <= c.Heartbeat:
		return fmt.Errorf("server: Timeout (%v) must be longer than Heartbeat (%v), or every client dies", c.Timeout, c.Heartbeat)
	case c.Heartbeat < codec.MinInterval:
		return fmt.Errorf("server: Heartbeat must be at least %v, the shortest that clients keep to, not %v", codec.MinInterval, c.Heartbeat)
	case c.Timeout < codec.MinTimeout(c.Heartbeat):
		return fmt.Errorf("server: Timeout must be at least %v for clients that speak every %v, not %v", codec.MinTimeout(c.Heartbeat), c.Heartbeat, c.Timeout)
	case c.Timeout < 2*c.Tick:
		return fmt.Errorf("server: Timeout (%v) must be at least two ticks of %v", c.Timeout, c.Tick)
	case c.Timeout > reactor.MaxTimeoutTicks*c.Tick:
		return fmt.Errorf("server: Timeout (%v) must be at most %v, 2^24-2 ticks of %v", c.Timeout, reactor.MaxTimeoutTicks*c.Tick, c.Tick)
	}
	return nil
}

func (c *Config) validateSizes() error {
	switch {
	case c.MaxFrame < codec.MaxPayloadBeforeAuth || c.MaxFrame > 16<<20:
		return fmt.Errorf("server: MaxFrame must be %d to %d bytes, not %d", codec.MaxPayloadBeforeAuth, 16<<20, c.MaxFrame)
	case c.MaxQueued < c.MaxFrame+codec.Overhead:
		return fmt.Errorf("server: MaxQueued (%d) must hold a frame of MaxFrame, %d bytes", c.MaxQueued, c.MaxFrame+codec.Overhead)
	case c.MaxQueuedTotal > 0 && c.MaxQueuedTotal < int64(c.MaxQueued):
		return fmt.Errorf("server: MaxQueuedTotal must be at least MaxQueued (%d bytes), not %d", c.MaxQueued, c.MaxQueuedTotal)
	case c.SoftQueued > c.MaxQueued:
		return fmt.Errorf("server: SoftQueued must be at most MaxQueued (%d bytes), not %d", c.MaxQueued, c.SoftQueued)
	case c.UnsettledBytes > 0 && c.UnsettledBytes < c.MaxFrame || int64(c.UnsettledBytes) > math.MaxUint32:
		return fmt.Errorf("server: UnsettledBytes must hold a frame of MaxFrame, %d bytes, and be below 4 GiB, not %d", c.MaxFrame, c.UnsettledBytes)
	}
	return nil
}

func (c *Config) validateRates() error {
	switch {
	case c.MaxFrameRate > reactor.MaxRate || c.MaxByteRate > reactor.MaxRate:
		return fmt.Errorf("server: MaxFrameRate and MaxByteRate must be at most %d", reactor.MaxRate)
	case !(c.AdmitRate > 0 && c.AdmitRate <= math.MaxFloat64):
		return errors.New("server: AdmitRate must be finite and positive")
	case !(c.FailoverRate > 0 && c.FailoverRate <= math.MaxFloat64):
		return errors.New("server: FailoverRate must be finite and positive")
	case !(math.Abs(c.AddrRate) <= math.MaxFloat64) || !(math.Abs(c.IDRate) <= math.MaxFloat64):
		return errors.New("server: AddrRate and IDRate must be finite")
	case !(c.HandshakeRate >= 0 && c.HandshakeRate <= math.MaxFloat64):
		return errors.New("server: HandshakeRate must be finite and not negative")
	}
	return nil
}

func (c *Config) validateCounts() error {
	switch {
	case c.Loops < 1 || c.Loops > gate.MaxLoops:
		return fmt.Errorf("server: Loops must be 1 to %d, not %d", gate.MaxLoops, c.Loops)
	case c.MaxConns < 1:
		return fmt.Errorf("server: MaxConns must be positive, not %d", c.MaxConns)
	case c.MaxTLS12 < 0:
		return fmt.Errorf("server: MaxTLS12 must not be negative, as %d is", c.MaxTLS12)
	case c.Duplicates > Refuse:
		return fmt.Errorf("server: Duplicates must be StandBeside, Replace or Refuse, not %d", c.Duplicates)
	case c.MaxSameID < 1:
		return fmt.Errorf("server: MaxSameID must be positive, not %d", c.MaxSameID)
	case c.AuthWorkers < 1 || c.AuthQueue < 1:
		return errors.New("server: AuthWorkers and AuthQueue must be positive")
	case c.AddrConns < 0 || c.AddrRate < 0:
		return errors.New("server: AddrConns and AddrRate must not be negative")
	}
	return nil
}

// validateNames is of what is told to clients, and of what they are known by.
func (c *Config) validateNames() error {
	for i, secret := range c.ClusterSecrets {
		if len(secret) < MinSecret {
			return fmt.Errorf("server: ClusterSecrets[%d] has %d bytes, at least %d are needed", i, len(secret), MinSecret)
		}
	}
	for _, addr := range c.Alternates {
		if !isHostPort(addr) {
			return fmt.Errorf("server: alternate %q is not host:port", addr)
		}
	}
	if _, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Node: []byte(c.Node)}); err != nil {
		return fmt.Errorf("server: Node: %w", err)
	}
	if _, err := codec.AppendGoAway(nil, &codec.GoAwayMessage{Alternates: []byte(strings.Join(c.Alternates, ","))}); err != nil {
		return fmt.Errorf("server: Alternates: %w", err)
	}
	return nil
}
