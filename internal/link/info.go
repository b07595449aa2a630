package link

import (
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// State is what a link is doing.
type State uint8

const (
	StateIdle        State = iota // before Start
	StateResolving                // the owner looks the name up
	StateConnecting               // connect() is under way
	StateHandshaking              // HELLO is out
	StateReady                    // WELCOME came: messages flow
	StateBackingOff               // waits for the next attempt
	StateStopped                  // for good
)

var stateNames = [...]string{"idle", "resolving", "connecting", "handshaking", "ready", "backing off", "stopped"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// What the methods of a link return and its events carry.
var (
	ErrNotReady  = errors.New("no session")                        // Send: try again when ready
	ErrPaced     = errors.New("the server takes no more")          // Send: try again when Pace says
	ErrFull      = errors.New("too many messages are not settled") // Send: try again when others are
	ErrLost      = errors.New("the connection was lost")           // GivenUp: nothing is sent again
	ErrTooLarge  = errors.New("message exceeds the limit")         // Send: it never fits
	ErrTimeout   = errors.New("timed out")                         // Lost: wraps it, and says what is missing
	ErrMalformed = errors.New("server broke the protocol")         // Lost: wraps what was wrong
	ErrHello     = errors.New("HELLO can not be encoded")          // Lost: the token is out of bounds
)

// What timed out.
var (
	errNoConnection = fmt.Errorf("%w: no connection", ErrTimeout)
	errNoWelcome    = fmt.Errorf("%w: no WELCOME", ErrTimeout)
	errNoPong       = fmt.Errorf("%w: no PONG", ErrTimeout)
)

// CodeError is the GOAWAY of a server.
type CodeError struct {
	Code   codec.Code
	Reason string // the server's words, not to be trusted
}

func (e *CodeError) Error() string {
	says := "server says " + e.Code.String()
	if e.Code.Info().Name != "" {
		says += fmt.Sprintf(" (%d)", uint16(e.Code))
	}
	if e.Reason != "" {
		says += fmt.Sprintf(": %q", e.Reason)
	}
	return says
}

// RefusedError is the NACK of a server's application.
type RefusedError struct {
	Code   codec.NackCode
	Reason string // the server's words, not to be trusted
}

func (e *RefusedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("message is refused: %s", e.Code)
	}
	return fmt.Sprintf("message is refused: %s: %q", e.Code, e.Reason)
}

// Again tells whether the same message may be taken another time.
func (e *RefusedError) Again() bool { return e.Code.Again() }

// Interval is the longest silence of the session: a PING is due after it, or up to a fifth
// before.
func (l *Link) Interval() time.Duration { return l.interval() }

// Info is a copy of what there is to know about a link.
type Info struct {
	State       State
	Incarnation uint64 // what HELLO tells; the same over all connections

	Attempt  uint32          // of the present or latest connection
	Endpoint string          // where that one leads
	Node     string          // of the present or latest session
	Session  codec.SessionID // of the present or latest session
	Terms    codec.Terms     // of the present or latest session

	MaxDeliver uint32 // the largest payload that the server of that session sends, bytes, as it has told; 0: it has not

	ReadySince  time.Duration // of the present or latest session
	Expires     time.Duration // end of the grant of the present or latest session; 0: it has none, as far as was told
	RTT         time.Duration // from the earliest PING that waited to the latest answer; 0: none yet
	NextAttempt time.Duration // Never unless one is waited for
	LastError   error         // of the latest loss

	Dials    uint32 // connect() calls asked for
	Sessions uint32 // WELCOMEs
	Losses   uint32 // sessions that ended other than by Stop
	Pings    uint32
	Pongs    uint32 // that were a round trip

	Unsettled int // SENDs that wait for ACK or NACK

	Moving  bool // ready, and told to connect elsewhere: the server drains
	Refused bool // no session, and every endpoint that answers has refused with a code from 3500

	// Of the attempt under way, else of the next: they grow with every timeout.
	ConnectTimeout time.Duration
	WelcomeTimeout time.Duration
}
