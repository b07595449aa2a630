package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/prom"
)

// stuckAfter is the age of a loop's snapshot at which /livez gives the node up. A loop
// takes one every tick, and once a millisecond's work is done when it has more.
const stuckAfter = 30 * time.Second

// admin answers operators on a listener of its own: /livez, /readyz, /stats, /metrics, no
// more.
// It names no client and changes nothing, and it has no authentication: bind it where
// only operators reach it.
type admin struct {
	addr     string // "-" when there is none
	listener net.Listener
	http     http.Server
	ready    atomic.Bool
	stuck    time.Duration // stuckAfter; tests shorten it
	open     adminConns
	failed   chan error // an end that nobody asked for; never ready without a listener
}

// newAdmin takes the address, so that one that is taken is known before clients come.
func newAdmin(addr string, srv *server.Server) (*admin, error) {
	a := &admin{addr: "-", stuck: stuckAfter, failed: make(chan error, 1)}
	if addr == "" {
		return a, nil
	}
	var plain net.ListenConfig
	plain.SetMultipathTCP(false)
	listener, err := plain.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	a.listener, a.addr = listener, listener.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		age := srv.Stats().Age
		say(w, age < a.stuck, fmt.Sprintf("a loop was last seen %v ago", age.Round(time.Millisecond)))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !a.ready.Load() {
			say(w, false, "not taking clients")
			return
		}
		state := srv.Stats().MemoryState
		say(w, state == "fine", "new clients are refused: memory state is "+state)
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(srv.Stats()) // the reader may be gone
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics(srv), promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	a.http = http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
		ConnState:         a.open.changed,
	}
	return a, nil
}

// metrics shows the node's counters and those of its process.
func (a *admin) metrics(srv *server.Server) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prom.NewCollector(srv), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "stormwheel_admin_refused_connections_total",
			Help: "Connections of the admin listener that were closed for its bound."}, func() float64 { return float64(a.open.closed.Load()) }))
	return registry
}

func say(w http.ResponseWriter, good bool, trouble string) {
	if !good {
		http.Error(w, trouble, http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // the reader may be gone
}

// serve answers from now on, and says that the node takes clients.
func (a *admin) serve() {
	a.ready.Store(true)
	if a.listener == nil {
		return
	}
	go func() {
		if err := a.http.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("admin: %w", err)
		}
	}()
}

func (a *admin) notReady() { a.ready.Store(false) }

func (a *admin) close() {
	if a.listener != nil {
		_ = a.http.Close()
		_ = a.listener.Close() // http.Close does not know it before serve
	}
}
