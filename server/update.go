package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Tunable is what of a Config may change while the node runs. Its fields are those of Config, with
// the same meaning, defaults and bounds: zero means the default. All else is fixed at New.
type Tunable struct {
	Alternates   []string // as Config.Alternates
	FailoverRate float64  // as Config.FailoverRate
	AdmitRate    float64  // as Config.AdmitRate
	// HandshakeRate is as Config.HandshakeRate.
	HandshakeRate float64
	MaxWindow     time.Duration // as Config.MaxWindow

	// MaxConns is as Config.MaxConns. If more are connected they stay, and nobody comes in until
	// there are fewer.
	MaxConns int
	// AddrConns is as Config.AddrConns, but that sessions do not count which came while there was no
	// bound.
	AddrConns int
	AddrRate  float64 // as Config.AddrRate
	IDRate    float64 // as Config.IDRate

	MaxFrameRate   int // as Config.MaxFrameRate
	MaxByteRate    int // as Config.MaxByteRate
	UnsettledBytes int // as Config.UnsettledBytes

	// ClusterSecrets are as Config.ClusterSecrets. What was signed with one that is there no more is
	// not known any more; so are the tickets of TLS, which are sealed under the first from then on.
	ClusterSecrets [][]byte

	// DrainGrace and DrainWindow are as in Config. A drain that runs goes by them, too.
	DrainGrace, DrainWindow time.Duration

	// LogLevel is that of Config.LogLevel. It holds at once. Nil: there is none, or it stays as it is.
	LogLevel *slog.Level
}

// Update changes the node while it runs, or before it is started. change gets what holds now, with
// zero where MaxConns or FailoverRate have their defaults, and writes what shall hold instead; it must not call Update. One update runs
// at a time. The error is New's, and names the field; then nothing changes.
//
// Gates, rates and secrets hold from the next tick on. Limits that are looser hold at once, and
// alternates; both are told to all clients within half a heartbeat, without their asking, over a
// quarter of a heartbeat, so that they do not come together. Who has not applied a limit that is
// tighter is held to the old one: clients of this module apply it when they are told, and others are
// given their timeout to do so. Limits of a client's own grant (AuthGrant.Limits) stay. A new
// reconnect window is told with the next answer to a heartbeat. Clients add alternates to those that
// they know, and forget none but for newer ones.
//
// Updates may come at any rate: what comes while another is being told is told after it, and only the last is.
func (s *Server) Update(change func(*Tunable)) error {
	s.tuning.Lock()
	defer s.tuning.Unlock()
	t := s.tuned.Load().tunable()
	change(&t)
	next, err := newTuned(t.over(s.cfg))
	switch {
	case err != nil:
		return err
	case t.LogLevel != nil && s.cfg.LogLevel == nil:
		return errors.New("server: LogLevel cannot be changed, for Config.LogLevel was nil")
	case t.LogLevel != nil:
		s.cfg.LogLevel.Set(*t.LogLevel)
	}
	s.tuned.Store(next)
	return nil
}

// Tunable returns what Update would give to its function: what holds now, or from the next tick on.
// It is a copy.
func (s *Server) Tunable() Tunable { return s.tuned.Load().tunable() }

// tuned is a Config that holds, with what follows from it. It is never written.
type tuned struct {
	cfg     Config          // with defaults
	reactor *reactor.Config // the reactors' part of it
	alike   bool            // the nodes that would take over are like this one: nobody said what they can take
}

// newTuned fills and checks a Config. It copies the secrets: keys are made of them later, too, of tickets
// each day, and who gave them may have wiped them by then.
func newTuned(cfg Config) (*tuned, error) {
	t := &tuned{alike: cfg.FailoverRate == 0}
	t.cfg = cfg.withDefaults()
	t.cfg.Alternates, t.cfg.ClusterSecrets = slices.Clone(t.cfg.Alternates), cloneAll(t.cfg.ClusterSecrets)
	if err := t.cfg.validate(); err != nil {
		return nil, err
	}
	t.reactor = t.cfg.reactor()
	return t, nil
}

// tunable is the part that may change.
func (t *tuned) tunable() Tunable {
	c := &t.cfg
	u := Tunable{Alternates: c.Alternates, FailoverRate: c.FailoverRate, AdmitRate: c.AdmitRate, HandshakeRate: c.HandshakeRate, MaxWindow: c.MaxWindow,
		MaxConns: c.MaxConns, AddrConns: c.AddrConns, AddrRate: c.AddrRate, IDRate: c.IDRate,
		MaxFrameRate: c.MaxFrameRate, MaxByteRate: c.MaxByteRate, UnsettledBytes: c.UnsettledBytes,
		ClusterSecrets: c.ClusterSecrets, DrainGrace: c.DrainGrace, DrainWindow: c.DrainWindow}
	if t.alike {
		u.FailoverRate = 0
	}
	if u.MaxConns == math.MaxInt32 {
		u.MaxConns = 0
	}
	if c.LogLevel != nil {
		u.LogLevel = new(c.LogLevel.Level())
	}
	u.Alternates, u.ClusterSecrets = slices.Clone(u.Alternates), cloneAll(u.ClusterSecrets)
	return u
}

