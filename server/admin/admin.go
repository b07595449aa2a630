package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stormwheel/stormwheel/server/prom"
)

// DefaultStuckAfter is the age of a loop's snapshot at which /livez gives the node up. A loop
// takes one every tick, and once a millisecond's work is done when it has more.
const DefaultStuckAfter = 30 * time.Second

// maxScrapes is how many scrapes of /metrics are answered at once; the next gets 503.
const maxScrapes = 4

// Config says what a handler cannot see by itself. The zero value is good for a node that is
// never drained.
type Config struct {
	// Ready reports whether the node takes clients; while it does not, /readyz answers 503. It
	// is called by many goroutines and must not block. Have it say no before Start has returned
	// and from the moment on at which the node is drained: Stats does not tell. Default: always
	// ready. Memory that is short makes the node unready by itself.
	Ready func() bool

	// StuckAfter is how long a loop may go unseen before /livez answers 503. Default, also for a
	// negative one: DefaultStuckAfter.
	StuckAfter time.Duration

	// MaxConns bounds the connections of NewServer's server. Default, also for a negative one: MaxConns.
	MaxConns int

	// Metrics are shown at /metrics beside the node's, the runtime's and the process's. Default:
	// none.
	Metrics []prometheus.Collector

	// Stats are shown at /stats as members of their own, beside the node's, which have other names. They are
	// called by many goroutines, and what they return is encoded as JSON. Default: none.
	Stats map[string]func() any

	// Settings are shown and changed at /settings; it is for requests by localhost or a loopback
	// address alone. Have the listener on loopback, too: there is no authentication. Default: there is
	// no /settings.
	Settings Tuner
}

// Handler answers for one node; *server.Server is a source. It may be made before Start, and
// panics when two of cfg.Metrics, or one of them and one of its own, have the same name.
func Handler(src prom.Source, cfg Config) http.Handler {
	if cfg.StuckAfter <= 0 {
		cfg.StuckAfter = DefaultStuckAfter
	}
	if cfg.Ready == nil {
		cfg.Ready = func() bool { return true }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		age := src.Stats().Age
		say(w, age < cfg.StuckAfter, fmt.Sprintf("a loop was last seen %v ago", age.Round(time.Millisecond)))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !cfg.Ready() {
			say(w, false, "not taking clients")
			return
		}
		state := src.Stats().MemoryState
		say(w, state == "fine", "new clients are refused: memory state is "+state)
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		writeStats(w, src, cfg.Stats)
	})
	if cfg.Settings != nil {
		h := settingsHandler{node: cfg.Settings, holds: src}
		mux.Handle("GET /settings", h)
		mux.Handle("PATCH /settings", h)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry(src, cfg.Metrics), promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	return mux
}

// writeStats writes the node's numbers, and more, as one object.
func writeStats(w http.ResponseWriter, src prom.Source, more map[string]func() any) {
	all, err := json.Marshal(src.Stats())
	for _, name := range slices.Sorted(maps.Keys(more)) {
		var member []byte
		if err == nil {
			member, err = json.Marshal(map[string]any{name: more[name]()})
		}
		if err == nil {
			all = append(append(all[:len(all)-1], ','), member[1:]...)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(all, '\n')) // the reader may be gone
}

func registry(src prom.Source, more []prometheus.Collector) *prometheus.Registry {
	all := prometheus.NewRegistry()
	all.MustRegister(prom.NewCollector(src), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	all.MustRegister(more...)
	return all
}

func say(w http.ResponseWriter, good bool, trouble string) {
	if !good {
		http.Error(w, trouble, http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // the reader may be gone
}
