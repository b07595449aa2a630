package result

// Total is how many sessions ended.
func (l *Losses) Total() int {
	return l.Closed + l.Reset + l.Silence + l.GoAway + l.PongTimeout + l.Protocol + l.Cut
}

// Add takes what another loop, or run, has.
func (l *Losses) Add(o *Losses) {
	l.Closed += o.Closed
	l.Reset += o.Reset
	l.Silence += o.Silence
	l.GoAway += o.GoAway
	l.PongTimeout += o.PongTimeout
	l.Protocol += o.Protocol
	l.Cut += o.Cut
}

// Total is how many attempts failed.
func (f *Failures) Total() int {
	return f.Refused + f.Reset + f.TLS + f.Closed + f.ConnectTimeout + f.WelcomeTimeout + f.Busy + f.GoAway +
		f.Protocol + f.Ports + f.Descriptors + f.Memory + f.Other
}

// Add takes what another loop, or run, has.
func (f *Failures) Add(o *Failures) {
	f.Refused += o.Refused
	f.Reset += o.Reset
	f.TLS += o.TLS
	f.Closed += o.Closed
	f.ConnectTimeout += o.ConnectTimeout
	f.WelcomeTimeout += o.WelcomeTimeout
	f.Busy += o.Busy
	f.GoAway += o.GoAway
	f.Protocol += o.Protocol
	f.Ports += o.Ports
	f.Descriptors += o.Descriptors
	f.Memory += o.Memory
	f.Other += o.Other
}

// Conns counts ready sessions: WELCOME was read and neither side has closed since. A
// mute client counts until it is evicted.
type Conns struct {
	Target int `json:"target" early:"moves"`
	Peak   int `json:"peak" early:"grows"` // most at once
	End    int `json:"end" early:"moves"`  // when the scenario was over, before the teardown
	// Ghosts are the connections that the spawned nodes said at the end that they hold, beyond
	// the ready sessions; null for targets that were not spawned.
	Ghosts *int `json:"ghosts"`
	// Lost are the ready sessions that ended before that other than by the client's own BYE;
	// Losses says why.
	Lost   int    `json:"lost" early:"grows"`
	Losses Losses `json:"losses"`
	// OfflineMs is how long clients were without a session that they had lost: until the next WELCOME, or at
	// least until the end. Null: nobody lost one.
	OfflineMs *Percentiles `json:"offline_ms"`
}

// Losses are ready sessions that ended, as the client saw it.
type Losses struct {
	Closed      int `json:"closed" early:"grows"`       // the peer closed without a word (FIN)
	Reset       int `json:"reset" early:"grows"`        // RST or another error of the socket
	Silence     int `json:"silence" early:"grows"`      // GOAWAY heartbeat_timeout
	GoAway      int `json:"goaway" early:"grows"`       // any other GOAWAY
	PongTimeout int `json:"pong_timeout" early:"grows"` // the client gave the server up
	Protocol    int `json:"protocol" early:"grows"`     // the server sent what is not the protocol
	Cut         int `json:"cut"`                        // the scenario cut the connection
}

// Connect counts connect() calls and what became of them.
type Connect struct {
	Attempts    int      `json:"attempts" early:"grows"`
	Established int      `json:"established" early:"grows"` // reached WELCOME
	Failed      int      `json:"failed" early:"grows"`      // did not
	Failures    Failures `json:"failures"`                  // why not
	// LatencyMs is from just before a client's first connect() until its WELCOME was there to be
	// read, failed attempts and waits in between included. A return after a loss is no arrival.
	LatencyMs *Percentiles `json:"latency_ms"`
	// IntendedLatencyMs is from its intended arrival.
	IntendedLatencyMs *Percentiles `json:"intended_latency_ms"`
	// RatePerS is the WELCOMEs of the opening ramp by the time it took.
	RatePerS *float64 `json:"rate_per_s"`
	// TargetPerS is the rate of arrivals that was asked for; null: they come as they can.
	TargetPerS *float64 `json:"target_per_s"`
	// HeldBackS is by how much the load test put arrivals of an adaptive ramp off, at most, since it was late itself.
	HeldBackS float64 `json:"held_back_s" early:"grows"`
}

