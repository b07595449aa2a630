package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

// Policy chooses the waits between attempts. All but Window ignore the window that the
// server announces; they are for servers that announce none, and for comparison.
type Policy uint8

// The policies. Backoff v doubles from BackoffMin to BackoffMax.
const (
	// Window is the default: after a loss U(0, the window that the server told last). What
	// fails then is followed as under Full while v is below w, which is that window, 2.5 s at
	// least, and after that by w/2 + U(0, w). So all clients together make as many attempts as
	// the nodes can take in, and none is away for long once they are back. In an outage of
	// more than 2 min w grows, until it is two thirds of BackoffMax after 10 min.
	Window       Policy = iota
	Full                // U(0, v)
	Equal               // v/2 + U(0, v/2)
	Decorrelated        // U(BackoffMin, 3 x the wait before)
	Fixed               // BackoffMin
	Exponential         // v
)

// String is the policy's name: "window", "full".
func (p Policy) String() string { return link.Policy(p).String() }

// Config describes a client. Endpoints and ID are needed; zero means the default.
type Config struct {
	// Endpoints are the nodes, "host:port" or, on this machine, "unix:path", or all "tls://host:port" to come by TLS 1.3, all
	// "ws://host:port/path" by WebSocket, or all "wss://host:port/path" by both; to what nodes name
	// the client comes as to these. One is chosen at random; nodes may name more. Each
	// address of a name counts as a node: what fails to connect leads to the next at once.
	Endpoints []string

	// IgnoreAlternates keeps to Endpoints, whatever nodes name. Behind a NAT, or outside a
	// private network, what nodes call each other leads nowhere.
	IgnoreAlternates bool

	// ID is who the client is, 1 to 128 bytes of UTF-8 without control characters. What a
	// second session of the same ID means is for the server to say: sessions stand beside each
	// other, the newer replaces the older, whose client ends (codec.CodeReplaced), or the newer is refused
	// for a while (codec.CodeInUse). A Client that comes back, or is handed over, is always the same one.
	ID string

	// TLS is for endpoints that are tls:// or wss://; it is copied. A ServerName in it holds for all
	// nodes; else each must have a certificate of the host, or address, by which it is called. Tickets
	// of eight nodes are kept, unless it has a ClientSessionCache of its own, or
	// SessionTicketsDisabled. New refuses a MaxVersion below 1.3, and all of it under fips140=only. Default nil:
	// the system's authorities.
	TLS *tls.Config

	// TokenSource is asked for the credential before every connection, within nine tenths of
	// Info.ConnectTimeout, which it shares with the look-up of the name, and must return when
	// ctx ends. Default nil: no token, and the code "token_expired" ends Run.
	//
	// A server that lets the client in for a time only tells when that ends. TokenSource is then
	// asked in the session, too, after 0.7 to 0.9 of that time, and the token renews the session,
	// which goes on without a break. If that fails, it is asked again as often before the end, and
	// after that for the next connection. Such a call may overlap one for a connection.
	//
	// An error costs the attempt and blames no node. A panic of this or any other function here,
	// or its runtime.Goexit, ends the client, also one that shall NeverGiveUp: Run returns a *PanicError.
	// It is logged with its stack as well, without a Logger by slog.Default, since not everybody looks at
	// what Run returns. Four calls of TokenSource, and four of Dial, may be
	// late: no attempt is made then until one of them returns.
	TokenSource func(ctx context.Context) ([]byte, error)

	// Deliver takes a message of the server. Its return acknowledges that, unless it has called
	// the message's Ack, AckWith, AckLater, Nack or Reply. Meanwhile no other callback is
	// called and nothing is read, so that a server is not faster than its client, but heartbeats
	// go on. Send, SendAcked and Request may be called in it and in every callback: while they wait, the
	// answers for which they do are read, past 4 MiB of messages at most. A message
	// whose Deliver panics is refused with codec.NackInternal, before the client ends. Default nil: every message is
	// refused with codec.NackRefused.
	Deliver func(m Message)

	// Settled tells what became of the message to which Send gave this number: once for each,
	// of the last ones before Run returns, and perhaps before that Send returns. The client has
	// dropped its copy then: Outcome.Body is what a message that failed was.
	Settled func(number uint64, o Outcome)

	// AtMostOnce sends nothing again: what Send took and nobody has settled when its connection
	// ends is settled then, with ErrLost.
	AtMostOnce bool

	// StateChange tells each new state, and each move to another node, around which the
	// state stays Ready. If it can't keep up, states are left out, never the latest.
	StateChange func(Info)

	// OnLost tells that a session has ended otherwise than by Close or Run's ctx, and what has no answer yet.
	// The client comes back by itself, unless Run returns with the same error. If it can't keep up, losses are left out.
	OnLost func(Loss)

	// NeverGiveUp keeps the client from ending, whatever servers say: Run returns when ctx ends,
	// by Close, or with a *PanicError. It is for a device that nobody can start again. The codes that end others (see Run)
	// count as the refusal of one node then, and a token that is not accepted as a reason to come
	// back with it. Two clients of one ID that replace each other go on doing so, ever more
	// slowly.
	NeverGiveUp bool

	// Dial makes the connection; proxies go here, and TLS that is not of Endpoints. network is "tcp",
	// and addr the endpoint as it was given, or they are "unix" and the path. It must return when ctx ends; what it returns later is closed. Default nil: TCP, to
	// one of the addresses that the name has. What wraps a
	// connection should have a method NetConn, as *tls.Conn has: on Linux the client then
	// sees what the server's kernel took. Without it, what was written counts as taken.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	Policy Policy // default Window

	// Interval is the longest silence before a PING. Default 0: what the server says.
	// A server that asks for patience, since it is late, and for a longer one gets that.
	// It is cut to four fifths of the server's timeout.
	// At least 100 ms.
	Interval time.Duration

	// Durations are at most an hour, but for KeepAlive and UserTimeout.

	PongTimeout    time.Duration // silence after a PING that means death, if the server asks for no longer one (1min at most); default 10s
	ConnectTimeout time.Duration // the first for each of token and name, and connect(); default 5s
	WelcomeTimeout time.Duration // the first from HELLO to WELCOME; default 5s; see Info for the next
	WriteTimeout   time.Duration // in which nothing is written, nor taken by the server's kernel; default 10s

	// KeepAlive and UserTimeout have the kernel end TCP connections of the client's own, not those of
	// Dial: one whose server has been silent for KeepAlive and answers none of five probes, a fifth
	// of it apart (5 s to 9 h), and, on Linux, one of which something that was sent stays unacknowledged
	// for UserTimeout (1 s to 24 days). The client's own PINGs see more, and sooner. Default 0: neither.
	KeepAlive   time.Duration
	UserTimeout time.Duration

	BackoffMin  time.Duration // first step of the backoff; default 500ms
	BackoffMax  time.Duration // the longest wait that no server ordered; default 60s
	StableAfter time.Duration // age at which a session ends the backoff; default 1min

	// MaxPayload limits the payload of every frame in both directions, in bytes; default
	// codec.MaxPayload, at least 8 KiB. The body of a message may have 8 bytes less. A server
	// may take less than that, see Send. One may send more, and tells how much (Info.MaxDeliver): the
	// client logs that, once, and loses its session with the first such message, since it is the
	// application that decides how much memory a server may take.
	MaxPayload int

	// MaxQueued is how many bytes Send queues for a server that reads slowly before it
	// waits; default 1 MiB.
	MaxQueued int

	// Logger gets sessions that begin, that are lost and by whose word, attempts that fail, what renews no token, and that a
	// server sends larger messages than MaxPayload: for a program that only shows these, slog.Default() is enough, without
	// StateChange and OnLost. Default nil: nothing is logged but panics.
	Logger *slog.Logger
}

