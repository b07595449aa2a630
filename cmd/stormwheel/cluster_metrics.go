package main

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/cluster"
)

// clusterCollector tells Prometheus what a node knows of its cluster.
type clusterCollector struct{ *clustered }

func clusterDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("stormwheel_cluster_"+name, help, labels, nil)
}

var (
	clusterLive     = clusterDesc("live", "nodes that live, this one included")
	clusterMember   = clusterDesc("member", "1 for each node that is known, by its state: serving, draining, left or gone", "peer", "state")
	clusterSessions = clusterDesc("member_sessions", "clients of a node, as it says", "peer")
	clusterBehind   = clusterDesc("member_claims_behind", "logins and logouts of a node that this one has not seen yet", "peer")
	clusterHeard    = clusterDesc("member_heard_seconds", "since a node was last heard", "peer")
	clusterRoutes   = clusterDesc("bus_routes", "connections to other nodes; 0 by a NATS that is there")
	clusterBusLost  = clusterDesc("bus_lost_total", "NATS messages that came and had no room, or did not leave since there was no connection", "way")
	clusterCounts   = countDescs()
)

// countDesc is a field of cluster.Counts.
type countDesc struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	field int
}

// countDescs reads them from the fields' tags. What is there now is an int, and a gauge; what was counted is none.
func countDescs() (all []countDesc) {
	fields := reflect.TypeFor[cluster.Counts]()
	for i := range fields.NumField() {
		f := fields.Field(i)
		name, kind := f.Tag.Get("json"), prometheus.GaugeValue
		if f.Type.Kind() != reflect.Int {
			name, kind = strings.TrimSuffix(name, "_total")+"_total", prometheus.CounterValue
		}
		all = append(all, countDesc{clusterDesc(name, f.Tag.Get("help")), kind, i})
	}
	return all
}

// Describe implements prometheus.Collector.
func (clusterCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{clusterLive, clusterMember, clusterSessions, clusterBehind, clusterHeard, clusterRoutes, clusterBusLost} {
		ch <- d
	}
	for _, c := range clusterCounts {
		ch <- c.desc
	}
}

// Collect implements prometheus.Collector.
func (c clusterCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.node.Status()
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	tell(clusterLive, prometheus.GaugeValue, float64(st.Live))
	for _, m := range st.Members {
		tell(clusterMember, prometheus.GaugeValue, 1, m.Node, m.State)
		tell(clusterSessions, prometheus.GaugeValue, float64(m.Sessions), m.Node)
		tell(clusterBehind, prometheus.GaugeValue, float64(m.Behind), m.Node)
		tell(clusterHeard, prometheus.GaugeValue, m.Heard, m.Node)
	}
	bus := c.bus.Stats()
	tell(clusterRoutes, prometheus.GaugeValue, float64(bus.Routes))
	tell(clusterBusLost, prometheus.CounterValue, float64(bus.Lost), "in")
	tell(clusterBusLost, prometheus.CounterValue, float64(bus.Unsent), "out")
	counts := reflect.ValueOf(st.Counts)
	for _, d := range clusterCounts {
		v := counts.Field(d.field)
		if v.CanInt() {
			tell(d.desc, d.kind, float64(v.Int()))
		} else {
			tell(d.desc, d.kind, float64(v.Uint()))
		}
	}
}

// withCluster has GET /cluster beside what operators ask otherwise.
func withCluster(operators http.Handler, cl *clustered, leave *departure) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if leave != nil && r.URL.Path == leavePath {
			leave.ServeHTTP(w, r)
			return
		}
		if r.URL.Path != "/cluster" {
			operators.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(clusterAnswer{cl.node.Status(), cl.bus.Stats()}) // the reader may be gone
	})
}
