package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/messaging/hook"
)

// hookCollector tells Prometheus a back end's numbers.
type hookCollector struct{ backEnd *hook.BackEnd }

func hookDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("stormwheel_hook_"+name, help, labels, nil)
}

var (
	hookCalls    = hookDesc("calls_total", "answers of the back end; kept: it was not asked again", "call", "result")
	hookSeconds  = hookDesc("seconds_total", "that calls to the back end took together", "call")
	hookInFlight = hookDesc("in_flight", "calls to the back end under way", "call")
	hookQueued   = hookDesc("events_queued", "events that wait for the back end")
	hookEvents   = hookDesc("events_total", "events that the back end has taken, or that were dropped", "result")
	hookRetries  = hookDesc("retries_total", "tries of a batch of events that the back end has not taken")
)

// Describe implements prometheus.Collector.
func (hookCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{hookCalls, hookSeconds, hookInFlight, hookQueued, hookEvents, hookRetries} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c hookCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.backEnd.Stats()
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	for call, n := range map[string]hook.Calls{"login": st.Login, "policy": st.Policy} {
		for result, count := range map[string]uint64{"allow": n.Allowed, "deny": n.Denied, "expired": n.Expired, "later": n.Later, "failed": n.Failed, "kept": n.Kept} {
			tell(hookCalls, prometheus.CounterValue, float64(count), call, result)
		}
		tell(hookSeconds, prometheus.CounterValue, n.Seconds, call)
		tell(hookInFlight, prometheus.GaugeValue, float64(n.InFlight), call)
	}
	tell(hookQueued, prometheus.GaugeValue, float64(st.Events.Queued))
	tell(hookEvents, prometheus.CounterValue, float64(st.Events.Sent), "sent")
	tell(hookEvents, prometheus.CounterValue, float64(st.Events.Dropped), "dropped")
	tell(hookRetries, prometheus.CounterValue, float64(st.Events.Retries))
}
