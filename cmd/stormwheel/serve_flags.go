package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/codec"
)

// Validate keeps an explicit zero from meaning the default, and names to one word.
func (c *serveCmd) Validate() error {
	for _, f := range []struct {
		name string
		bad  bool
	}{
		{"--heartbeat", c.Heartbeat <= 0}, {"--timeout", c.Timeout != nil && *c.Timeout <= 0}, {"--tick", c.Tick <= 0},
		{"--max-window", c.MaxWindow <= 0}, {"--addr-conns", c.AddrConns < 0}, {"--loops", c.Loops < 0}, {"--max-conns", c.MaxConns < 0},
		{"--max-queued", c.MaxQueued <= 0}, {"--drain-window", c.DrainWindow <= 0}, {"--every", c.Every <= 0},
	} {
		if f.bad {
			return fmt.Errorf("%s must be positive", f.name)
		}
	}
	switch {
	case c.MaxFrameRate == 0:
		return errors.New("--max-frame-rate must not be 0; negative is no limit")
	case c.MaxByteRate == 0:
		return errors.New("--max-byte-rate must not be 0; negative is no limit")
	case c.DrainGrace < 0:
		return errors.New("--drain-grace must not be negative")
	case c.Publish > 0 && c.Publish < payload.HeaderLen || c.Publish > codec.MaxBody:
		return fmt.Errorf("--publish must be within %d and %d bytes, not %v", payload.HeaderLen, codec.MaxBody, c.Publish)
	}
	for _, f := range []struct {
		name string
		bad  bool
	}{
		{"--admit-rate", !(c.AdmitRate > 0) || math.IsInf(c.AdmitRate, 1)},
		{"--failover-rate", !(c.FailoverRate >= 0) || math.IsInf(c.FailoverRate, 1)},
		{"--addr-rate", !(c.AddrRate >= 0) || math.IsInf(c.AddrRate, 1)},
	} {
		if f.bad {
			return fmt.Errorf("%s must be finite and positive", f.name)
		}
	}
	if err := c.checkName(c.Node); err != nil {
		return err
	}
	// Names end up in the ready line, which has a blank between its words.
	for flag, values := range map[string][]string{"--node": {c.Node}, "--alternates": c.Alternates} {
		for _, v := range values {
			if err := oneWord(flag, v); err != nil {
				return err
			}
		}
	}
	for _, text := range c.Listen {
		if _, _, err := listenerOf(text); err != nil {
			return err
		}
	}
	if err := c.messageFlags.check(c); err != nil {
		return err
	}
	if err := c.hookFlags.check(c); err != nil {
		return err
	}
	if err := c.tlsFlags.check(); err != nil {
		return err
	}
	if err := c.clusterFlags.check(c); err != nil {
		return err
	}
	if err := c.checkIdle(); err != nil {
		return err
	}
	if c.Admin != "" {
		if err := bindable("--admin", c.Admin); err != nil {
			return err
		}
	}
	return dialable("--alternates", c.Alternates)
}

// oneWord keeps a word of the ready line to one.
func oneWord(flag, v string) error {
	if strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == unicode.ReplacementChar }) {
		return fmt.Errorf("%s: %q has blanks or what cannot be printed", flag, v)
	}
	return nil
}

// asFlags words an error of server.New with the names of the flags.
func asFlags(err error) error {
	text := strings.TrimPrefix(err.Error(), "server: ")
	for _, f := range [...][2]string{{"Heartbeat", "--heartbeat"}, {"KeepAlive", "--tcp-keepalive"}, {"UserTimeout", "--tcp-user-timeout"}, {"Timeout", "--timeout"}, {"Tick", "--tick"},
		{"Listeners", "--listen"}, {"the listener ", "--listen "}, {"TrustedProxies", "--trusted-proxies"}, {"TrustPeers", "trusted=unix"}, {"ProxyProtocol", "--proxy"},
		{"Transports", "--transports"}, {"needs TLS", "needs --tls-cert and --tls-key"}, {"TLS is set", "--tls-cert is set"}, {"WebSocket.Path", "--ws-path"}, {"WebSocket.Origins", "--ws-origins"},
		{"HandshakeRate", "--handshake-rate"}, {"MaxTLS12", "--max-tls12"}, {"Loops", "--loops"}, {"MaxConns", "--max-conns"}, {"AdmitRate", "--admit-rate"},
		{"FailoverRate", "--failover-rate"}, {"MaxWindow", "--max-window"}, {"Alternates", "--alternates"}, {"DrainWindow", "--drain-window"},
		{"MaxFrameRate", "--max-frame-rate"}, {"MaxByteRate", "--max-byte-rate"},
		{"MaxQueuedTotal", "--max-queued-total"}, {"MaxQueued", "--max-queued"}, {"MemoryLimit", "--memory-limit"},
		{"alternate ", "--alternates: "}, {"Node", "--node"}} {
		text = strings.ReplaceAll(text, f[0], f[1])
	}
	return errors.New(text)
}

// graceOf says "none" in the words of server.Config, where zero means the default.
func graceOf(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}
