package scenario

import (
	"context"
	"time"

	"github.com/stormwheel/stormwheel/bench/handshakes"
	"github.com/stormwheel/stormwheel/bench/result"
)

// handshake makes TLS handshakes in a row, Conns at a time. The clients of other scenarios do not come.
type handshake struct{ plain }

func (handshake) Name() string { return "handshake" }

func (handshake) About() string {
	return "TLS handshakes in a row, --conns at a time, full or with --tls-resume"
}

func (handshake) Defaults(c *Config) {
	if len(c.Targets) == 0 { // a target may say it
		fill(&c.Transport, "tls")
	}
	fill(&c.Conns, 256)
	fill(&c.Duration, 10*time.Second)
}

func (handshake) Check(c *Config) error {
	if c.Transport != "tls" && c.Transport != "wss" {
		return result.Usage("handshake is for --transport tls and wss, and targets that say so")
	}
	return nil
}

func (handshake) Promises(*Config) []string {
	return []string{"handshake.ended>0", "handshake.failed==0", "handshake.other==0"}
}

// Shakes reports whether the run makes handshakes and has no clients.
func (p *Plan) Shakes() bool {
	_, shakes := p.Plays.(handshake)
	return shakes
}

func (handshake) Parts(*Config) []string { return []string{"handshakes"} }

func (handshake) Play(ctx context.Context, s *Stage) error {
	s.Enter("handshakes", s.Duration)
	c := handshakes.Config{Targets: s.endpoints, Sources: s.sources, TLS: s.secure.Config(), Resume: s.TLSResume, Open: s.Conns, Meter: &s.Shaking}
	seen, err := handshakes.Run(ctx, c, s.Duration)
	if err != nil {
		return err
	}
	s.Handshakes = &seen
	if seen.Err != nil {
		s.Say("%d have failed, the first: %v", seen.Failed, seen.Err)
	}
	return context.Cause(ctx)
}
