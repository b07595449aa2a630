package result

import (
	"encoding/json"
	"io"
	"time"
)

// Schema names the shape of Result. It changes when a field changes its meaning; new
// fields alone do not change it.
const Schema = "stormwheel.bench/v2"

// Result is the one JSON object of a run. A nil pointer is null: the figure makes no
// sense in this scenario, was not reached, or could not be read here. Milliseconds and
// seconds are floating point; everything else counts whole things.
type Result struct {
	Schema   string    `json:"schema"`
	Scenario string    `json:"scenario"`
	Seed     uint64    `json:"seed"`
	Started  time.Time `json:"started"`
	WallS    float64   `json:"wall_s"`
	// Interrupted is true when the run was cut short; its figures then cover what ran.
	Interrupted bool            `json:"interrupted"`
	Build       Build           `json:"build"`
	Terms       *Terms          `json:"terms"` // null for a target that was not spawned
	Load        Load            `json:"load"`
	Conns       Conns           `json:"conns"`
	Connect     Connect         `json:"connect"`
	Heartbeat   Heartbeat       `json:"heartbeat"`
	Churn       *Churn          `json:"churn"`    // churn
	Soak        *Soak           `json:"soak"`     // soak
	FindMax     *FindMax        `json:"find_max"` // find-max
	Probes      *Probes         `json:"probes"`   // scenarios that strike or silence some clients
	Storm       *Storm          `json:"storm"`    // storm, demo
	Cohorts     []Cohort        `json:"cohorts"`  // of the storm, with --cohorts
	Eviction    Eviction        `json:"eviction"` // false evictions count in every scenario
	Server      []Server        `json:"server"`   // one per target, in the order given
	Generator   Generator       `json:"generator"`
	Memory      Memory          `json:"memory"`
	Kernel      Kernel          `json:"kernel"`
	Promises    bool            `json:"promises"` // false: the scenario's are not judged (--no-promises)
	Thresholds  []ThresholdSeen `json:"thresholds"`
	Verdict     Verdict         `json:"verdict"`
	Parts       []Part          `json:"parts"` // of a merge; null: one run
	Detail      Detail          `json:"detail"`
}

// Verdict sums a run up.
type Verdict string

const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"    // a threshold failed
	Invalid Verdict = "invalid" // the generator's own fault, or cut short: the figures prove nothing
)

// Build says what ran where.
type Build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	Kernel  string `json:"kernel"`
	CPUs    int    `json:"cpus"`
	// Processor is the model's name, MemoryBytes all that the machine has; empty and null
	// where the kernel does not say.
	Processor   string `json:"processor"`
	MemoryBytes *int64 `json:"memory_bytes"`
}

// Terms are those of the spawned nodes, --node-arg included. A session's timeout is the
// node's; it is seen within two ticks.
type Terms struct {
	HeartbeatMs float64 `json:"heartbeat_ms"`
	TimeoutMs   float64 `json:"timeout_ms"`
	TickMs      float64 `json:"tick_ms"`
}

// Conns counts ready sessions: WELCOME was read and neither side has closed since. A
// mute client counts until it is evicted.
type Conns struct {
	Target int `json:"target"`
	Peak   int `json:"peak"` // most at once
	End    int `json:"end"`  // when the scenario was over, before the teardown
	// Ghosts are the connections that the spawned nodes said at the end that they hold, beyond
	// the ready sessions; null for targets that were not spawned.
	Ghosts *int `json:"ghosts"`
	// Lost are the ready sessions that ended before that other than by the client's own BYE;
	// Losses says why.
	Lost   int    `json:"lost"`
	Losses Losses `json:"losses"`
}

// Losses are ready sessions that ended, as the client saw it.
type Losses struct {
	Closed      int `json:"closed"`       // the peer closed without a word (FIN)
	Reset       int `json:"reset"`        // RST or another error of the socket
	Silence     int `json:"silence"`      // GOAWAY heartbeat_timeout
	GoAway      int `json:"goaway"`       // any other GOAWAY
	PongTimeout int `json:"pong_timeout"` // the client gave the server up
	Protocol    int `json:"protocol"`     // the server sent what is not the protocol
	Cut         int `json:"cut"`          // the scenario cut the connection
}

// Connect counts connect() calls and what became of them.
type Connect struct {
	Attempts    int      `json:"attempts"`
	Established int      `json:"established"` // reached WELCOME
	Failed      int      `json:"failed"`      // did not
	Failures    Failures `json:"failures"`    // why not
	// LatencyMs is from just before a client's first connect() until its WELCOME was there to be
	// read, failed attempts and waits in between included. A return after a loss is no arrival.
	LatencyMs *Percentiles `json:"latency_ms"`
	// IntendedLatencyMs is from its intended arrival.
	IntendedLatencyMs *Percentiles `json:"intended_latency_ms"`
	// RatePerS is the WELCOMEs of the opening ramp by the time it took.
	RatePerS *float64 `json:"rate_per_s"`
}

