package transport

import (
	"errors"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Slot names a connection of a loop, from Begin until End; then it is another's. Slots are small:
// a stage may keep its state in a slab by them.
type Slot = uint32

// Errors of Open that are nobody's fault.
var (
	// ErrEnd is returned when the peer has closed the connection in the transport's own words.
	ErrEnd = errors.New("transport: the peer has closed")
	// ErrAnswered is returned when the peer has asked the transport for something else than a
	// connection, as a health check does, and its Words are the answer.
	ErrAnswered = errors.New("transport: answered")
)

// ErrHandshake is in the chain of Open's error if it was no fault in what carries frames but in what
// must precede it.
var ErrHandshake = errors.New("the transport's handshake failed")

// Stage is one side of a kind of transport, for all connections of a loop. All of it runs on the
// loop and must not block. Whatever a peer sends, it must not panic.
type Stage interface {
	// Begin begins a connection and appends to dst what the stage says first, if anything.
	Begin(s Slot, dst []byte) []byte

	// Open takes bytes that came, as many as it can. wire is all of them that it has not used, and
	// is valid until it returns; it must not be changed. With an error the connection is over, and
	// Open is not called again; what was opened before it is good. The Words are sent even so.
	Open(s Slot, plain, wire []byte) (Opened, error)

	// Seal appends to dst what goes to the socket for plain. What cannot be sent yet the stage
	// keeps, and sends among its Words. After an error it seals what can be sealed still. After
	// Over it appends plain as it is.
	Seal(s Slot, dst, plain []byte) []byte

	// Close appends the closing words, if there are any. code is that of the GOAWAY before them, 0
	// if there was none. Nothing is opened or sealed after it.
	Close(s Slot, dst []byte, code codec.Code) []byte

	// Held says how many bytes the stage keeps for the connection in buffers of its own. What it
	// needs for every connection is not counted.
	Held(s Slot) int

	// Addr is where the peer is, if the stage was told that it is not where the socket says; else
	// the zero Addr. It holds until End.
	Addr(s Slot) netip.Addr

	// End forgets a connection. Work that it asked for may still run; what that returns is dropped.
	End(s Slot)
}

// Ticker is a stage that is to be told the time.
type Ticker interface {
	// Tick tells the time, of any origin, some times a second.
	Tick(now time.Duration)
}

// Tick tells the stage the time, if it wants to be told it.
func Tick(s Stage, now time.Duration) {
	if t, is := s.(Ticker); is {
		t.Tick(now)
	}
}

// Quick is a stage that has a short way for what comes most often: a heartbeat in a read of its own.
type Quick interface {
	// Whole appends to plain what wire opens to, if Open would use all of wire and had nothing else to tell. If not,
	// or if it would take long to find that out, it changes nothing and says so.
	Whole(s Slot, plain, wire []byte) (opened []byte, ok bool)
}

// Opened is what became of bytes that came.
type Opened struct {
	Plain  []byte // the plain of the call, with what was opened appended
	Words  []byte // the stage's own, to be sent at once; valid until the stage is called again
	Used   int    // bytes of wire that are done with
	Frames int    // of the stage's own that gave nothing plain: what the peer is charged for beside that
	Need   int    // bytes that must be there beyond those before Open can achieve anything; less than 1: one

	// Away is work for another goroutine. Nothing is opened until it has been run, and what it
	// returned, on the loop; then Open is called, be there new bytes or not.
	Away func() (then func())

	// Fresh says that Away begins something: where there is much to do it can wait, or be refused,
	// rather than what goes on with something that has begun.
	Fresh bool

	// Over says that the stage has nothing more to do: what follows the used bytes is plain.
	Over bool
}
