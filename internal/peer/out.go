package peer

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Out collects what a machine wants done. The owner carries the actions out in order, then calls
// Reset and uses it again.
type Out struct {
	Actions []Action

	data []byte // what Data of the actions points into
}

// maxKept is the size in bytes above which Reset drops the buffer instead of keeping it.
const maxKept = 256 << 10

// Reset empties o. Bytes of earlier actions must not be used any more.
func (o *Out) Reset() {
	clear(o.Actions) // lets go of views into the owner's input
	o.Actions = o.Actions[:0]
	o.data = o.data[:0]
	if cap(o.data) > maxKept {
		o.data = nil
	}
}

// Op is what an action asks for.
type Op uint8

// The actions.
const (
	// Publish: send Data on Subject; of To, to Node. What cannot be sent is dropped.
	Publish Op = iota + 1
	// Up: Node lives, and hears us. All its sessions are told by Login from now on, those that it has
	// already in the next seconds. Members has changed.
	Up
	// Down: Node is not there any more for us: all that Login told of it is void. Members has changed.
	Down
	// Login: Login is a session at Node. It may be told more than once.
	Login
	// Logout: that session has ended. It may be told of one that Login did not tell.
	Logout
	// Known: all that the home Node knows of the user Login.User, who is followed, was told by Login; Sure: and that is all
	// there is.
	Known
	// Message: Node's hub sent Data.
	Message
	// End: the own session Handle must end with Code, codec.CodeReplaced or codec.CodeSuperseded: its
	// client has the later login Login at Node. One that is superseded is of the same process, in a
	// handover or back from a loss: it may go on for 2 s, for what is on its way. The owner calls Close
	// when it has ended.
	End
	// Retune: Terms has what clients should be told from now on.
	Retune
	// Move: Count sessions are to be handed over to Node at Address, and More in the next seconds. Who is handed over is the owner's
	// choice; it may be fewer, and then the machine asks again.
	Move
	// Replaced: another process has this node's name and was started later. The others listen to that
	// one only. The owner should end the node. It is told once.
	Replaced
)

var opNames = [...]string{Publish: "publish", Up: "up", Down: "down", Login: "login", Logout: "logout",
	Known: "known", Message: "message", End: "end", Retune: "retune", Move: "move", Replaced: "replaced"}

// String names the action.
func (o Op) String() string {
	if int(o) < len(opNames) && o > 0 {
		return opNames[o]
	}
	return "unknown"
}

// Subject is where a message is sent.
type Subject uint8

// The subjects.
const (
	Nodes Subject = iota + 1 // sw.n: to all nodes
	All                      // sw.all: to all nodes
	To                       // sw.to.<node>: to one
)

// Action is one thing for the owner to do. Only the fields that its Op names are set. Bytes are views:
// valid until Reset, and those of Login, Logout and Message only until the next call, or until the
// owner changes what it gave to Received.
type Action struct {
	Op      Op
	Subject Subject
	Node    string // a peer's name
	Data    []byte
	Login   Claim
	Handle  uint64
	Code    codec.Code
	Terms   Terms
	Address string
	Count   int
	More    int
	Sure    bool
}

// Claim is a login as nodes tell each other.
type Claim struct {
	ID, User    []byte // views
	Incarnation uint64 // the client's process; 0: it told none
	Attempt     uint32 // which of its connects it is
	Stamp       uint64 // of two logins of one id, the greater is the later
	Epoch       uint64 // of its node: orders two that have the same stamp
}

// Terms is what the live peers mean for the clients of this node. It is never changed once told.
type Terms struct {
	// Alternates are the addresses of the live peers that do not drain, those with most free places
	// first.
	Alternates []string
	// FailoverRate is how many clients a second those would take, all together: the sum of their
	// admission rates, each times the share of its places that is free. 0: there is no peer.
	FailoverRate float64
}

// Now is the time: what it is measured by, and what people call it.
type Now struct {
	Since time.Duration // monotonic, since an origin of the owner's choosing
	Wall  int64         // milliseconds since 1970-01-01T00:00:00Z; it may jump
}

// begin begins a message of m and returns where.
func (o *Out) begin(k kind, m *Machine) (start int) {
	start = len(o.data)
	o.data = appendHeader(o.data, k, m.cfg.Epoch, m.cfg.Node)
	return start
}

// publish asks for the message that was begun at start. If appending moved the buffer, earlier actions
// keep the old one.
func (o *Out) publish(subject Subject, node string, start int) {
	end := len(o.data)
	o.Actions = append(o.Actions, Action{Op: Publish, Subject: subject, Node: node, Data: o.data[start:end:end]})
}

func (o *Out) add(a Action) { o.Actions = append(o.Actions, a) }
