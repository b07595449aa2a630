package swarm

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/payload"
	"github.com/stormwheel/stormwheel/internal/link"
)

// Config says who connects where, and when.
type Config struct {
	Endpoints []netip.AddrPort // the targets; servers may name more
	Sockets   []string         // the targets, if they are unix sockets: "unix:" and the path
	Sources   []netip.Addr     // local addresses, dealt out in turn; none: the kernel chooses
	PlaceAll  bool             // all on the first endpoint, instead of evenly
	Conns     int
	Rate      float64 // connects per second
	Profile   string  // of the arrivals; "": linear
	Steps     int     // of the profile step
	// Lifetime is how long sessions last on average before their clients leave; 0: for ever.
	Lifetime time.Duration
	// OnDemand has clients wait for Arrive to connect, and for Unsettle to leave.
	OnDemand bool
	Cohorts  []Cohort // instead of Policy; their shares make up the whole

	// Probes are clients that are left alone and measured apart, HalfOpen ones that say
	// nothing once they are connected, Tricklers ones that send their HELLO, or their PINGs, a
	// byte every TrickleInterval; the server is to close those if they are TooSlow. Deadline is
	// when it does, from the connect or the first byte.
	Probes          int
	ProbesFirst     bool // the first ones, instead of evenly from all
	ProbeInterval   time.Duration
	HalfOpen        int
	Tricklers       int
	TrickleInterval time.Duration
	TricklePings    bool
	TooSlow         bool
	Deadline        time.Duration
	// First and Of make this swarm one of several: of the Conns clients it has numbers First,
	// First+Of, First+2*Of, ... Of 0 is 1.
	First, Of int
	Seed      uint64
	Loops     int // 0: one for every two processors

	Policy      link.Policy
	Interval    time.Duration // 0: what the server says
	PongTimeout time.Duration // 0: the link's default
	Grid        time.Duration // PINGs are due at its multiples; 0: whenever a link has drawn

	// Send are the sizes of the messages that each client sends, one every Every; empty: none. Deliver says
	// that the servers publish one every Every.
	Send    payload.Sizes
	Deliver bool
	Every   time.Duration
	// Talk has the clients send to each other in place of to the server, from Swarm.Talk on; nil: they do not.
	Talk *Talk
	// WebSocket is the path of the targets' WebSocket; "": there is none.
	WebSocket string
	// TLS has clients come by that; nil: they do not.
	TLS *TLS
	// ProxyProtocol is the version, "v1" or "v2", of the PROXY header that each connection begins
	// with, as if a balancer stood between; "": none.
	ProxyProtocol string

	Protocol string        // "" is our own
	Timeout  time.Duration // tcp-echo; 0: none
	Username string        // MQTT
	Password string
	Secret   []byte // of the clients' tokens; nil: they have none

	IgnoreAlternates bool
	// AnyAddress lets clients follow a server's alternates beyond loopback.
	AnyAddress bool
}

// TLS says whom clients believe.
type TLS struct {
	ServerName string // of whom the certificate must be
	Insecure   bool   // it may be anybody's
	CA         []byte // authorities, PEM; nil: the system's
	Resume     bool   // sessions are resumed once there is a ticket
}

// stormStart marks the moment from which losses and attempts belong to a storm.
type stormStart struct {
	t0      time.Duration
	victims []string     // the endpoints that are struck: what they close without a word is no eviction
	flood   bool         // who arrives from t0 on waits to get in, and is the storm
	watched bool         // nobody tells when it begins: t0 is when it began to be watched for
	found   atomic.Int64 // nanoseconds from t0 until it did, if it is one that is watched for
	over    atomic.Bool  // what happens to clients from now on is no part of it
}

func (s *stormStart) struck(c *client) bool {
	return s != nil && slices.Contains(s.victims, c.link.Info().Endpoint)
}

// targets is how many there are.
func (c *Config) targets() int { return len(c.Endpoints) + len(c.Sockets) }
