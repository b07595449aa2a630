package peer

import "time"

// Machine is a node of the cluster. See the package's documentation for who may call.
type Machine struct{}

// New makes the machine of a node that knows no peer. The config is not checked, but for its defaults;
// ValidNode is for names. The first Tick announces it.
func New(cfg Config, now Now) *Machine { panic("later") }

// Deadline is when Tick wants to be called, since the owner's origin. It may be in the past after any
// call but Tick, and may be earlier than before after Open, Close, SetLoad and Received.
func (m *Machine) Deadline() time.Duration { panic("later") }

// Tick does what is due. It must be called at or soon after Deadline, and after what the bus already
// has was given to Received; to call it early is harmless. An owner that was itself asleep for longer
// than half a second does not take its peers for dead: they get as long anew.
func (m *Machine) Tick(now Now, out *Out) { panic("later") }

// Received takes a message of the bus, whatever its subject; own messages are known and dropped. What
// is no message of this protocol is counted and dropped. data is only read; actions may have views of it.
func (m *Machine) Received(now Now, data []byte, out *Out) { panic("later") }

// Gone is told when the bus knows that nobody hears what is sent to a node. It is down at once, until
// it announces itself again.
func (m *Machine) Gone(now Now, node string, out *Out) { panic("later") }

// Session is a session of this node, as its owner tells it.
type Session struct {
	ID, User    string // kept as they are, not copied
	Incarnation uint64 // 0: the client told none
	Handle      uint64 // how the owner knows it, for End
	// After is a stamp that the new one must be above: the latest that the client knows of, from its
	// return pass. 0: it knows none.
	After uint64
}

// Open claims a login; its stamp is greater than all that were seen. IDs of more than 255 bytes, which
// no client has, are claimed by nobody: the stamp is 0.
func (m *Machine) Open(now Now, s Session, out *Out) (stamp uint64) { panic("later") }

// Close tells that the session of a stamp has ended. One that is not there is no harm.
func (m *Machine) Close(now Now, id string, stamp uint64, out *Out) { panic("later") }

// Send sends body to the hub of a live node, behind all that was claimed before. False: it is not
// live, or body is larger than MaxBody.
func (m *Machine) Send(now Now, node string, body []byte, out *Out) bool { panic("later") }

// SendAll sends body to the hubs of all other live nodes, behind all that was claimed before. False:
// body is larger than MaxBody.
func (m *Machine) SendAll(now Now, body []byte, out *Out) bool { panic("later") }

// Load is how a node is doing, as it tells its peers.
type Load struct {
	Sessions  int           // clients that it has
	Places    int           // free ones, for more clients; negative: no bound
	AdmitRate float64       // clients a second that it can let in
	Lag       time.Duration // how late its slowest loop is
}

// SetLoad tells how the node is doing. It is told to peers with the next announcement.
func (m *Machine) SetLoad(now Now, l Load, out *Out) { panic("later") }

// Drain tells the peers that this node hands its clients over, or does so no more. They name it to no
// client from then on. Whether it may is Draining's to say.
func (m *Machine) Drain(now Now, on bool, out *Out) { panic("later") }

// Draining is a live peer that drains, and began before this node did; empty: there is none. Two drains
// at a time are for who insists.
func (m *Machine) Draining() string { panic("later") }

// Leave tells the peers that this node ends: it is down for them at once. The machine says nothing any
// more.
func (m *Machine) Leave(now Now, out *Out) { panic("later") }

// Members are the nodes that live now. It is another one after each Up and Down, and is never changed:
// any goroutine may use it.
func (m *Machine) Members() *Members { panic("later") }

// Quiet says that nothing claimed waits to be sent: a message that AppendMessage makes may
// be sent past the machine, and keeps its place behind what was claimed.
func (m *Machine) Quiet() bool { panic("later") }

// AppendMessage appends to dst the message in which this node's hub tells body to others on a subject, To or
// All, for who sends it past the machine: see Quiet. Any goroutine may call it.
func (m *Machine) AppendMessage(dst []byte, subject Subject, body []byte) []byte { panic("later") }
