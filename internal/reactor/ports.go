package reactor

import (
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// Slot names a connection of a loop, from Open until its end; then it is another's.
type Slot = timingwheel.ID

// Env is what is around a reactor.
type Env struct {
	Node      *gate.Node       // what its loop shares with the others
	Loop      uint8            // the number of its loop, the highest byte of its handles
	Transport Transport        // its sockets
	App       App              // what its sessions are for
	Ask       Asker            // nil: everybody may come in
	Forward   func(Closing)    // brings it to the mailbox of the loop that it is for
	Tell      func(Verdict)    // and that
	Wall      func() time.Time // the time of day
}

// Transport is what a reactor needs of its loop's sockets; a slot names a connection.
// All of it runs on the loop. Write, Close and Abort may end the connection before they
// return, and then they have called Closed.
type Transport interface {
	// Write hands over b, which may be reused after the return. It says how many bytes b became on
	// its way, and how many now wait for the kernel.
	Write(slot Slot, b []byte) (sent, queued int)
	// Farewell is told that nothing will be written any more, behind the GOAWAY of that code. A
	// transport that has closing words of its own writes them, and tells of it by Sent.
	Farewell(slot Slot, code codec.Code)
	// Queued says how many bytes wait for the kernel.
	Queued(slot Slot) int
	// Unsent says how many bytes the kernel holds that the peer's has not acknowledged; 0 where
	// nobody can tell.
	Unsent(slot Slot) int
	// Held says how many bytes were read and not consumed.
	Held(slot Slot) int
	// Unread says how many bytes wait in the kernel to be read.
	Unread(slot Slot) int
	// Waited says how long ago the last bytes of the peer reached the kernel, and whether the
	// peer is still there: it has sent neither FIN nor RST.
	Waited(slot Slot) (waited time.Duration, there bool)
	// FinishWrite sends FIN and keeps reading.
	FinishWrite(slot Slot)
	// Close ends the connection the ordinary way.
	Close(slot Slot)
	// Abort ends it with RST, so that nothing of a dead peer stays in the kernel.
	Abort(slot Slot)
	// RemoteAddr is where the peer is.
	RemoteAddr(slot Slot) netip.Addr
}

// App is the application above a reactor. All of it runs on the loop and must not block. Within
// Opened, Message, Missed, a Call of the mailbox, a Round's visit, and Settled of a client's answer, it may use the reactor's Ack,
// Nack, Reply, Deliver, DeliverAwaited, DeliverOptional, Request, Extend, PauseRead, ResumeRead, Move and
// Kick for the session.
type App interface {
	// Greeted is called when a client has said a good HELLO, whether it is let in or not.
	Greeted(slot Slot, from Origin)
	// Origin returns what Greeted was told, so that it is kept once; zero if it was not.
	Origin(slot Slot) Origin
	// Granted is called before Opened with what came with the answer of an Asker.
	Granted(slot Slot, grant any)
	// Follows is called before Opened if the session has taken the place of another.
	Follows(slot Slot, previous uint64)
	// Stamp is called before the client is welcomed, and returns what the return pass that it gets then carries, with what
	// the one did with which it came; 0: nothing. Who is not welcomed after all ends without Opened.
	Stamp(slot Slot, after uint64) uint64
	// Opened is called when the client was welcomed.
	Opened(slot Slot)
	// Message is called for each SEND but replies, for one with a number once, if its client told an
	// incarnation; number 0 wants no answer. The body is valid until it returns.
	Message(slot Slot, number uint64, body []byte, wantsReply bool)
	// Settled tells the outcome of a DELIVER that is awaited, once. Lost comes before Closed. Unsent
	// may come at any time, also for a session that has ended; no other session is meant.
	Settled(o Outcome, w Waiter)
	// Missed tells how many messages of a group a session did not get since its client was slow, when
	// it has taken all that waited for it.
	Missed(slot Slot, group string, messages int)
	// Closed is called when a session ends that was Opened; nothing can be sent to it any more.
	Closed(slot Slot, why Reason)
	// Gone is called when a connection has come to its end, after Closed if it was a session.
	Gone(slot Slot)
	// Refused is told of a connection for which there was no room.
	Refused(why Reason)
}

// Origin is the client's process and which of its connects this is: of two with the same
// incarnation the one with the higher attempt is the newer.
type Origin struct {
	Incarnation uint64 // random; zero: the client told none
	Attempt     uint32 // counts the connects of an incarnation
}

// sameProcess says that o is of one process with another.
func (o Origin) sameProcess(as Origin) bool {
	return o.Incarnation == as.Incarnation && o.Incarnation != 0
}

// newer says whether o is a later attempt than one that claims to come after it: a HELLO may
// lie unread while its client has long come another way.
func (o Origin) newer(than Origin) bool {
	return o.sameProcess(than) && o.Attempt > than.Attempt
}

// Asker has clients checked.
type Asker interface {
	// Ask has the client of a HELLO checked; the answer comes to the loop's mailbox. It says
	// no, and there is no answer, if too many wait. It must not block, and m is valid until it
	// returns.
	Ask(handle uint64, m *codec.HelloMessage, addr netip.Addr) bool
	// Renew has another token of a client that is in checked, in the same way. An answer to it names
	// its Check; that there is none is no harm.
	Renew(q Renewal) bool
}