// over is c with what u says.
func (u Tunable) over(c Config) Config {
	c.Alternates, c.FailoverRate, c.AdmitRate, c.MaxWindow = u.Alternates, u.FailoverRate, u.AdmitRate, u.MaxWindow
	c.HandshakeRate = u.HandshakeRate
	c.MaxConns, c.AddrConns, c.AddrRate, c.IDRate = u.MaxConns, u.AddrConns, u.AddrRate, u.IDRate
	c.MaxFrameRate, c.MaxByteRate, c.UnsettledBytes = u.MaxFrameRate, u.MaxByteRate, u.UnsettledBytes
	c.ClusterSecrets, c.DrainGrace, c.DrainWindow = u.ClusterSecrets, u.DrainGrace, u.DrainWindow
	return c
}

// cloneAll copies secrets.
func cloneAll(secrets [][]byte) [][]byte {
	all := slices.Clone(secrets)
	for i, secret := range all {
		all[i] = bytes.Clone(secret)
	}
	return all
}

// tuneGates takes over what was updated. It is the ticker's.
func (s *Server) tuneGates(now time.Duration) {
	if t := s.tuned.Load(); t != s.gated {
		if s.tls != nil && !slices.EqualFunc(t.cfg.ClusterSecrets, s.gated.cfg.ClusterSecrets, bytes.Equal) {
			s.tls.SetSecrets(t.cfg.ClusterSecrets...)
		}
		s.gated = t
		s.node.Conns.SetMax(t.cfg.MaxConns)
		s.node.Tune(now, t.cfg.gate())
	}
	if s.gated != s.logged && now >= s.logAt {
		was := s.logged
		s.logged, s.logAt = s.gated, now+time.Second
		s.logUpdate(&was.cfg, &s.gated.cfg)
	}
}

// tune has the loop take over what was updated.
func (l *loop) tune() {
	t := l.srv.tuned.Load()
	if t == l.tuned {
		return
	}
	l.tuned = t
	l.app.alternates = t.cfg.Alternates
	l.reactor.Tune(t.reactor)
}

// logUpdate says what of was has changed, but for secrets, of which it says how many there are.
func (s *Server) logUpdate(was, c *Config) {
	before := append(settings(was), slog.String("log_level", s.level))
	s.level = lowestLevel(s.cfg.Logger)
	now := append(settings(c), slog.String("log_level", s.level))
	secrets := !slices.EqualFunc(was.ClusterSecrets, c.ClusterSecrets, bytes.Equal)
	changed := now[:0:0]
	for i, a := range now {
		if a.Value.String() != before[i].Value.String() || secrets && a.Key == "cluster_secrets" {
			changed = append(changed, a)
		}
	}
	if len(changed) > 0 {
		s.cfg.Logger.LogAttrs(context.Background(), slog.LevelInfo, "settings were updated", changed...)
	}
}

// settings are what may change, as it is logged.
func settings(c *Config) []slog.Attr {
	rate := func(name string, perSecond float64) slog.Attr { return slog.Float64(name, math.Round(perSecond*10)/10) }
	return []slog.Attr{slog.Any("alternates", c.Alternates),
		rate("admit_rate", c.AdmitRate), rate("failover_rate", c.FailoverRate), slog.Duration("max_window", c.MaxWindow),
		rate("handshake_rate", c.HandshakeRate), slog.Int("max_conns", c.MaxConns), slog.Int("max_frame_rate", c.MaxFrameRate),
		slog.Int("max_byte_rate", c.MaxByteRate), slog.Int("unsettled_bytes", c.UnsettledBytes),
		slog.Int("addr_conns", c.AddrConns), rate("addr_rate", c.AddrRate), rate("id_rate", c.IDRate),
		slog.Duration("drain_grace", c.DrainGrace), slog.Duration("drain_window", c.DrainWindow),
		slog.Int("cluster_secrets", len(c.ClusterSecrets))}
}

// lowestLevel is the lowest of the usual ones that a logger writes.
func lowestLevel(log *slog.Logger) string {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if log.Enabled(context.Background(), l) {
			return strings.ToLower(l.String())
		}
	}
	return "error"
}
