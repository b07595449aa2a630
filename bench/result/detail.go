package result

// Detail is what the figures of a Result were made from: enough to draw its pictures, and
// to merge it with others without a loss. It is not for thresholds.
type Detail struct {
	// Command is how the run was started, word by word; null when the library ran it.
	Command []string `json:"command"`
	// Phases are the parts of the scenario as they began; null: a merge of runs that did not go through
	// them together.
	Phases []PhaseSeen `json:"phases"`
	// Events are what else happened, as it began; null: a merge, or nothing.
	Events []Event `json:"events"`
	// Seconds are one row each.
	Seconds []Second `json:"seconds"`
	// Histograms are in microseconds, by name: rtt, rtt_intended, rtt_actual, connect, connect_intended, probes_before, probes_during, away, late, lateness; where there are messages, messages, messages_wire and deliveries; of handshakes handshake; after a storm
	// also return (from t0; return_N of cohort N) and offline (one entry an outage that is over). The format is
	// HdrHistogram's V2, compressed, in base64, which its tools in every language read.
	Histograms map[string]string `json:"histograms"`
	// Scraped are the series of --scrape, in their order; null without.
	Scraped []ScrapedSeries `json:"scraped"`
	// StormAtS is t0, on the clock of Seconds; null without a storm.
	StormAtS *float64 `json:"storm_at_s"`
	// AttemptsPer100ms counts connect() calls after t0 in bins of 100 ms.
	AttemptsPer100ms []uint32 `json:"attempts_per_100ms"`
	// LostPer100ms and BackPer100ms count the begins and ends of outages in such bins; the latter
	// up to the end of the run.
	LostPer100ms []uint32 `json:"lost_per_100ms"`
	BackPer100ms []uint32 `json:"back_per_100ms"`
	// OutagesS sums all outages, those that lasted to the end included.
	OutagesS float64 `json:"outages_s"`
}

// PhaseSeen is a part of a scenario that has begun.
type PhaseSeen struct {
	Name string  `json:"name"`
	T    float64 `json:"t_s"`
}

// Event is something that befell the run, on the clock of Seconds.
type Event struct {
	T float64 `json:"t_s"`
	// Until is when it was over; null: it has no length, or lasted to the end.
	Until  *float64  `json:"until_s"`
	Kind   EventKind `json:"kind"`
	Name   string    `json:"name"`   // in words
	Target string    `json:"target"` // the node; empty: not of one alone
}

// EventKind is what an Event is. Readers take a kind that they do not know for something that
// happened; more may come.
type EventKind string

const (
	EventKill       EventKind = "kill"        // a node was killed
	EventDrain      EventKind = "drain"       // a node was asked to end, until it had
	EventFreeze     EventKind = "freeze"      // a node stood still
	EventSlow       EventKind = "slow"        // nodes ran for a share of the time
	EventOutage     EventKind = "outage"      // no node could accept
	EventBack       EventKind = "back"        // a node runs again
	EventDied       EventKind = "died"        // the process of a target, known by its number, has ended
	EventCut        EventKind = "cut"         // connections were broken
	EventFlood      EventKind = "flood"       // very many came at once
	EventSilence    EventKind = "silence"     // clients stopped speaking
	EventCommand    EventKind = "command"     // a command of the user's ran
	EventStorm      EventKind = "storm"       // somebody else struck the targets
	EventWorkerLost EventKind = "worker-lost" // a process of the load test ended
	EventAbort      EventKind = "abort"       // the run ended before its time
)

// Second is one second of a run. Rates are what was counted in it, the rest is of its end.
type Second struct {
	T float64 `json:"t_s"`
	// Span is how long it lasted: the last one of a run may be shorter.
	Span        float64 `json:"span_s"`
	Ready       int     `json:"ready"`
	Lost        int     `json:"lost_per_s"` // ready sessions that ended other than by the client's own BYE
	Attempts    int     `json:"attempts_per_s"`
	Established int     `json:"established_per_s"`
	Failed      int     `json:"failed_per_s"` // attempts that did not reach WELCOME
	Goodput     int     `json:"goodput_per_s"`
	Pings       int     `json:"pings_per_s"`
	Pongs       int     `json:"pongs_per_s"`
	// Unanswered are the PINGs that waited for their PONG for longer than a second, or than half of the
	// clients' patience if that is less: the most at one time, of the ten a second at which that is known.
	Unanswered int `json:"unanswered"`
	// RTTp50 and RTTp99 are of the PINGs that were answered or given up in it; RTTMax is also of those
	// that count as unanswered, up to then.
	RTTp50 *float64 `json:"rtt_p50_ms"`
	RTTp99 *float64 `json:"rtt_p99_ms"`
	RTTMax *float64 `json:"rtt_max_ms"`
	// LateP99 is how late the load test's own timers ran.
	LateP99 *float64 `json:"late_p99_ms"`
	// GeneratorCPUS is what all processes of the load test took of processors in it, MachineCPUS what all of its
	// machine did, and StolenS what the machine wanted and its host gave to others. Null: nobody knows.
	GeneratorCPUS *float64 `json:"generator_cpu_s"`
	MachineCPUS   *float64 `json:"machine_cpu_s"`
	StolenS       *float64 `json:"stolen_s"`
	// Of messages, from their due time; null: there were none.
	Sent         int      `json:"sent_per_s"`
	Acknowledged int      `json:"acknowledged_per_s"`
	Delivered    int      `json:"delivered_per_s"`
	Undelivered  int      `json:"undelivered_per_s"`
	MessageP50   *float64 `json:"message_p50_ms"`
	MessageP99   *float64 `json:"message_p99_ms"`
	DeliverP50   *float64 `json:"deliver_p50_ms"`
	DeliverP99   *float64 `json:"deliver_p99_ms"`
	// Of TLS handshakes, in runs of those; null: none ended.
	Handshakes       int      `json:"handshakes_per_s"`
	HandshakesFailed int      `json:"handshakes_failed_per_s"`
	HandshakeP50     *float64 `json:"handshake_p50_ms"`
	HandshakeP99     *float64 `json:"handshake_p99_ms"`

	// Counts are what else was counted in it, by the paths of the result: what a column here does not
	// say, or says otherwise, and is not 0. Null: nobody knows.
	Counts map[string]int `json:"counts"`
	// Histograms are the times that were measured in it, in microseconds, to two digits, by name: rtt, rtt_intended, rtt_actual, connect, messages,
	// deliveries, handshake, late; the format is that of Detail.Histograms. There is none of what had no
	// time. Null: nobody knows.
	Histograms map[string]string `json:"histograms"`

	Muted        int `json:"muted"`
	Evicted      int `json:"evicted"`
	Early        int `json:"early"`
	False        int `json:"false"`
	StormClients int `json:"storm_clients"`
	StormBack    int `json:"storm_back"`
	// Servers are in the order of Result.Server; empty where none can be asked.
	Servers []ServerSecond `json:"servers"`
}

// ServerSecond is what one node cost by then; null when it could not be read.
type ServerSecond struct {
	RSSBytes *int64   `json:"rss_bytes"`
	CPUS     *float64 `json:"cpu_s"`
	Conns    *int     `json:"conns"`
	FDs      *int     `json:"fds"`
}
