package result

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
	// LocalPorts is from how many ports one source address can connect to one target.
	LocalPorts int `json:"local_ports"`
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
	// TLSFull and TLSResumed are handshakes, since the run began.
	TLSFull    *int `json:"tls_full"`
	TLSResumed *int `json:"tls_resumed"`
	// Sends and Delivers are the messages that it got and wrote, since the run began.
	Sends    *int `json:"sends"`
	Delivers *int `json:"delivers"`
}

// Generator is the load test's own cost and punctuality, that of all its processes.
type Generator struct {
	// Workers are the processes that shared the clients; 1: this one had them all.
	Workers int `json:"workers"`
	// LostWorkers are those of them that ended before they should.
	LostWorkers int `json:"lost_workers" early:"grows"`
	// PingGridMs: the clients' PINGs were due at its multiples, each worker's in a phase of its own, since the
	// processes were a crowd; 0: whenever a client had drawn.
	PingGridMs float64  `json:"ping_grid_ms"`
	RSSBytes   *int64   `json:"rss_bytes"`
	CPUS       *float64 `json:"cpu_s"`
	// MachineCPUS is what all of the load test's machine took meanwhile, and StolenS what it wanted and its host gave
	// to others; null where the kernel does not say.
	MachineCPUS *float64 `json:"machine_cpu_s"`
	StolenS     *float64 `json:"stolen_s"`
	// LateMs is how long after its due time each timer (connect, PING, deadline) ran.
	LateMs *GeneratorLate `json:"late_ms" early:"moves"`
	// LateLimitMs is up to which late p99 the figures count: 20, in some scenarios more.
	LateLimitMs float64 `json:"late_limit_ms"`
	// Valid is late p99 <= LateLimitMs, no generator_fault and no worker lost.
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

// Memory is what a connection costs. Each figure is null where it cannot be known: of a
// server that is not on this machine, and for fewer than 1,000 sessions, whose share the
// processes' own memory drowns.
type Memory struct {
	// ServerBytesPerConn is the resident memory of the live nodes, their base included, by
	// the sessions at the end.
	ServerBytesPerConn *float64 `json:"server_bytes_per_conn"`
	// GeneratorBytesPerConn is the same of the load test, all its processes.
	GeneratorBytesPerConn *float64 `json:"generator_bytes_per_conn"`
	// KernelBytes is by how much the kernel's own memory grew from before the ramp to the
	// end of the scenario: what is neither free, nor file cache, nor a process's. It is the
	// whole machine's, whoever caused it. With spawned nodes it has both ends.
	KernelBytes        *int64   `json:"kernel_bytes"`
	KernelBytesPerConn *float64 `json:"kernel_bytes_per_conn"`
	// SlabBytes is the part of KernelBytes in slabs, as sockets, files and epoll entries are;
	// TCPPages is how much net.ipv4.tcp_mem had to bear at the end, more than before.
	SlabBytes *int64 `json:"slab_bytes"`
	TCPPages  *int64 `json:"tcp_pages"`
}
