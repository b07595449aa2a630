package server

import (
	"crypto/tls"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Config says how a node behaves. The zero value of a field means its default; New
// works on a copy.
type Config struct {
	// Listen is the TCP address, "host:port". Port 0 takes a free one; Addr tells it.
	// Default "127.0.0.1:7000".
	Listen string
	// Listeners are several addresses, in place of Listen, each with what may come by it.
	Listeners []Listener
	// Transports are what clients may come by; a connection's first byte says which it is.
	// Default TransportTCP alone, with TLS TransportTLS alone.
	Transports []Transport
	// TLS has clients come by TLS 1.3, if Transports say so; it is copied. A listener may have its own. The standard library does
	// the handshakes by it, certificates and callbacks included, off the loops; GetCertificate and
	// GetConfigForClient may wait, but as many of them as there are processors hold up all others.
	// Tickets are under keys made of ClusterSecrets, so that all nodes that have it take them, and
	// this one after a restart; without one they are good at this node until it ends.
	// SetSessionTicketKeys has no effect. Default nil: no TLS.
	TLS *tls.Config
	// HandshakeRate is how many TLS handshakes a second may begin, half a second's worth at once, 16 at
	// least: it leaves processors to the clients that are in. Who comes by TLS waits for it at most 2 s.
	// Default 0: as many as the processors manage.
	HandshakeRate float64
	// MaxTLS12 is how many connections there may be of TLS 1.2, which cost 7 KB each and not some 150 bytes. Default
	// 0: there is TLS 1.3 alone, whatever MinVersion TLS has.
	MaxTLS12 int
	// WebSocket says where WebSockets are, and for whom.
	WebSocket WebSocket
	// TrustedProxies are the networks of the balancers that are believed when they tell for whom
	// they connect: by a PROXY header, or, of a WebSocket without one, by X-Forwarded-For, of
	// which the last address that is no trusted proxy counts. Judged by the socket's peer alone.
	// Default: none.
	TrustedProxies []netip.Prefix
	// ProxyProtocol says whether there are PROXY headers. One has 3 s from the accept.
	// Default ProxyOff.
	ProxyProtocol ProxyProtocol
	// Node is the name that clients and logs see, at most codec.MaxNode bytes.
	// Default: the address that was bound.
	Node string
	// Loops is the number of event loops, 1 to 256. Default GOMAXPROCS.
	Loops int

	// Heartbeat is how often clients are told to speak, at least codec.MinInterval. Default 30 s.
	Heartbeat time.Duration
	// Timeout is the silence after which a client is evicted; it must be longer than
	// Heartbeat, at least codec.MinTimeout and below 2^24 - 1 ticks. Default 2.5 x Heartbeat, so that two lost heartbeats are forgiven.
	Timeout time.Duration
	// Tick is the resolution of every deadline, 1 ms to 10 s. An eviction comes at
	// most two ticks late, or four if the kernel held unread bytes of the client.
	// Default 250 ms.
	Tick time.Duration
	// HelloTimeout is the time from accept to a complete HELLO. Default 5 s.
	HelloTimeout time.Duration
	// PartialTimeout is the time within which a frame that was begun must be complete
	// or must have progressed by 4 KiB. Default 10 s.
	PartialTimeout time.Duration
	// WriteTimeout is the time in which the peer's kernel must take 4 KiB of what is sent to it,
	// or all, whatever it sends itself. Default 10 s.
	WriteTimeout time.Duration
	// KeepAlive has the kernel probe TCP connections on which nothing has come for that long, and end
	// them when five probes, a fifth of it apart, find nobody. It sees less than the heartbeat: a frozen
	// process answers probes (docs/HEARTBEATS.md). 5 s to 9 h. Default 0: there are no probes.
	KeepAlive time.Duration
	// UserTimeout is TCP_USER_TIMEOUT, on Linux: the kernel ends a connection of which it has sent
	// something that nobody acknowledges for that long, or whose probes nobody answers. WriteTimeout and Timeout
	// see that, too, and tell it; a value above Timeout ends what they do not reach. 1 s to 24 days.
	// Default 0: what the system's retries take, 15 minutes.
	UserTimeout time.Duration

	// MaxConns bounds the connections that are let in; refused ones that still read why
	// come on top, within the descriptor reserve. Default and upper bound: what the
	// descriptor limit leaves.
	MaxConns int
	// MaxFrame bounds the payload of a frame, in bytes, both ways: 12 bytes of framing come on
	// top, and the body of a message is 8 bytes shorter. A client that is not authenticated
	// may send codec.MaxPayloadBeforeAuth. At most 16 MiB. Default codec.MaxPayload, 64 KiB.
	MaxFrame int
	// MaxQueued bounds the bytes that wait in user space for one client; beyond it the
	// client is closed as a slow consumer, unless the message is one of DeliverFunc (ErrWindow) or
	// the bytes are those of one callback (ErrQueue). It holds a frame at least. Default 256 KiB.
	MaxQueued int
	// SoftQueued is how many bytes may wait for one client before optional messages to it
	// are dropped. Default 64 KiB, MaxQueued if that is less; negative: they never are.
	SoftQueued int
	// MaxQueuedTotal bounds the bytes that wait for all clients together, those of frames that they
	// have begun and not ended, and those of messages that paused sessions keep. Over its last eighth everybody's share shrinks, so
	// the largest offenders are closed first.
	// Default a quarter of MemoryLimit, or of the machine's memory; negative: no bound.
	MaxQueuedTotal int64

	// MaxFrameRate bounds the frames a second from one client, MaxByteRate their bytes;
	// four seconds' worth may come at once. Beyond it the client is closed with
	// "rate_limit". Default 2000 and 4 MiB; negative: no bound.
	MaxFrameRate int
	MaxByteRate  int
	// UnsettledBytes is how many bytes of SENDs a client may have that are neither acknowledged nor
	// refused. Clients are told it, with the 256 that they may be, and keep below it; the node holds
	// nobody to it but by the rates, and while the session is paused (Session.PauseRead). It holds a frame at least. Default 256 KiB; negative: no bound.
	UnsettledBytes int

	// MemoryLimit is what the process may use, in bytes. New clients are refused at 92 %
	// of it, and at 95 % unauthenticated ones are closed, and those that keep most of it. Default: the limit of the
	// control group, or none; negative: none.
	MemoryLimit int64

	// AdmitRate is how many clients a second may come in, half a second's worth at once,
	// 16 at least.
	// It is a ceiling: a node that cannot take so many in finds that out (Stats.Pace).
	// Who comes earlier is given a slot and a ticket, for a minute ahead. Default 2000.
	AdmitRate float64
	// FailoverRate is the rate of the nodes that would take over this node's clients,
	// from which the reconnect window follows. Default AdmitRate, and less
	// when this node has long been slower than that: the others are taken to be like it.
	FailoverRate float64
	// MaxWindow bounds the reconnect window. Default 60 s.
	MaxWindow time.Duration
	// Alternates are addresses of other nodes, told to clients.
	Alternates []string
	// DrainGrace is how long Drain leaves the present clients alone, so that a balancer has
	// noticed that the node is not ready. Default 10 s; negative: not at all.
	DrainGrace time.Duration
	// DrainWindow is the longest that telling all clients to go may take; if FailoverRate
	// would take longer, the receiving nodes get them faster. Default 60 s.
	DrainWindow time.Duration

	// AddrConns bounds the sessions of one address (IPv4, or an IPv6 /64), AddrRate its
	// handshakes a second, eleven at once. Default 0: no limit, since behind a NAT thousands of
	// honest clients share one address.
	AddrConns int
	AddrRate  float64

	// IDRate bounds the handshakes a second of one client id from one address, eleven at once;
	// beyond it the client is told how long to stay away. With Auth, only those whose token
	// was good count. Default 0.2, negative: no limit.
	IDRate float64

	// Duplicates is what becomes of a client that comes under an id which has MaxSameID sessions on
	// this node already. Default StandBeside: there is no bound.
	Duplicates Duplicates
	// MaxSameID is how many sessions of one client id there may be under Replace and Refuse.
	// Default 1.
	MaxSameID int
	// Index keeps an index of client ids for Lookup, though Duplicates bounds nothing: 40 bytes a
	// session, a hash and a lock at login and at logout. With Replace and Refuse there always is one.
	Index bool

	// Auth decides who may have a session. Default nil: everybody, of which Logger is warned.
	Auth Authenticator
	// AuthWorkers is how many clients are checked at a time (default 16), AuthQueue how
	// many more may wait (default 1024; beyond it a client is told to come again), and
	// AuthTimeout how long one check may take, with its wait for a worker (default 4 s: a client
	// waits 5 s for WELCOME, and is told "busy" before that). Workers and queue are at most half of the
	// connections that may be not in yet.
	AuthWorkers int
	AuthQueue   int
	AuthTimeout time.Duration
	// ClusterSecrets are shared by the nodes of a cluster, so that each knows the others'
	// clients when they return; strangers get half of the queue at most, they all of it. The first
	// signs, and clients are known by all, so that a secret can be changed while clients hold what
	// the old one has signed, for 7 days. Each at least MinSecret bytes. Default: a random one, good
	// for this run of this node.
	ClusterSecrets [][]byte

	// Handler is the application. Default: nothing happens.
	Handler Handler
	// Logger gets what operators need to know. Event loops call it, so its handler must not
	// block: one that writes to a pipe does when nobody reads it. Default: nothing is logged,
	// warnings and the stacks of panics included.
	Logger *slog.Logger
	// LogLevel is what Logger's handler goes by (slog.HandlerOptions.Level), so that Update can change it. Default
	// nil: the level stays.
	LogLevel *slog.LevelVar
}

// Handler is the application's side of a node. A nil function is not called. All are
// called on the session's event loop and must not block: while one runs, that loop's
// other clients wait. The Session is of use until the function returns; keep its Ref. A
// panic closes that session alone; runtime.Goexit, as testing.T's FailNow calls it, ends the
// node with ErrGoexit.
type Handler struct {
	// Stamp numbers a login. It is called before the client is welcomed, with the number of the login from which it
	// comes back, as its return pass carries it under its seal from any node of the cluster; 0: none is known. What it
	// returns is Session.Stamp, and goes into the client's next return pass. Nil: logins have no number.
	Stamp func(after uint64) uint64
	// Unstamp is called with what Stamp returned for a client that had gone before it could be welcomed.
	Unstamp func(stamp uint64)
	// Opened is called when a client was welcomed: one that is new, or (Session.Previous) one that came back to
	// this run of the node, was handed over within it, or has replaced its like.
	Opened func(s *Session)
	// Message is called for each SEND. The body is valid until the function returns.
	// Nothing is settled unless the handler does it, here by s.Ack, s.Nack or s.Reply, or later by
	// Server's; what it does not settle stays open, and the client sends it again
	// over its next connection. The node knows it then and does not call Message for it again: it is
	// answered as it was settled, or when it is. That holds until five minutes after the client's
	// last session here has ended, in this run of this node, for clients that told an incarnation.
	// Elsewhere, and later, a repeat is a message like any other: Sender and number are its name,
	// for who must know it still. A number of 0 wants no answer, comes once at most, and gets no
	// answer if it is acknowledged. If the handler panics, the message is refused with
	// codec.NackInternal before its session ends, so that it is not what ends the next one, too; it
	// may come again.
	Message func(s *Session, m Message)
	// Missed is called when a session has taken all that waited for it, and did not get so many
	// messages of a group before that, since it was slow: once a group. Who can recover them does.
	Missed func(s *Session, group string, messages int)
	// Closed is called once for every session that was Opened, after what was outstanding has been
	// told as Lost. Nothing can be sent to it any more, and what Server.Deliver still has for it
	// counts in Stats.Stale. Whether its client has left, or has a session yet, Server.Lookup tells.
	Closed func(s *Session, why Reason)
}

const defaultListen = "127.0.0.1:7000"

// withDefaults returns c with every zero field filled.
func (c Config) withDefaults() Config {
	def(&c.Listen, defaultListen)
	if c.Transports == nil {
		c.Listeners = slices.Clone(c.Listeners)
		for i := range c.Listeners {
			if l := &c.Listeners[i]; l.TLS != nil && l.Transports == nil {
				l.Transports = []Transport{TransportTLS}
			}
		}
		c.Transports = []Transport{TransportTCP}
		if c.TLS != nil {
			c.Transports = []Transport{TransportTLS}
		}
	}
	def(&c.WebSocket.Path, "/")
	def(&c.ProxyProtocol, ProxyOff)
	def(&c.Loops, min(runtime.GOMAXPROCS(0), gate.MaxLoops))
	def(&c.Heartbeat, 30*time.Second)
	def(&c.Timeout, c.Heartbeat*5/2)
	def(&c.Tick, 250*time.Millisecond)
	def(&c.HelloTimeout, 5*time.Second)
	def(&c.PartialTimeout, 10*time.Second)
	def(&c.WriteTimeout, 10*time.Second)
	def(&c.MaxConns, math.MaxInt32)
	def(&c.MaxFrame, codec.MaxPayload)
	def(&c.MaxQueued, max(256<<10, c.MaxFrame+codec.Overhead))
	def(&c.SoftQueued, min(64<<10, c.MaxQueued))
	def(&c.MaxFrameRate, 2000)
	def(&c.MaxByteRate, 4<<20)
	def(&c.UnsettledBytes, max(256<<10, c.MaxFrame))
	def(&c.AdmitRate, 2000)
	def(&c.IDRate, 0.2)
	def(&c.MaxSameID, 1)
	def(&c.AuthWorkers, 16)
	def(&c.AuthQueue, 1024)
	def(&c.AuthTimeout, 4*time.Second)
	def(&c.FailoverRate, c.AdmitRate)
	def(&c.MaxWindow, time.Minute)
	def(&c.DrainGrace, 10*time.Second)
	def(&c.DrainWindow, time.Minute)
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return c
}

// reactor is the part that is the reactors'.
func (c *Config) reactor() *reactor.Config {
	return &reactor.Config{Tick: c.Tick, Heartbeat: c.Heartbeat, Timeout: c.Timeout, HelloTimeout: c.HelloTimeout,
		PartialTimeout: c.PartialTimeout, WriteTimeout: c.WriteTimeout, AuthTimeout: c.AuthTimeout, MaxWindow: c.MaxWindow,
		MaxFrame: c.MaxFrame, MaxQueued: c.MaxQueued, SoftQueued: c.SoftQueued, MaxFrameRate: c.MaxFrameRate, MaxByteRate: c.MaxByteRate,
		UnsettledBytes: c.UnsettledBytes, Alternates: []byte(strings.Join(c.Alternates, ","))}
}

// gate is the part that is the gates'.
func (c *Config) gate() gate.Config {
	return gate.Config{Heartbeat: c.Heartbeat, Tick: c.Tick, AdmitRate: c.AdmitRate, FailoverRate: c.FailoverRate, HandshakeRate: c.HandshakeRate,
		AddrConns: c.AddrConns, AddrRate: c.AddrRate, IDRate: c.IDRate, Secrets: c.ClusterSecrets,
		Index: c.Index, Duplicates: gate.Duplicates(c.Duplicates), MaxSameID: c.MaxSameID}
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