// Failures are attempts that did not reach WELCOME, by class.
type Failures struct {
	Refused        int `json:"refused" early:"grows"`         // ECONNREFUSED
	Reset          int `json:"reset" early:"grows"`           // ECONNRESET, EPIPE
	TLS            int `json:"tls" early:"grows"`             // the TLS handshake failed: a certificate that is not believed, ...
	Closed         int `json:"closed" early:"grows"`          // FIN before WELCOME, without a GOAWAY
	ConnectTimeout int `json:"connect_timeout" early:"grows"` // neither answer nor error in time
	WelcomeTimeout int `json:"welcome_timeout" early:"grows"` // connected, no WELCOME in time
	Busy           int `json:"busy" early:"grows"`            // GOAWAY busy: told to wait for a slot
	GoAway         int `json:"goaway" early:"grows"`          // any other GOAWAY
	Protocol       int `json:"protocol" early:"grows"`        // the server sent what is not the protocol
	Ports          int `json:"ports" early:"grows"`           // EADDRNOTAVAIL, EADDRINUSE: no local port is left
	Descriptors    int `json:"descriptors" early:"grows"`     // EMFILE, ENFILE
	Memory         int `json:"memory" early:"grows"`          // ENOMEM, ENOBUFS; ENOSPC of epoll
	Other          int `json:"other" early:"grows"`           // unreachable, ...
}

// Heartbeat counts PINGs; each is answered or unanswered by the end.
type Heartbeat struct {
	// IntervalMs is how often a client sends one, by what its server said and by its own flags; the longest
	// if they differ. Those of probes count for nothing. Null: nobody was welcomed.
	IntervalMs *float64 `json:"interval_ms"`
	Sent       int      `json:"sent" early:"grows"`
	Answered   int      `json:"answered" early:"grows"`
	Unanswered int      `json:"unanswered" early:"grows"`
	Missed     int      `json:"missed" early:"grows"` // of those, stayed out beyond the clients' patience
	Pending    int      `json:"pending"`              // of those, still waited for when the run ended
	// RTTms is of all, from just before the write() of the PING until its PONG was there to be
	// read: the network and the server, and no timer of ours. An unanswered one took at least as
	// long as it was waited for.
	RTTms *Percentiles `json:"rtt_ms" early:"moves"`
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

// Eviction describes what the server did to silent clients, and to living ones.
type Eviction struct {
	Expected int `json:"expected" early:"grows"` // clients that the scenario silenced
	Observed int `json:"observed" early:"grows"` // of those, closed by the server for their silence
	Early    int `json:"early" early:"grows"`    // of those, before their timeout was over
	// Other counts silent clients that were closed for another reason, as to make room for
	// others, Overlooked those that were not closed.
	Other      int `json:"other"`
	Overlooked int `json:"overlooked"`
	// False counts living clients that were closed for silence (GOAWAY heartbeat_timeout; by a
	// foreign server, without a word) although a complete frame had been written within the
	// timeout. What a node of ours ends without a word is a loss: it may have died.
	False int `json:"false" early:"grows"`
	// GeneratorFault counts living clients that were closed when they had been silent for a
	// timeout, or may have seemed so, because the generator was late. It makes the run
	// invalid.
	GeneratorFault int `json:"generator_fault" early:"grows"`
	// LatenessMs is the close as seen, minus just before the write() of the last complete
	// frame, minus the timeout of the session's terms.
	LatenessMs *Lateness `json:"lateness_ms" early:"moves"`
}

// Lateness is in milliseconds; Min is negative when a client was evicted early.
type Lateness struct {
	Min float64 `json:"min"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}
