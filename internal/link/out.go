package link

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Out collects what a link wants done. The owner carries the actions out in order, then
// calls Reset and uses it again, for the same link or another.
type Out struct {
	Actions []Action

	frames []byte // what Data of the actions points into
}

// maxKept is the size in bytes above which Reset drops the frame buffer instead of
// keeping it, so that one large message is not paid for ever after.
const maxKept = 64 << 10

// Reset empties o. Data of earlier actions must not be used any more.
func (o *Out) Reset() {
	clear(o.Actions) // lets go of errors and of views into the owner's input
	o.Actions = o.Actions[:0]
	o.frames = o.frames[:0]
	if cap(o.frames) > maxKept {
		o.frames = nil
	}
}

// Op is what an action asks for.
type Op uint8

const (
	// Dial: one connect() to Addr; answer with Connected or Disconnected of Attempt.
	Dial Op = iota + 1
	// Write: send Data, one or more whole frames, on Attempt's connection.
	Write
	// Close: close Attempt's connection, or give up its dial, once what was to be written
	// has been handed to the kernel. No Disconnected is expected.
	Close
	// Notify: Event happened. Nothing needs to be done.
	Notify
)

// Action is one thing for the owner to do.
type Action struct {
	Op      Op
	Attempt uint32
	Addr    string // Dial: host:port
	Data    []byte // Write: valid until Reset
	Event   Event  // Notify
}

// EventKind tells events apart.
type EventKind uint8

const (
	Ready     EventKind = iota + 1 // Session, Node, Terms: WELCOME came
	PingSent                       // Intended
	Pong                           // RTT, FromIntended: the answer to the latest PING
	Lost                           // Reason, Err, WasReady: the attempt or session ended without a code
	GoneAway                       // Code, Delay, Window, Err, WasReady: the server sent it away
	Delivered                      // ID, WantsReply, Body: answer with Ack, Nack or Reply when it is dealt with, if ID is not 0
	Acked                          // ID to Last, What: the server's application has these SENDs
	Nacked                         // ID, Err, Body: it refuses this one, a *RefusedError
	Replied                        // ID, Body: its reply to this one, which Request has sent
	GivenUp                        // ID, Err, Body: this one may have arrived, and is not sent again
	RetryAt                        // At: when the next attempt is due
	Stopped                        // Err: nil after Stop
	Draining                       // Code, Delay, Window: the server asks the session to move; it goes on until Moved
	Moved                          // Session, Node, Terms: another server has the session; the old connection is read a little longer
	Termed                         // Terms: a PONG brought another interval, timeout or patience
	Limited                        // a PONG brought other limits
	Expiring                       // At: when the grant of the session ends; Renew it, if there is another token
)

var eventNames = [...]string{Ready: "ready", PingSent: "ping", Pong: "pong", Lost: "lost",
	GoneAway: "gone_away", Delivered: "delivered", Acked: "acked", Nacked: "nacked", Replied: "replied", GivenUp: "given_up", RetryAt: "retry_at", Stopped: "stopped", Draining: "draining", Moved: "moved", Termed: "termed", Limited: "limited", Expiring: "expiring"}

func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "unknown"
}

// Event tells what happened. Only the fields that its kind names are set.
type Event struct {
	Kind       EventKind
	WasReady   bool
	Reason     LossReason
	WantsReply bool
	Code       codec.Code
	Attempt    uint32

	ID   uint64
	Last uint64
	What uint8
	Body []byte // Delivered, Replied: a view into the bytes that were given to Received; else one that the next Send may change

	Intended     time.Duration // when the PING was due, which may be before it was sent
	RTT          time.Duration // from the write of the PING
	FromIntended time.Duration // from Intended: counts what the owner was late as well
	At           time.Duration
	Delay        time.Duration
	Window       time.Duration

	Session codec.SessionID
	Node    string
	Terms   codec.Terms

	Err error
}

// LossReason says how an attempt or a session ended without a code from the server.
type LossReason uint8

const (
	ConnectFailed  LossReason = iota + 1 // connect() or resolving failed
	ConnectTimeout                       // neither failed nor came up
	WelcomeTimeout                       // connected, but no WELCOME
	PongTimeout                          // nothing complete came after a PING
	Closed                               // the connection ended under it
	Malformed                            // the server broke the protocol
)

var reasonNames = [...]string{ConnectFailed: "connect_failed", ConnectTimeout: "connect_timeout",
	WelcomeTimeout: "welcome_timeout", PongTimeout: "pong_timeout", Closed: "closed", Malformed: "malformed"}

func (r LossReason) String() string {
	if int(r) < len(reasonNames) && r > 0 {
		return reasonNames[r]
	}
	return "none"
}

func (o *Out) dial(attempt uint32, addr string) {
	o.Actions = append(o.Actions, Action{Op: Dial, Attempt: attempt, Addr: addr})
}

func (o *Out) close(attempt uint32) {
	o.Actions = append(o.Actions, Action{Op: Close, Attempt: attempt})
}

// write asks for the frames that were appended to o.frames since it had start bytes. If
// appending moved the buffer, earlier actions keep the old one.
func (o *Out) write(attempt uint32, start int) {
	end := len(o.frames)
	o.Actions = append(o.Actions, Action{Op: Write, Attempt: attempt, Data: o.frames[start:end:end]})
}

func (o *Out) notify(e Event) {
	o.Actions = append(o.Actions, Action{Op: Notify, Attempt: e.Attempt, Event: e})
}
