package admin

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/server/prom"
)

// NewServer returns a server that answers Handler on a listener of its own, which the caller
// gives to its Serve and ends with its Close. A peer can hold neither it up nor many
// descriptors: reading, writing and idleness have limits, and of more than cfg.MaxConns connections
// one that nothing happens on goes. /metrics tells how many went, as
// stormwheel_admin_refused_connections_total.
func NewServer(src prom.Source, cfg Config) *http.Server { return newServer(src, cfg, new(conns)) }

func newServer(src prom.Source, cfg Config, open *conns) *http.Server {
	open.most = max(0, cfg.MaxConns)
	cfg.Metrics = append(slices.Clone(cfg.Metrics), prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "stormwheel_admin_refused_connections_total",
		Help: "Connections of the admin listener that were closed for its bound.",
	}, func() float64 { return float64(open.closed.Load()) }))
	return &http.Server{
		Handler:           Handler(src, cfg),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
		ConnState:         open.changed,
	}
}
