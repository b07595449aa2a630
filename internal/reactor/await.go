package reactor

import (
	"slices"

	"github.com/stormwheel/stormwheel/codec"
)

// A DELIVER whose outcome the application awaits has a number, and is outstanding until the client
// acknowledges or refuses it, or its session ends. All others have the number 0 and are forgotten
// when they are written, so a session with nothing outstanding keeps nothing.

// MaxAwaited is how many DELIVERs of one session may be outstanding.
const MaxAwaited = 256

// Result is how it went with a DELIVER that was awaited.
type Result uint8

// The results.
const (
	Acknowledged Result = iota + 1
	Refused             // by NACK
	Lost                // its session ended: it may or may not have arrived
	Unsent              // it was not sent at all
	Replied             // as Acknowledged, with a reply
)

// Waiter is what the application gets back with the outcome of a DELIVER. It is never nil, and
// nothing looks at it.
type Waiter any

// Outcome is what became of a DELIVER that was awaited.
type Outcome struct {
	Handle uint64         // of its session
	Number uint64         // its number there; 0: Unsent
	Reason []byte         // Refused: the client's words, valid until the call returns
	Reply  []byte         // Replied: what the client says, valid until the call returns
	Err    error          // Unsent: why
	Code   codec.NackCode // Refused
	Result Result
	What   uint8  // Acknowledged: the client's word
	End    Reason // Lost: why the session ended
}

// awaited is one DELIVER that is outstanding, or was told of a moment ago.
type awaited struct {
	number uint64
	waiter Waiter // nil: told
}

// outstanding are the awaited DELIVERs of a session, in their order.
type outstanding struct {
	all []awaited
	n   int // of them, those that nobody was told of yet
}

// within is which of them lie in a range.
func (o *outstanding) within(in codec.Range) (from, to int) {
	if last := len(o.all) - 1; last < 0 || in.First > o.all[last].number || in.Last < o.all[0].number {
		return 0, 0
	}
	from = o.search(in.First)
	if to = len(o.all); in.Last < o.all[to-1].number {
		to = o.search(in.Last + 1)
	}
	return from, to
}

// search is where the first of them lies whose number is not below the given one.
func (o *outstanding) search(number uint64) int {
	low, high := 0, len(o.all)
	for low < high {
		if middle := (low + high) / 2; o.all[middle].number < number {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// awaitRef is where a session's outstanding DELIVERs are; zero means that it has none.
type awaitRef uint32

// awaitTable has what sessions await, one entry for each that awaits something. Owned by the loop.
type awaitTable struct {
	all  []*outstanding
	free []awaitRef
}

// So that a steady flow allocates nothing, so many entries are kept for the next session that awaits
// something, each for so many DELIVERs.
const (
	keepEntries = 1024
	keepAwaits  = 32
)

// of is nil for a session that awaits nothing.
func (t *awaitTable) of(ref awaitRef) *outstanding {
	if ref == 0 {
		return nil
	}
	return t.all[ref-1]
}

func (t *awaitTable) take() awaitRef {
	if n := len(t.free); n > 0 {
		ref := t.free[n-1]
		t.free = t.free[:n-1]
		if t.all[ref-1] == nil {
			t.all[ref-1] = new(outstanding)
		}
		return ref
	}
	t.all = append(t.all, new(outstanding))
	return awaitRef(len(t.all))
}

// drop gives back an entry in which nothing is outstanding.
func (t *awaitTable) drop(ref awaitRef) {
	if len(t.free) >= keepEntries || cap(t.all[ref-1].all) > keepAwaits {
		t.all[ref-1] = nil
	}
	t.free = append(t.free, ref)
}

func (t *awaitTable) inUse() int { return len(t.all) - len(t.free) }

// awaitedOf is nil for a session that awaits nothing.
func (r *Reactor) awaitedOf(s *Session) *outstanding { return r.awaits.of(r.extras.of(s).awaits) }

// unanswered is how many ACKs, NACKs and replies of a session may settle something.
func (r *Reactor) unanswered(s *Session) int64 {
	if o := r.awaitedOf(s); o != nil {
		return int64(o.n)
	}
	return 0
}

// await notes that the outcome of a session's next numbered DELIVER is awaited.
func (r *Reactor) await(slot Slot, w Waiter) (number uint64) {
	x := r.extras.need(r.sessions.at(slot))
	if x.awaits == 0 {
		x.awaits = r.awaits.take()
	}
	number = r.delivered.next(slot)
	o := r.awaits.of(x.awaits)
	o.all, o.n = append(o.all, awaited{number, w}), o.n+1
	return number
}

// settle tells the outcome of the DELIVERs of a session that are outstanding in a range, if any
// are, at the cost of what is outstanding, however wide the range. The application may send more
// meanwhile: what is sent then is not in it.
func (r *Reactor) settle(slot Slot, in codec.Range, how Outcome) (settled bool) {
	s := r.sessions.at(slot)
	o := r.awaitedOf(s)
	if o == nil {
		return false
	}
	from, to := o.within(in)
	if from == to {
		return false
	}
	how.Handle = r.Handle(slot)
	for i := from; i < to; i++ {
		w := o.all[i].waiter
		if w == nil {
			continue
		}
		how.Number = o.all[i].number
		o.all[i].waiter = nil
		o.n--
		r.app.Settled(how, w)
	}
	o.all = slices.Delete(o.all, from, to)
	if len(o.all) == 0 {
		x := r.extras.need(s)
		r.awaits.drop(x.awaits)
		x.awaits = 0
		r.extras.spare(s)
	}
	return true
}

// everything is the range of all numbers.
var everything = codec.Range{Last: 1<<64 - 1}

// answer handles an ACK, a NACK or a reply of a session, and says whether it settled something: then
// it counts against no rate, but with the bytes that only a reply can have.
func (r *Reactor) answer(slot Slot, f codec.Frame) (settled bool, why Reason) {
	if f.Type == codec.Send {
		return r.replied(slot, f.Payload)
	}
	if f.Type == codec.Ack {
		m, err := codec.ParseAck(f.Payload)
		if err != nil {
			return false, ReasonBadPayload
		}
		r.counters.AcksIn++
		return r.settle(slot, m.Range, Outcome{Result: Acknowledged, What: m.What}), ReasonNone
	}
	m, err := codec.ParseNack(f.Payload)
	if err != nil {
		return false, ReasonBadPayload
	}
	r.counters.NacksIn++
	one := codec.Range{First: m.Number, Last: m.Number}
	return r.settle(slot, one, Outcome{Result: Refused, Code: m.Code, Reason: m.Reason}), ReasonNone
}

// unsent tells that what was posted for a session was not sent.
func (r *Reactor) unsent(p *post, err error) {
	r.app.Settled(Outcome{Handle: p.handle, Result: Unsent, Err: err}, p.waiter)
}

// Abandon tells what is awaited that nobody will settle any more: the loop has ended. Nothing can
// be posted or sent after it. A callback may end its goroutine: called again, it goes on.
func (r *Reactor) Abandon() {
	m := &r.mailbox
	for m.close(); m.doingNext < len(m.doing); {
		p := &m.doing[m.doingNext]
		if m.doingNext++; p.awaited() {
			r.unsent(p, ErrClosed)
		}
	}
	for slot := range Slot(len(r.sessions) * sessionChunk) {
		r.sessions.at(slot).set(gone)
		r.settle(slot, everything, Outcome{Result: Lost, End: ReasonShutdown})
	}
}
