package result

import (
	"time"
)

// Churn counts the sessions that ended because their clients left, and those that came for
// them.
type Churn struct {
	LifetimeS  float64 `json:"lifetime_s"`               // mean
	Departures int     `json:"departures" early:"grows"` // sessions ended by BYE
	Returns    int     `json:"returns" early:"grows"`    // clients that arrived instead and were welcomed
	Missing    int     `json:"missing"`                  // that arrived and were not
}

// Soak compares the last quarter of a soak with its second; the first is for warming up.
// Each is 0 if nothing changed and 0.05 for five percent more, from medians of the readings
// a second; null: it could not be read, or there are too few readings.
type Soak struct {
	RSSGrowth    *float64 `json:"rss_growth"` // of all servers together
	FDsGrowth    *float64 `json:"fds_growth"`
	CPUGrowth    *float64 `json:"cpu_growth"` // of the processor time a second
	RTTp99Growth *float64 `json:"rtt_p99_growth"`
}

// Probes are clients that the scenario does not touch. They are on nodes that it does not
// strike, if there are others, and ask every second, or every heartbeat if that is shorter. In a
// flood they are those that were in before it, and heartbeat as all do.
type Probes struct {
	Clients int      `json:"clients"`
	Lost    int      `json:"lost"` // sessions of theirs
	RTTms   ProbeRTT `json:"rtt_ms"`
}

// ProbeRTT is from the moment the PING was due, until the blow (t0, or when clients fell
// silent) and from then on.
type ProbeRTT struct {
	Before *Percentiles `json:"before"`
	During *Percentiles `json:"during"`
}

// FindMax is the search for the greatest load at which a goal holds. The rest of the result
// is of the run with that load; of the smallest one, if none held.
type FindMax struct {
	Vary string  `json:"vary"` // conns or rate
	Goal string  `json:"goal"`
	Best float64 `json:"best"` // the greatest load at which it held; 0: none
	// Missed is the smallest load above it at which it did not, null if there was none.
	Missed *float64 `json:"missed"`
	// LimitedBy is why there is no more: "goal", "server" (not everybody got in, or was answered),
	// "generator" (its figures do not count, so the server may well do more), "most" (nothing failed
	// up to the most asked for) or "interrupted" (the search did not get to its end).
	LimitedBy string  `json:"limited_by"`
	Trials    []Trial `json:"trials"` // in the order they were made
}

// Trial is one run of the search.
type Trial struct {
	Load    float64  `json:"load"`
	Actual  *float64 `json:"actual"` // of the goal; null: there was none
	OK      bool     `json:"ok"`
	Verdict Verdict  `json:"verdict"` // invalid: the generator's own fault
	Why     *string  `json:"why"`     // it did not hold, in words; null: it did
}

// Handshake counts TLS handshakes that were made in a row, so many at a time.
type Handshake struct {
	Open    int `json:"open"`    // at a time
	Ended   int `json:"ended"`   // well
	Resumed int `json:"resumed"` // of them
	Other   int `json:"other"`   // of them, that were not as they should be, full or resumed
	Failed  int `json:"failed"`  // or were refused
	// FirstFailure is why the first of those did; null: none has.
	FirstFailure *string      `json:"first_failure"`
	PerS         *float64     `json:"per_s"`      // that ended
	LatencyMs    *Percentiles `json:"latency_ms"` // from the ClientHello until the client may speak
	// ServerCPUUs is what one took of the servers' processor time, its connection and its end included.
	ServerCPUUs *float64 `json:"server_cpu_us"`
}

// Part is one run of a merged result.
type Part struct {
	Seed    uint64    `json:"seed"`
	Started time.Time `json:"started"`
	WallS   float64   `json:"wall_s"`
	Clients int       `json:"clients"` // --conns
	Verdict Verdict   `json:"verdict"`
}
