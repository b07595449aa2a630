package prom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stormwheel/stormwheel/server"
)

// Source is what a collector reads; *server.Server is one. Stats must not block.
type Source interface{ Stats() server.Stats }

// NewCollector returns a collector for one node. Its methods may be called from any
// goroutine.
func NewCollector(s Source) prometheus.Collector { return collector{s} }

type collector struct{ source Source }

// metric is one number of Stats.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*server.Stats) float64
}

func gauge[N number](name, help string, field func(*server.Stats) N) metric {
	return newMetric(name, help, prometheus.GaugeValue, field)
}

func counter[N number](name, help string, field func(*server.Stats) N) metric {
	return newMetric(name+"_total", help, prometheus.CounterValue, field)
}

type number interface {
	~int | ~int64 | ~uint64 | ~float64
}

func newMetric[N number](name, help string, kind prometheus.ValueType, field func(*server.Stats) N) metric {
	return metric{
		desc: prometheus.NewDesc("stormwheel_"+name, help, nil, nil),
		kind: kind,
		value: func(st *server.Stats) float64 {
			n := field(st)
			if d, ok := any(n).(time.Duration); ok {
				return d.Seconds()
			}
			return float64(n)
		},
	}
}

// The table of metrics; docs/OPERATIONS.md explains them one by one.
var metrics = []metric{
	gauge("connections", "Open connections, lingering ones included.", func(s *server.Stats) int64 { return s.Conns }),
	gauge("connections_max", "Bound on open connections.", func(s *server.Stats) int { return s.MaxConns }),
	gauge("connections_pending", "Connections that are not in yet.", func(s *server.Stats) int64 { return s.Pending }),
	gauge("connections_pending_max", "Bound on connections that are not in yet.", func(s *server.Stats) int64 { return s.MaxPending }),
	gauge("connections_lingering", "Farewells that wait for their peers.", func(s *server.Stats) int64 { return s.Lingering }),
	gauge("sessions", "Welcomed clients.", func(s *server.Stats) int64 { return s.Sessions }),
	gauge("sessions_draining", "Sessions that a drain has told to go.", func(s *server.Stats) int64 { return s.Draining }),
	gauge("loops", "Event loops that have had a connection.", func(s *server.Stats) int { return s.Loops }),

	counter("accepted_connections", "Connections taken from the kernel.", func(s *server.Stats) uint64 { return s.Accepted }),
	counter("refused_connections", "Connections sent away for want of room.", func(s *server.Stats) uint64 { return s.Refused }),
	counter("knocks", "Well-formed HELLOs of clients that were still there, whatever became of them.", func(s *server.Stats) uint64 { return s.Knocks }),
	counter("gone_unserved", "Clients that had given up before they were served.", func(s *server.Stats) uint64 { return s.Gone }),
	gauge("admission_pace", "Clients a second that can be let in now.", func(s *server.Stats) float64 { return s.Pace }),
	gauge("hello_wait_seconds", "Longest that a HELLO lay in the kernel, as of the last tick.", func(s *server.Stats) time.Duration { return s.HelloWait }),
	gauge("loop_late_seconds", "How late the slowest loop was, as of the last tick.", func(s *server.Stats) time.Duration { return s.LoopLate }),
	gauge("terms_stretch", "What interval and timeout are multiplied by, since answers are late.", func(s *server.Stats) int { return s.Stretch }),
	counter("hellos", "HELLOs that were welcomed.", func(s *server.Stats) uint64 { return s.Hellos }),
	counter("hellos_with_ticket", "Clients let in by the ticket of their slot.", func(s *server.Stats) uint64 { return s.Tickets }),
	gauge("admission_queue_seconds", "How far ahead slots have been given out.", func(s *server.Stats) time.Duration { return s.AdmissionQueue }),
	gauge("authentications_waiting", "Clients that wait for the authenticator.", func(s *server.Stats) int { return s.AuthWaiting }),
	counter("hellos_resumed", "HELLOs that showed an earlier session.", func(s *server.Stats) uint64 { return s.Resumed }),
	counter("moved_sessions", "Sessions told to go by a drain that said BYE.", func(s *server.Stats) uint64 { return s.Moved }),

	counter("received_frames", "Complete frames.", func(s *server.Stats) uint64 { return s.FramesIn }),
	counter("received_bytes", "Bytes of complete frames.", func(s *server.Stats) uint64 { return s.BytesIn }),
	counter("sent_bytes", "Bytes handed to the kernel or queued for it.", func(s *server.Stats) uint64 { return s.BytesOut }),
	counter("received_pings", "PING frames.", func(s *server.Stats) uint64 { return s.Pings }),
	counter("sent_pongs", "PONG frames; one may answer several PINGs.", func(s *server.Stats) uint64 { return s.Pongs }),
	counter("received_sends", "SEND frames.", func(s *server.Stats) uint64 { return s.Sends }),
	counter("sent_delivers", "DELIVER frames.", func(s *server.Stats) uint64 { return s.Delivers }),
	counter("received_acks", "ACK frames of clients.", func(s *server.Stats) uint64 { return s.AcksIn }),
	counter("sent_acks", "ACK frames to clients.", func(s *server.Stats) uint64 { return s.AcksOut }),
	counter("sent_goaways", "GOAWAY frames.", func(s *server.Stats) uint64 { return s.GoAways }),
	counter("stale_posts", "Posts for sessions that were gone.", func(s *server.Stats) uint64 { return s.Stale }),
	counter("refused_posts", "Posts that a loop's full mailbox refused.", func(s *server.Stats) uint64 { return s.PostsRefused }),
	counter("handler_panics", "Panics of the application's handlers and of its authenticator.", func(s *server.Stats) uint64 { return s.Panics }),

	gauge("queued_bytes", "Bytes that wait for clients in user space.", func(s *server.Stats) int64 { return s.Queued }),
	gauge("partial_bytes", "Bytes that unfinished frames of clients take.", func(s *server.Stats) int64 { return s.Partial }),
	gauge("queued_max_bytes", "Bound on queued_bytes and partial_bytes together, 0: none.", func(s *server.Stats) int64 { return s.MaxQueuedTotal }),
	counter("dropped_optional_messages", "Optional messages dropped for slow clients.", func(s *server.Stats) uint64 { return s.Dropped }),
	gauge("memory_used_bytes", "Memory in use, as the watcher counts it.", func(s *server.Stats) int64 { return s.MemoryUsed }),
	gauge("memory_limit_bytes", "The watcher's limit, 0: nobody watches.", func(s *server.Stats) int64 { return s.MemoryLimit }),
	gauge("memory_state", "0 fine, 1 new connections are refused, 2 some are shed.", memoryState),

	counter("evictions_averted", "Evictions put off because unread bytes were waiting.", func(s *server.Stats) uint64 { return s.Averted }),
	counter("clock_held_seconds", "Time of stalls of the node, charged to no client.", func(s *server.Stats) time.Duration { return s.Held }),
	gauge("wheel_debt_seconds", "How far deadlines are behind.", func(s *server.Stats) time.Duration { return s.Debt }),
	gauge("longest_turn_seconds", "Longest turn of a loop since the start.", func(s *server.Stats) time.Duration { return s.LongestTurn }),
	counter("lingers_cut", "Farewells that did not wait until their peer had closed.", func(s *server.Stats) uint64 { return s.LingerCut }),
	gauge("reconnect_window_seconds", "Window over which clients would spread their return.", func(s *server.Stats) time.Duration { return s.Window }),
	gauge("snapshot_age_seconds", "Age of the oldest loop's numbers.", func(s *server.Stats) time.Duration { return s.Age }),
}

// closes has every reason from the start, so that a rate has a zero to begin with.
var closes = prometheus.NewDesc("stormwheel_closed_connections_total",
	"Ended connections by reason; evictions are heartbeat_timeout.", []string{"reason"}, nil)

func memoryState(s *server.Stats) int {
	switch s.MemoryState {
	case "refuse":
		return 1
	case "shed":
		return 2
	default:
		return 0
	}
}

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range metrics {
		ch <- m.desc
	}
	ch <- closes
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	st := c.source.Stats()
	for _, m := range metrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&st))
	}
	for why, n := range st.Closes {
		if r := server.Reason(why); r != server.ReasonNone {
			ch <- prometheus.MustNewConstMetric(closes, prometheus.CounterValue, float64(n), r.String())
		}
	}
}
