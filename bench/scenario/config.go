package scenario

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
)

// Config says what to run. Zero means the default; scenarios have defaults of their own,
// which hold where neither is said otherwise.
//
// The tags are those of the command line: name, help, and what stands for the value there. A
// flag that some scenarios take and others do not is named by those that do (Scenario.Takes).
type Config struct {
	Scenario string `kong:"-"`
	// Phases are those of the scenario "phases".
	Phases []Phase `name:"phase" help:"phases: one part after the other, as in ramp=3000,rate=500, hold=10s, churn=20s, silence=5%, storm=kill; repeatable." placeholder:"DO=VALUE,..." sep:"none"`

	// Targets are "host:port", or all "unix:path"; a name stands for all its addresses, each a target of its own.
	// Either they or Spawn are given.
	Targets []string `name:"target" help:"Servers to aim at, HOST:PORT,..., unix:PATH,..., tls://HOST:PORT,..., or ws:// or wss://HOST:PORT/PATH,...; a name stands for all its addresses." placeholder:"H:P,..."`
	// PIDs and Admins are, for each of the Targets in their order, its process on this
	// machine and the HOST:PORT where GET /stats answers. Either may be shorter.
	PIDs   []int    `name:"pid" help:"Processes of the targets on this machine, in their order: memory, CPU and descriptors are read." placeholder:"N,..."`
	Admins []string `name:"admin" help:"Admin addresses of the targets, in their order: connections, sessions and evictions are read." placeholder:"H:P,..."`
	// Scrapes are metrics of servers that are read once a second: "URL[,SERIES...]", see scrape.Parse.
	Scrapes []string `name:"scrape" help:"Read series of a Prometheus text endpoint every second: URL (or HOST:PORT, or nodes for all admin addresses)[,[NAME=]METRIC[{LABEL=\"VALUE\",...}]...]; thresholds name them scraped.NAME.max; repeatable." placeholder:"URL,SERIES,..." sep:"none"`
	// Spawn is how many `stormwheel serve` children to start and to aim at.
	Spawn int `help:"Start this many nodes of this binary and aim at them (demo: 2)." placeholder:"N"`
	// NodeArgs are "name=value", passed to the children as --name=value.
	NodeArgs []string `name:"node-arg" help:"A flag of the spawned nodes, as in admit-rate=500; repeatable." placeholder:"NAME=VALUE" sep:"none"`
	// NodeCommand starts a child, which speaks Protocol; the flags of `serve` are appended.
	// Default: this program's `serve`.
	NodeCommand []string `kong:"-"`

	// AuthSecretFile holds the secret of which the clients' tokens are made (server.MintToken);
	// spawned nodes ask for them. Default: no tokens.
	AuthSecretFile string `type:"path" help:"The file that the targets have as --auth-secret-file: each client brings a token made from its first line. Spawned nodes get it too." placeholder:"FILE"`

	// Protocol is what Targets speak: "stormwheel" (default), "tcp-echo" or "mqtt" (3.1.1).
	Protocol string `help:"What targets speak: stormwheel, tcp-echo or mqtt, which is 3.1.1 (default stormwheel)." placeholder:"P"`
	// Transport is what clients come by, "tcp" (default), "tls", "ws" or "wss"; Targets may say it, as
	// in "wss://host:port/path". Spawned nodes are told, and have a certificate of their own making.
	Transport string `help:"What clients come by: tcp, tls, ws or wss (default tcp, or what --target says, as in wss://HOST:PORT/PATH)." placeholder:"T"`
	// Insecure takes any certificate of the targets, and TLSCA those of the authorities in the file in
	// place of the system's. TLSResume has clients come with a ticket once one of them has got one.
	Insecure  bool   `help:"tls, wss: take any certificate of the targets."`
	TLSCA     string `name:"tls-ca" type:"path" help:"tls, wss: authorities of the targets' certificates, PEM (default: the system's)." placeholder:"FILE"`
	TLSResume bool   `name:"tls-resume" help:"tls, wss: resume sessions, once there is a ticket, in place of full handshakes."`
	// ProxyProtocol has each connection begin with a PROXY header, "v1" or "v2", of an address of
	// 198.18.0.0/15. Spawned nodes believe it. Default: none.
	ProxyProtocol string `help:"Begin each connection with a PROXY header, v1 or v2, each of another address of 198.18.0.0/15 (default none). On loopback bench comes from 127.0.0.2 on: trust 127.0.0.0/8, or say --source 127.0.0.1." placeholder:"V"`
	// Username and Password are for mqtt; default: none.
	Username string `help:"mqtt: user name (default none)." placeholder:"U"`
	Password string `kong:"-"`

	// IgnoreAlternates keeps clients to the targets, whatever servers name.
	IgnoreAlternates bool `help:"Clients keep to the targets, whatever servers name."`

	// Place is "even" (default) over the targets, or all on the "first".
	Place string `help:"Clients over the targets: even or first (default even; talk: first)." placeholder:"P"`

	// Conns are the clients; default 1000.
	Conns int `help:"Clients (default 1000; demo: 5000; talk: 200; find-max: up to 10000)." placeholder:"N"`
	// Rate is connects per second, open loop; default 1000, in a flood all within a second.
	Rate float64 `help:"Connects per second, open loop (default 1000; demo: 900; find-max: 2000, or up to 20000 with --vary rate; storm --kind flood: all within a second)." placeholder:"R"`
	// Profile is "linear" (default), "step", with Steps plateaus up to Rate, 5 by default, "poisson", or "adaptive": linear, but
	// slower while the load test itself is late.
	Profile string `help:"The ramp: linear, step (climbs to --rate in plateaus), poisson, or adaptive (linear, but slower while the load test itself is late; default linear)." placeholder:"P"`
	Steps   int    `help:"Plateaus of --profile step (default 5)." placeholder:"N"`
	// Lifetime is the mean length of a session; default 10 s, in a soak 1 min.
	Lifetime time.Duration `help:"churn, soak: mean length of a session (default 10s; soak: 1m)." placeholder:"D"`
	// Goal is a threshold, and Vary "conns" (default), up to Conns, or "rate", up to Rate.
	Goal string `help:"find-max: PATH OP NUMBER over the result of each trial, as in heartbeat.rtt_ms.p99<50." placeholder:"EXPR"`
	Vary string `help:"find-max: conns, up to --conns (default), or rate, up to --rate." placeholder:"WHAT"`
	// Duration is how long churn goes on, default 30 s (soak: 10 min), and hold holds, default 30 s or longer if a
	// heartbeat and the patience for its answer need it; in the others the steady time before the
	// blow, default one heartbeat.
	Duration time.Duration `help:"hold, churn, talk: how long (default 30s, or as a heartbeat needs; soak: 10m; talk and a trial of find-max: 10s); others: the calm after the ramp (default one heartbeat; demo: 3s; of a target: 5s)." placeholder:"D"`

	// Send is the size, or the sizes, of a message that each client sends every Every, 10 s by default, and that the
	// server acknowledges; default: none. Deliver is that of one that nodes publish to all their clients
	// as often. Targets must have been told so themselves (serve --publish --every).
	Send    payload.Sizes `help:"Each client sends a message of that size every --every: 100B, 4KiB, 50B..2KB, or 100B:70%,1KB..4KB:30%; the latency is that until the acknowledgement, from when it was due." placeholder:"SIZES"`
	Deliver payload.Size  `help:"Spawned nodes publish a message of that size to all clients every --every; the latency is that until it is there. A target publishes by itself: serve --publish --every." placeholder:"SIZE"`
	Every   time.Duration `help:"Between two messages of --send and --deliver (default 10s; talk: 1s)." placeholder:"D"`

	// Rooms are how many rooms of RoomSize users each, 10 by default, talk; all other users do so in pairs. Of a room
	// the first Speakers speak, and all by default. Devices
	// are the clients of a user, 1 by default. Messages is the store of spawned nodes, "memory" or "bolt" (default),
	// with a file of its own for each, in a folder that ends with the run.
	Rooms    int    `help:"talk: rooms; users who are in none talk in pairs (default none)." placeholder:"N"`
	RoomSize int    `help:"talk: users in a room, each of whom hears what all say (default 10)." placeholder:"N"`
	Speakers int    `help:"talk: users of a room who say something, while the others only listen: 2 of 100 are a fan-out of 2 to 100 (default all)." placeholder:"N"`
	Devices  int    `help:"talk: clients of a user; all of them send, and are sent to (default 1)." placeholder:"N"`
	Messages string `help:"talk: the store of spawned nodes, memory or bolt, which is a file in a temporary folder (default bolt)." placeholder:"STORE"`
	// Cluster has spawned nodes know each other, says that targets do, and has users be at all of them.
	Cluster bool `help:"talk: the spawned nodes, or the targets, are a cluster, and those who talk are at all of them."`
	// KillAfter and DrainAfter are when the first node is killed, or asked to end, while users talk; default: never.
	// RestartAfter is how long after its end it is started again with its store; default 2 s.
	KillAfter    time.Duration `help:"talk: kill -9 of the first spawned node so long after they began." placeholder:"D"`
	DrainAfter   time.Duration `help:"talk: SIGTERM to it instead." placeholder:"D"`
	RestartAfter time.Duration `help:"talk: how long after its end it is started again, with its store (default 2s)." placeholder:"D"`
	// Rolling has DrainAfter strike all nodes, one after the other. SplitAfter is when the nodes of a Cluster cease to hear each
	// other, for SplitFor; default: never, and 5 s.
	Rolling    bool          `help:"talk: --drain-after strikes all spawned nodes, one after the other."`
	SplitAfter time.Duration `help:"talk, with --cluster: the nodes cease to hear each other so long after they began; in a network namespace, as of unshare --net." placeholder:"D"`
	SplitFor   time.Duration `help:"talk: how long they do not (default 5s)." placeholder:"D"`

	// Heartbeat, Timeout and Tick are those of the spawned nodes, 30 s, 2.5 heartbeats and 250 ms by
	// default. With Targets, Heartbeat is that of the clients, and Timeout that of a tcp-echo
	// server, default none.
	Heartbeat time.Duration `help:"Heartbeat of spawned nodes (default 30s; demo: 2s; find-max: 5s), or of the clients of a target." placeholder:"D"`
	Timeout   time.Duration `help:"Timeout of spawned nodes (default 2.5 heartbeats), or of a tcp-echo server (default none)." placeholder:"D"`
	Tick      time.Duration `help:"Tick of spawned nodes (default 250ms)." placeholder:"D"`
	// PongTimeout is the clients' patience; default 10 s.
	PongTimeout time.Duration `help:"The clients' patience (default 10s)." placeholder:"D"`
	// Policy is what clients do after a loss; default "window".
	Policy string `help:"After a loss: window, full, equal, decorrelated, fixed, exponential (default window)." placeholder:"P"`

	// Kind is that of the storm: "kill", "drain", "cut", "freeze", "blackout", "restart", "flood", "grey" or "external".
	Kind string `help:"storm: kill, drain, cut, freeze, blackout, restart, flood, grey or external (the default with --storm-cmd and --drain-cmd)." placeholder:"K"`
	// StormCmd and DrainCmd are run by sh, and strike the targets (--kind external), or ask them to hand their clients
	// over; at StormAt, on the clock of the first arrival, or after the calm. StormAt alone says that somebody else does
	// then; without any of them the storm is found as the first mass loss.
	StormCmd string        `name:"storm-cmd" help:"storm --kind external: a command that strikes the targets, run by sh, as in 'systemctl restart x'; t0 is when it starts." placeholder:"CMD"`
	DrainCmd string        `name:"drain-cmd" help:"storm --kind external: the same, of one that has them hand their clients over: nobody may be offline." placeholder:"CMD"`
	StormAt  time.Duration `name:"storm-at" help:"storm --kind external: when, after the first client could come (default: after --duration); without a command somebody else strikes then, and without --storm-at, too, the first mass loss is the storm, waited for for --duration (default 10m)." placeholder:"D"`
	// RecoveryTimeout is when to stop waiting for returns; default 60 s.
	RecoveryTimeout time.Duration `help:"storm: how long to wait for all to return (default 1m; demo: 30s)." placeholder:"D"`
	// Capacity is what the receivers admit per second; default: known for spawned nodes. SearchCapacity: it is found out before.
	Capacity float64 `type:"capacity" help:"storm: clients per second that the receivers admit, for ideal_s (known for spawned nodes); search finds it out before, by ramps that get steeper." placeholder:"R"`
	// Cohorts are policies instead of Policy, as in "full:50%,fixed:50%".
	Cohorts string `help:"storm: policies that share the clients, as in full:50%,fixed:50%." placeholder:"P:SHARE,..."`
	// Probes is the share of the clients that a scenario does not touch and that are measured
	// apart. Default 0.02, and ten at least of 500 clients; negative: none.
	Probes float64 `type:"probes" help:"Share of clients that are left alone and measured apart, or none (default 0.02, ten at least of 500)." placeholder:"F"`
	// Deadline is that of the server for a HELLO or the rest of a frame; default 5 s, for PINGs 10 s.
	Deadline time.Duration `help:"halfopen, trickle: of the server (default 5s; for PINGs 10s)." placeholder:"D"`
	// Trickle is what goes out byte by byte, "hello" (default) or "ping", with TrickleInterval
	// between two bytes, 200 ms by default.
	Trickle         string        `help:"trickle: what goes out byte by byte, hello or ping (default hello)." placeholder:"FRAME"`
	TrickleInterval time.Duration `help:"trickle: between two bytes (default 200ms)." placeholder:"D"`
	// Freeze is for how long; default: until every client has noticed, and 5 s.
	Freeze time.Duration `help:"storm --kind freeze: how long (default: until every client has noticed, and 5s)." placeholder:"D"`
	// Outage is how long no node runs in a blackout, default 15 s, or all are slow (grey), default 30 s.
	Outage time.Duration `help:"storm --kind blackout: how long no node runs (default 15s); grey: how long they are slow (default 30s)." placeholder:"D"`
	// Slow makes spawned nodes slow while a storm of the kinds kill and flood goes on: "1ms/150ms"
	// stops each for the second of these after it ran for the first. Default: they run all the time.
	Slow string `help:"storm --kind kill, flood, grey (default 1ms/120ms): spawned nodes run for the first of two times and stand still for the second (SIGSTOP), until all are in, or --outage is over, as in 1ms/150ms." placeholder:"RUN/STOP"`
	// Fraction is the share of the clients that a scenario has misbehave, default 0.1 for
	// silent, 0.5 for halfopen and trickle; in a cut, the share of connections that break, default: all to the first target; in a
	// flood, the share of clients that are in before, default 0.1; in a talk, the share of the users in pairs that
	// read and do not acknowledge until all is said, default none.
	Fraction float64 `help:"silent: share of the clients that stop speaking (default 0.1); halfopen, trickle: that do so (default 0.5); storm --kind cut: share of the connections (default: all to the first target); storm --kind flood: share that is in before (default 0.1); talk: of the users in pairs, read and do not acknowledge until all is said (default none)." placeholder:"F"`

	// Workers are the processes that share the clients. 0: as many as the descriptors of a
	// process ask for; 1: this process has them all.
	Workers int `type:"workers" help:"Processes that share the clients: auto (as many as the descriptors of one ask for) or a number." default:"auto" placeholder:"N"`
	// WorkerCommand starts one, which must call Work. Default: this program's `bench-worker`.
	WorkerCommand []string `kong:"-"`

	// Sources are local addresses, "127.0.0.2-127.0.0.50"; default: as many as the ports require.
	Sources string `name:"source" help:"Local addresses, as in 127.0.0.2-127.0.0.50 (default: as many as the ports require)." placeholder:"A-B"`
	// Seed is that of arrivals and choices; default: from the clock.
	Seed uint64 `help:"Seed of arrivals and choices (default: from the clock)." placeholder:"N"`
	// Repeat makes as many runs, one after the other, with Seed and those after it; 0: one.
	Repeat int `help:"Make as many runs, one after the other, each with the next seed: the spread of their figures is in the result, and with --json FILE.json each is in FILE-1.json and so on." placeholder:"N"`
	// StartAt is the moment of the first arrival; zero: when all is ready.
	StartAt time.Time `type:"start" help:"When the first client may come, RFC 3339 or HH:MM:SS, at most 24 h ahead; several machines begin together." placeholder:"TIME"`
	// Thresholds are judged beyond what the scenario promises; with NoPromises, alone.
	Thresholds []string `name:"threshold" help:"PATH OP NUMBER over the result, as in storm.t99_s<30, or of a part of the run, as in heartbeat.rtt_ms.p99[steady]<50 or connect.rate_per_s[10s..20s]>500; beyond what the scenario promises; repeatable." placeholder:"EXPR" sep:"none"`
	NoPromises bool     `help:"Judge --threshold alone, and not what the scenario promises; the result says so."`
	// AbortOn ends the run, with its result so far and as one that failed, when one of these has held for AbortAfter;
	// default at once.
	AbortOn    []string      `name:"abort-on" help:"End the run as failed when this holds, as in 'conns.lost>100' or 'heartbeat.rtt_ms.p99>500': counts so far, all else of the last second; repeatable." placeholder:"EXPR" sep:"none"`
	AbortAfter time.Duration `help:"How long it must hold (default: a second is enough)." placeholder:"D"`
	// IOwnTheTarget allows a target that is not loopback.
	IOwnTheTarget bool `name:"i-own-this-target" help:"Allow a target whose address is not loopback."`

	Version string   `kong:"-"` // of the program; default: that of the module
	Command []string `kong:"-"` // the words that started the run, for the result

	// LateLimit is the generator lateness, p99, up to which figures count. Default 20 ms;
	// tests that share the machine with others widen it.
	LateLimit time.Duration `kong:"-"`
}

// has reports whether a phase does what.
func (c *Config) has(what string) bool {
	_, ok := c.phase(what)
	return ok
}

// phase is the last one that does what.
func (c *Config) phase(what string) (last Phase, ok bool) {
	for _, ph := range c.Phases {
		if ph.Do == what {
			last, ok = ph, true
		}
	}
	return last, ok
}

// storms reports whether a node is struck, or the connections to it.
func (c *Config) storms() bool { return c.Kind != "" }

// targets is how many servers there are.
func (c *Config) targets() int { return max(c.Spawn, len(c.Targets)) }

// onFirst is how many clients the first server gets.
func (c *Config) onFirst() int {
	if c.Alone() {
		return c.Conns
	}
	if c.Place == "first" {
		return c.Conns - c.ProbeCount()
	}
	return (c.Conns + c.targets() - 1) / c.targets()
}