// Failures are attempts that did not reach WELCOME, by class.
type Failures struct {
	Refused        int `json:"refused"`         // ECONNREFUSED
	Reset          int `json:"reset"`           // ECONNRESET, EPIPE
	Closed         int `json:"closed"`          // FIN before WELCOME, without a GOAWAY
	ConnectTimeout int `json:"connect_timeout"` // neither answer nor error in time
	WelcomeTimeout int `json:"welcome_timeout"` // connected, no WELCOME in time
	Busy           int `json:"busy"`            // GOAWAY busy: told to wait for a slot
	GoAway         int `json:"goaway"`          // any other GOAWAY
	Protocol       int `json:"protocol"`        // the server sent what is not the protocol
	Ports          int `json:"ports"`           // EADDRNOTAVAIL, EADDRINUSE: no local port is left
	Descriptors    int `json:"descriptors"`     // EMFILE, ENFILE
	Memory         int `json:"memory"`          // ENOMEM, ENOBUFS; ENOSPC of epoll
	Other          int `json:"other"`           // unreachable, ...
}

// Heartbeat counts PINGs; each is answered or unanswered by the end.
type Heartbeat struct {
	Sent       int `json:"sent"`
	Answered   int `json:"answered"`
	Unanswered int `json:"unanswered"`
	Missed     int `json:"missed"`  // of those, stayed out beyond the clients' patience
	Pending    int `json:"pending"` // of those, still waited for when the run ended
	// RTTms is of all, from just before the write() of the PING until its PONG was there to be
	// read: the network and the server, and no timer of ours. An unanswered one took at least as
	// long as it was waited for.
	RTTms *Percentiles `json:"rtt_ms"`
	// IntendedRTTms is from the moment the PING was due. A client that waits for an answer sends
	// no other PING; those that were due meanwhile count as well.
	IntendedRTTms *Percentiles `json:"intended_rtt_ms"`
	// ActualRTTms is RTTms of the answered ones alone.
	ActualRTTms *Percentiles `json:"rtt_actual_ms"`
}

// Percentiles are milliseconds, from a histogram of three significant digits.
type Percentiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// Storm describes the recovery. Its times count from t0, the moment the signal was sent.
type Storm struct {
	Kind    string `json:"kind"`
	Policy  string `json:"policy"`
	Clients int    `json:"clients"` // lost a ready session at or after t0, or were told to move it
	Back    int    `json:"back"`    // of those, in service again at the end
	Offline int    `json:"offline"` // of those, without a ready session at some time after t0
	// OutageS is from t0 until a receiver could accept: 0 where others stand in; null if none
	// ever could.
	OutageS *float64 `json:"outage_s"`
	// DrainS is how long a node that was asked to end took to do so; null if none was.
	DrainS *float64 `json:"drain_s"`
	// IdealFromS is from t0 until a client could come back at the earliest: OutageS, and in a freeze
	// the moment when the first client had noticed, to a tenth of a second.
	IdealFromS *float64 `json:"ideal_from_s"`
	// IdealS is IdealFromS + Clients / C, C being what the receiving nodes admit per second, or in
	// a drain its pace; null when nobody said what a foreign target admits, or nobody noticed.
	IdealS *float64 `json:"ideal_s"`
	// A client that was offline is back at the first PONG after the WELCOME of its last
	// return; one that moved without a gap, at the WELCOME of the node it moved to. TxxS is null
	// when fewer than xx percent are.
	T50S  *float64 `json:"t50_s"`
	T95S  *float64 `json:"t95_s"`
	T99S  *float64 `json:"t99_s"`
	T100S *float64 `json:"t100_s"`
	// AttemptsPerSuccess is all connect() calls after t0 by Back; null when nobody is back.
	AttemptsPerSuccess *float64 `json:"attempts_per_success"`
	PeakAttemptsPerS   float64  `json:"peak_attempts_per_s"` // busiest 100 ms, times ten
	// GoodputPerS is null if clients waited for less than a second.
	GoodputPerS *Goodput `json:"goodput_per_s"`
	// LongestGapS is the longest time without a return while clients waited for one, to a tenth of
	// a second, counted as GoodputPerS; null if no receiver ever could accept.
	LongestGapS *float64 `json:"longest_gap_s"`
	// LostConnectionSeconds sums, over all outages after t0, the time from the loss as the
	// client saw it to its return, or to the end of the run.
	LostConnectionSeconds float64 `json:"lost_connection_seconds"`
	// PacePerS is at how many clients a second the draining node tells them to go, by its
	// flags. AcceptRatePerS is how many a second the receivers welcomed, as the clients saw
	// it, between t5 and t95; null for fewer than a dozen. AcceptOverPace is the second by
	// the first. All null but in a drain.
	PacePerS       *float64 `json:"pace_per_s"`
	AcceptRatePerS *float64 `json:"accept_rate_per_s"`
	AcceptOverPace *float64 `json:"accept_over_pace"`
	// CutBy is how a cut ended the connections: "silence", without FIN and RST, or "rst"; null
	// in other storms.
	CutBy *string `json:"cut_by"`
	// GhostsGoneS is how long spawned nodes held connections that nobody had any more: since a
	// cut, or since a frozen node went on; null in other storms, and if they still do.
	GhostsGoneS *float64 `json:"ghosts_gone_s"`
}

