package transport

import (
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Lines are the connections of a loop that have its stage, with what waits in them. Owned by the
// loop.
type Lines struct {
	stage Stage
	quick Quick          // the stage, if it is that
	lines map[Slot]*line // of those in which something waits
	last  *line          // the latest of them, or of the call under way; it is not among lines
	slot  Slot           // that of last
	spare []*line        // without a connection, for the next ones
	kept  int            // bytes that the buffers of those have
	out   []byte         // sealed, or closing words
	whole []byte         // opened the short way
}

// line is what waits in a connection.
type line struct {
	wire  []byte // came and is not opened
	plain []byte // was opened and not taken
	need  int    // bytes of wire without which Open is not called
	away  bool   // nothing is opened until work that runs elsewhere is done
	over  bool   // nothing is opened any more: what comes is plain
	deaf  bool   // nothing is opened any more: what comes is dropped
	ended bool   // the closing words were asked for
}

func (n *line) empty() bool {
	return len(n.wire)+len(n.plain) == 0 && !n.away && !n.deaf
}

// room is how many bytes its buffers have.
func (n *line) room() int { return cap(n.wire) + cap(n.plain) }

const (
	maxSpare  = 4         // lines: few are in use at a time, and each pins a page of what handshakes leave behind
	maxKept   = 64 << 10  // bytes of a buffer that is kept for another connection
	maxSpared = 256 << 10 // of those of all spare lines
)

// NewLines returns the lines of a stage without a connection.
func NewLines(stage Stage) *Lines {
	quick, _ := stage.(Quick)
	return &Lines{stage: stage, quick: quick, lines: make(map[Slot]*line)}
}

// Begin begins a connection and returns what its stage says first, valid until the next call.
func (l *Lines) Begin(s Slot) (words []byte) {
	l.out = l.stage.Begin(s, l.out[:0])
	return l.out
}

// Received is what became of bytes that came.
type Received struct {
	Plain []byte // all that were opened and not taken; valid until Keep
	Words []byte // to be sent before any answer; valid until the stage is called again
	Away  func() (then func())
	Fresh bool // Opened.Fresh

	Frames  int // Opened.Frames
	Dropped int // bytes that came after the connection's end
}

// Whole opens b the short way: all of it, while nothing waits in the connection. What of plain is not taken waits from
// then on, if Wait is told. plain is valid until the next call. If it is not ok, nothing has changed, and b is for
// Receive.
func (l *Lines) Whole(s Slot, b []byte) (plain []byte, ok bool) {
	if l.quick == nil || l.find(s) != nil {
		return nil, false
	}
	l.whole, ok = l.quick.Whole(s, l.whole[:0], b)
	return l.whole, ok
}

// Wait has rest, of what Whole has given, wait for what Receive opens next.
func (l *Lines) Wait(s Slot, rest []byte) {
	if n := l.line(s); !n.deaf { // else it was closed meanwhile
		n.plain = append(n.plain, rest...)
	}
}

// Receive opens what can be opened with b, which it does not keep. Keep is to be called next,
// also after an error, which ends the connection.
//
// If Away is not nil, somebody must run it on another goroutine, what it returned on the loop,
// and then Resume and Receive with nothing.
func (l *Lines) Receive(s Slot, b []byte) (in Received, err error) {
	n := l.line(s)
	if n.deaf {
		return Received{Dropped: len(b)}, nil
	}
	wire := b
	if len(n.wire) > 0 {
		n.wire = append(n.wire, b...)
		wire = n.wire
	}
	used := 0
	if !n.away && !n.over && len(wire) >= n.need {
		var o Opened
		o, err = l.stage.Open(s, n.plain, wire)
		used, n.plain, n.need = o.Used, o.Plain, max(o.Need, 1)
		n.away, n.over, n.deaf = o.Away != nil, o.Over, err != nil
		in.Words, in.Away, in.Fresh, in.Frames = o.Words, o.Away, o.Fresh, o.Frames
	}
	if n.over {
		n.plain = append(n.plain, wire[used:]...)
		used = len(wire)
	}
	if n.deaf {
		used = len(wire)
	}
	if used > 0 || len(n.wire) == 0 {
		n.wire = append(n.wire[:0], wire[used:]...)
	}
	in.Plain = n.plain
	return in, err
}

// Keep ends a Receive: rest is the tail of its Plain that was not taken. over says that the stage
// is over and nothing waits: the connection is plain, and Receive and Seal are not for it any more.
func (l *Lines) Keep(s Slot, rest []byte) (over bool) {
	n := l.find(s)
	if n == nil {
		return false // it has ended meanwhile
	}
	if n.deaf {
		rest = nil
	}
	if len(rest) < len(n.plain) {
		n.plain = append(n.plain[:0], rest...)
	}
	if n.empty() {
		over = n.over
		l.drop(s, n)
	}
	return over
}

// Resume ends what Away began. Receive is to be called next.
func (l *Lines) Resume(s Slot) {
	n := l.line(s)
	n.away, n.need = false, 0
}

// Held says how many bytes of a connection came and were not taken, or are kept by its stage.
func (l *Lines) Held(s Slot) int {
	if n := l.find(s); n != nil {
		return len(n.wire) + len(n.plain) + l.stage.Held(s)
	}
	return l.stage.Held(s)
}

// Waiting says how many bytes of a connection came and are not opened because of work that runs
// elsewhere: that is not the peer's fault.
func (l *Lines) Waiting(s Slot) int {
	if n := l.find(s); n != nil && n.away {
		return len(n.wire)
	}
	return 0
}

// Seal returns what goes to the socket for plain bytes, valid until the next call.
func (l *Lines) Seal(s Slot, plain []byte) []byte {
	if cap(l.out) > maxKept {
		l.out = nil
	}
	l.out = l.stage.Seal(s, l.out[:0], plain)
	return l.out
}

// Close returns the closing words, valid until the next call, and drops what waits and what comes
// from now on. The second time it returns nothing.
func (l *Lines) Close(s Slot, code codec.Code) (words []byte) {
	n := l.line(s)
	if n.ended {
		return nil
	}
	n.wire, n.deaf, n.ended = n.wire[:0], true, true
	l.out = l.stage.Close(s, l.out[:0], code)
	return l.out
}

// Tick tells the stage the time.
func (l *Lines) Tick(now time.Duration) { Tick(l.stage, now) }

// Addr is where the peer is if the stage knows better than the socket.
func (l *Lines) Addr(s Slot) netip.Addr { return l.stage.Addr(s) }

// End forgets a connection.
func (l *Lines) End(s Slot) {
	if n := l.find(s); n != nil {
		l.drop(s, n)
	}
	l.stage.End(s)
}

// find returns that of a connection in which something waits, or whose call is under way; nil if
// there is none.
func (l *Lines) find(s Slot) *line {
	if l.last != nil && l.slot == s {
		return l.last
	}
	if len(l.lines) == 0 {
		return nil
	}
	return l.lines[s]
}

// line returns that of a connection, for something that begins to wait. Most end with the call:
// these do not come into the map.
func (l *Lines) line(s Slot) *line {
	n := l.find(s)
	if n != nil {
		return n
	}
	if l.last != nil {
		l.lines[l.slot] = l.last
	}
	if last := len(l.spare) - 1; last >= 0 {
		n = l.spare[last]
		l.spare[last], l.spare = nil, l.spare[:last] // or it would be kept with whatever it grows to
		l.kept -= n.room()
	} else {
		n = new(line)
	}
	n.need = 1
	l.last, l.slot = n, s
	return n
}

// drop takes a line from a connection in which nothing waits any more.
func (l *Lines) drop(s Slot, n *line) {
	if n == l.last {
		l.last = nil
	} else {
		delete(l.lines, s)
	}
	if room := n.room(); len(l.spare) < maxSpare && room <= maxKept && l.kept+room <= maxSpared {
		l.kept += room
		*n = line{wire: n.wire[:0], plain: n.plain[:0]}
		l.spare = append(l.spare, n)
	}
}
