// Package exporter has a Prometheus read a load test while it runs: what bench.View.Watch is told, as metrics.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// Exporter serves GET /metrics. It has no authentication.
type Exporter struct {
	listener net.Listener
	http     *http.Server

	mu     sync.Mutex
	update bench.Update
	second bench.Status // the latest; zero: none has passed
	known  bool
	sums   map[string]float64 // counters
}

// Listen begins to serve on an address, HOST:PORT.
func Listen(addr string) (*Exporter, error) {
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // it is another kernel object, which does not tell the zone of its address
	l, err := plain.Listen(context.Background(), transport.ListenNetwork(addr), addr)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	e := &Exporter{listener: l, sums: map[string]float64{}}
	registry := prometheus.NewRegistry()
	registry.MustRegister(e)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	e.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := e.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			l.Close() // a listener that fails costs no run
		}
	}()
	return e, nil
}

// Addr is where it listens.
func (e *Exporter) Addr() string { return e.listener.Addr().String() }

// Close ends it. Requests that are under way have a second.
func (e *Exporter) Close() {
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = e.http.Shutdown(ctx)
	_ = e.http.Close()
}

// Watch takes an update. It does not block.
func (e *Exporter) Watch(u bench.Update) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.update = u
	s := u.Status
	if s == nil {
		return
	}
	e.second, e.known = *s, true
	for name, n := range map[string]int{"connect_attempts": s.Attempts, "connects": s.Established, "sessions_lost": s.Lost, "returns": s.Goodput,
		"pings": s.Pings, "pongs": s.Pongs, "messages_sent": s.Sent, "messages_acknowledged": s.Acknowledged, "messages_delivered": s.Delivered,
		"messages_undelivered": s.Undelivered, "handshakes": s.Handshakes, "handshakes_failed": s.HandshakesFailed} {
		e.sums[name] += float64(n)
	}
}

const prefix = "stormwheel_bench_"

// counters are those of the seconds, in their order.
var counters = []struct{ name, help string }{
	{"connect_attempts", "connect() calls."},
	{"connects", "Connects that reached WELCOME."},
	{"sessions_lost", "Ready sessions that ended other than by the client's own BYE."},
	{"returns", "Clients that came into service again."},
	{"pings", "PINGs sent."},
	{"pongs", "PONGs read."},
	{"messages_sent", "Messages of clients."},
	{"messages_acknowledged", "Of those, acknowledged."},
	{"messages_delivered", "Publications, by the clients that got them."},
	{"messages_undelivered", "Publications that were found missing."},
	{"handshakes", "TLS handshakes that ended well, in a run of those."},
	{"handshakes_failed", "TLS handshakes that failed."},
}

// Describe sends nothing: which metrics there are depends on the run.
func (e *Exporter) Describe(chan<- *prometheus.Desc) {}

// Collect is what the run was told to be, and what the latest second said.
func (e *Exporter) Collect(out chan<- prometheus.Metric) {
	e.mu.Lock()
	defer e.mu.Unlock()
	send := func(kind prometheus.ValueType, name, help string, v float64, labels ...string) {
		var names, values []string
		for i := 0; i < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(prefix+name, help, names, nil), kind, v, values...)
	}
	gauge := func(name, help string, v float64, labels ...string) {
		send(prometheus.GaugeValue, name, help, v, labels...)
	}
	u, s := e.update, e.second
	gauge("info", "1; the labels say which run.", 1, "scenario", u.Scenario, "kind", u.Kind)
	gauge("clients_target", "Clients of the run.", float64(u.Target))
	gauge("seconds", "Since the first client could come.", u.At.Seconds())
	if u.Phase.Name != "" {
		gauge("phase", "1; the label is the part of the scenario that plays.", 1, "phase", u.Phase.Name)
	}
	if !e.known {
		return
	}
	gauge("sessions", "Ready sessions.", float64(s.Ready))
	gauge("unanswered_pings", "PINGs that have waited for long.", float64(s.Unanswered))
	gauge("storm_clients", "Clients that the storm has hit.", float64(s.StormClients))
	gauge("storm_back", "Of those, in service again.", float64(s.StormBack))
	gauge("evicted", "Silent clients that were closed.", float64(s.Evicted))
	gauge("false_evictions", "Living clients that were evicted.", float64(s.False))
	for _, c := range counters {
		send(prometheus.CounterValue, c.name+"_total", c.help, e.sums[c.name])
	}
	for class, n := range countsOf(s.Failures) {
		send(prometheus.CounterValue, "connect_failures_total", "Attempts that did not reach WELCOME, by why.", float64(n), "class", class)
	}
	quantiles := func(name, help string, p50, p99, most *float64) {
		for _, q := range []struct {
			label string
			ms    *float64
		}{{"0.5", p50}, {"0.99", p99}, {"1", most}} {
			if q.ms != nil {
				gauge(name, help, *q.ms/1000, "quantile", q.label)
			}
		}
	}
	quantiles("rtt_seconds", "Round trips of the latest second, unanswered PINGs included.", s.RTTp50, s.RTTp99, s.RTTMax)
	quantiles("message_latency_seconds", "Messages that were answered in the latest second, from their due time.", s.MessageP50, s.MessageP99, nil)
	quantiles("delivery_latency_seconds", "Publications that came in the latest second, from their due time.", s.DeliverP50, s.DeliverP99, nil)
	quantiles("generator_late_seconds", "How late the load test's own timers ran in the latest second.", nil, s.LateP99, nil)
	valid := 0.0
	if s.Generator.Valid {
		valid = 1
	}
	gauge("generator_valid", "1: the figures count, so far.", valid)
	said := map[string]bool{}
	for _, o := range s.Outlook {
		if said[o.Expr] { // two metrics of the same labels are none
			continue
		}
		said[o.Expr] = true
		gauge("threshold", "Of each threshold: 1 it holds, 0 it is open, -1 it has failed.", map[result.OutlookState]float64{result.Holds: 1, result.Failed: -1}[o.State], "expr", o.Expr)
	}
}

// countsOf are the counts of a struct, as JSON names them.
func countsOf(f result.Failures) map[string]int {
	all := map[string]int{}
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		all[name] = int(v.Field(i).Int())
	}
	return all
}