// fill returns c with its defaults, and what the link needs of it.
func (c Config) fill() (Config, link.Config, error) {
	l := link.Config{
		Endpoints:        append([]string(nil), c.Endpoints...),
		IgnoreAlternates: c.IgnoreAlternates,
		Policy:           link.Policy(c.Policy),
		Interval:         c.Interval,
		PongTimeout:      c.PongTimeout,
		ConnectTimeout:   c.ConnectTimeout,
		WelcomeTimeout:   c.WelcomeTimeout,
		BackoffMin:       c.BackoffMin,
		BackoffMax:       c.BackoffMax,
		StableAfter:      c.StableAfter,
		MaxPayload:       c.MaxPayload,
		AtMostOnce:       c.AtMostOnce,
		NeverGiveUp:      c.NeverGiveUp,
		FreshTokens:      c.TokenSource != nil,
	}
	l.Fill()
	if err := l.Validate(); err != nil {
		return c, l, fmt.Errorf("client: %w", err)
	}
	if _, err := codec.AppendHello(nil, &codec.HelloMessage{ClientID: []byte(c.ID)}); err != nil {
		return c, l, fmt.Errorf("client: ID %q: %w", c.ID, err)
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 10 * time.Second
	}
	if err := c.checkBackstops(); err != nil {
		return c, l, err
	}
	if c.WriteTimeout < 0 {
		return c, l, fmt.Errorf("client: WriteTimeout: %v is negative", c.WriteTimeout)
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = 1 << 20
	}
	if c.MaxQueued < 0 {
		return c, l, fmt.Errorf("client: MaxQueued: %d is negative", c.MaxQueued)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, l, nil
}
