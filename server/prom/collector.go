package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/server"
)

// Source is what a collector reads; *server.Server is one. Stats must not block.
type Source interface{ Stats() server.Stats }

// NewCollector returns a collector for one node. Its methods may be called from any
// goroutine.
func NewCollector(s Source) prometheus.Collector {
	c := collector{source: s}
	for _, m := range server.Metrics() {
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		c.metrics = append(c.metrics, metric{m, kind, prometheus.NewDesc("stormwheel_"+m.Name, m.Help, nil, nil)})
	}
	return c
}

type collector struct {
	source  Source
	metrics []metric
}

type metric struct {
	server.Metric
	kind prometheus.ValueType
	desc *prometheus.Desc
}

// closes has every reason from the start, so that a rate has a zero to begin with.
var closes = prometheus.NewDesc("stormwheel_closed_connections_total",
	"ended connections by reason; evictions are heartbeat_timeout", []string{"reason"}, nil)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		ch <- m.desc
	}
	ch <- closes
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	st := c.source.Stats()
	for _, m := range c.metrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.Value(&st))
	}
	for why, n := range st.Closes {
		if r := reactor.Reason(why); r != reactor.ReasonNone {
			ch <- prometheus.MustNewConstMetric(closes, prometheus.CounterValue, float64(n), r.String())
		}
	}
}