// Eviction describes what the server did to silent clients, and to living ones.
type Eviction struct {
	Expected int `json:"expected"` // clients that the scenario silenced
	Observed int `json:"observed"` // of those, closed by the server for their silence
	Early    int `json:"early"`    // of those, before their timeout was over
	// Other counts silent clients that were closed for another reason, as to make room for
	// others, Overlooked those that were not closed.
	Other      int `json:"other"`
	Overlooked int `json:"overlooked"`
	// False counts living clients that were closed for silence (GOAWAY heartbeat_timeout; by a
	// foreign server, without a word) although a complete frame had been written within the
	// timeout. What a node of ours ends without a word is a loss: it may have died.
	False int `json:"false"`
	// GeneratorFault counts living clients that were closed when they had been silent for a
	// timeout, or may have seemed so, because the generator was late. It makes the run
	// invalid.
	GeneratorFault int `json:"generator_fault"`
	// LatenessMs is the close as seen, minus just before the write() of the last complete
	// frame, minus the timeout of the session's terms.
	LatenessMs *Lateness `json:"lateness_ms"`
}

// Lateness is in milliseconds; Min is negative when a client was evicted early.
type Lateness struct {
	Min float64 `json:"min"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Server is one target. What is not known of a target that was not spawned is null: --pid
// and --admin tell. A
// node that the scenario killed or drained (killed is true) shows its last reading before that;
// one that it started again is the new process.
type Server struct {
	Addr     string   `json:"addr"`
	Node     *string  `json:"node"`
	PID      *int     `json:"pid"`
	Killed   bool     `json:"killed"`
	RSSBytes *int64   `json:"rss_bytes"`
	CPUS     *float64 `json:"cpu_s"` // since the run began
	Conns    *int     `json:"conns"`
	FDs      *int     `json:"fds"`
	// Sessions and Evictions are what the node itself counts; the latter since the run began.
	Sessions  *int `json:"sessions"`
	Evictions *int `json:"evictions"`
}

// Generator is the load test's own cost and punctuality, that of all its processes.
type Generator struct {
	// Workers are the processes that shared the clients; 1: this one had them all.
	Workers int `json:"workers"`
	// LostWorkers are those of them that ended before they should.
	LostWorkers int      `json:"lost_workers"`
	RSSBytes    *int64   `json:"rss_bytes"`
	CPUS        *float64 `json:"cpu_s"`
	// LateMs is how long after its due time each timer (connect, PING, deadline) ran.
	LateMs *GeneratorLate `json:"late_ms"`
	// Valid is late p99 <= 20 ms, no generator_fault and no worker lost.
	Valid bool `json:"valid"`
	// WhyInvalid is one sentence; null when valid.
	WhyInvalid *string `json:"why_invalid"`
}

// GeneratorLate is in milliseconds.
type GeneratorLate struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Kernel is what this network namespace counted during the run (TcpExt in
// /proc/net/netstat), whoever caused it; null where the kernel has no such counter.
type Kernel struct {
	ListenOverflows *int64 `json:"listen_overflows"` // accept queue full
	ListenDrops     *int64 `json:"listen_drops"`     // those and other SYNs that were dropped
	ReqQFullDrop    *int64 `json:"req_q_full_drop"`
	ReqQFullCookies *int64 `json:"req_q_full_cookies"`
	SyncookiesSent  *int64 `json:"syncookies_sent"`
	AbortOnClose    *int64 `json:"abort_on_close"` // RST because unread input was thrown away
	AbortOnData     *int64 `json:"abort_on_data"`  // RST because of linger 0, or data after close
	AbortOnTimeout  *int64 `json:"abort_on_timeout"`
	AbortOnMemory   *int64 `json:"abort_on_memory"`
	BacklogDrop     *int64 `json:"backlog_drop"`
	Timeouts        *int64 `json:"timeouts"` // retransmission timers that fired
}

// ThresholdSeen is one threshold and the value it met; null when there was none.
type ThresholdSeen struct {
	Expr    string   `json:"expr"`
	Promise bool     `json:"promise"` // one of the scenario's
	Actual  *float64 `json:"actual"`
	OK      bool     `json:"ok"`
	Failed  *string  `json:"failed"` // in words; null: it holds
}

// WriteJSON writes the object, indented, with a newline.
func (r *Result) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // threshold expressions hold < and >
	return enc.Encode(r)
}
