package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/messaging"
)

// messageCollector tells Prometheus a hub's numbers.
type messageCollector struct{ hub *messaging.Hub }

type messageMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(messaging.Stats) float64
}

func messageGauge(name, help string, value func(messaging.Stats) int64) messageMetric {
	return messageMetric{prometheus.NewDesc("stormwheel_messages_"+name, help, nil, nil), prometheus.GaugeValue,
		func(st messaging.Stats) float64 { return float64(value(st)) }}
}

var messageMetrics = []messageMetric{
	messageGauge("users", "users who have a device online", func(st messaging.Stats) int64 { return st.Users }),
	messageGauge("devices", "sessions of users", func(st messaging.Stats) int64 { return st.Devices }),
	messageGauge("rooms", "rooms that the node knows, with members or without", func(st messaging.Stats) int64 { return st.Rooms }),
	messageGauge("members", "memberships of sessions in rooms", func(st messaging.Stats) int64 { return st.Members }),
	messageGauge("storing_bytes", "bytes of messages that wait for the store", func(st messaging.Stats) int64 { return st.Storing }),
	messageGauge("queued", "messages in the store, delayed ones included", func(st messaging.Stats) int64 { return st.Queued }),
	messageGauge("queued_bytes", "of them, with 96 bytes for each", func(st messaging.Stats) int64 { return st.QueuedBytes }),
	{prometheus.NewDesc("stormwheel_messages_store_errors_total", "calls of the store that failed; full queues are none", nil, nil),
		prometheus.CounterValue, func(st messaging.Stats) float64 { return float64(st.StoreErrors) }},
}

// Describe implements prometheus.Collector.
func (messageCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range messageMetrics {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c messageCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.hub.Stats()
	for _, m := range messageMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(st))
	}
}
