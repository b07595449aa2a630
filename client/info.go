package client

import (
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
)

// State is what the client is doing.
type State uint8

// The states, in the order of a life.
const (
	Idle        State = iota // before Run
	Resolving                // asks for the token and looks the name up
	Connecting               // connect() is under way
	Handshaking              // waits for WELCOME
	Ready                    // messages flow
	BackingOff               // waits for the next attempt
	Stopped                  // for good
)

// String is for people: "ready", "backing off".
func (s State) String() string { return link.State(s).String() }

// Info is a copy of what there is to know about a client.
type Info struct {
	// Incarnation is the random number of this Client, the same from New to its end: what
	// Session.Incarnation of package server tells. With it and its ID, Number names a message.
	Incarnation uint64

	State     State
	Endpoint  string        // of the present or latest attempt
	Node      string        // of the present or latest session
	Session   string        // its id; no credential
	Heartbeat time.Duration // the interval that its server asked for
	Queued    int           // bytes that the kernel has not taken yet

	// MaxDeliver is the largest payload that the server of the present or latest session sends, in
	// bytes, as it has told; 0: it has not. One that is larger than Config.MaxPayload costs the session.
	MaxDeliver int

	Unsettled int  // messages of Send and SendAcked that wait for an answer
	Moving    bool // ready, and looking for another node, since this one drains

	// Refused means that there is no session and that every node that answers has refused the
	// client with a code from 3500, of which LastError is the latest: somebody has to mend
	// something. The client comes back after up to a minute, then two, and up to an hour, until
	// the application calls Close.
	Refused bool

	ReadySince  time.Time     // zero unless ready
	Expires     time.Time     // when the grant of this session ends, unless it is renewed; zero: it has no end, or there is no session
	RTT         time.Duration // of the latest PING that was answered; 0: none yet
	NextAttempt time.Time     // zero unless one is waited for
	LastError   error         // why the latest attempt or session ended

	// ConnectTimeout and WelcomeTimeout are those of the attempt under way, else of the
	// next: each doubles with every time that it ran out, up to eightfold, until the
	// connection, or the session, comes. Only under the policies Window and Full.
	ConnectTimeout time.Duration
	WelcomeTimeout time.Duration

	Dials    uint32 // connections that were tried
	Sessions uint32 // of them, those that got a session
	Losses   uint32 // of them, those that ended other than by Close
	Pings    uint32
	Pongs    uint32
	Panics   uint32 // calls of the application's functions that panicked or ended their goroutine; the first ended the client
}

// Info tells how the client is.
func (c *Client) Info() Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.info()
}

// info needs mu.
func (c *Client) info() Info {
	l := c.link.Info()
	info := Info{
		State: State(l.State), Incarnation: l.Incarnation, Endpoint: l.Endpoint, Node: l.Node, Heartbeat: l.Terms.Interval, MaxDeliver: int(l.MaxDeliver),
		RTT: l.RTT, LastError: public(l.LastError), Moving: l.Moving, Refused: l.Refused, Panics: c.panics.Load(),
		ConnectTimeout: l.ConnectTimeout, WelcomeTimeout: l.WelcomeTimeout,
		Dials: l.Dials, Sessions: l.Sessions, Losses: l.Losses, Unsettled: l.Unsettled, Pings: l.Pings, Pongs: l.Pongs,
	}
	if l.Sessions > 0 {
		info.Session = l.Session.String()
	}
	if l.State == link.StateReady {
		info.ReadySince = c.origin.Add(l.ReadySince)
		if l.Expires > 0 {
			info.Expires = c.origin.Add(l.Expires)
		}
	}
	if l.NextAttempt != link.Never {
		info.NextAttempt = c.origin.Add(l.NextAttempt)
	}
	if k := c.current(); k != nil {
		info.Queued = len(k.queued) + k.writing
	}
	return info
}
