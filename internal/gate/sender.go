package gate

import (
	"math"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// SenderWidth is how many numbers a window has: no client uses a number before the one that is so
// much lower, and all before that, are settled.
const SenderWidth = 256

// Mark is what was said about a SEND: it is acknowledged with the word of an ACK, or refused with
// the code of a NACK.
type Mark struct {
	Refused bool
	Word    uint16 // of an ACK, at most 255, or the codec.NackCode
}

// Fate is what a SEND is to the window of its sender.
type Fate uint8

// The fates.
const (
	FateNew     Fate = iota // it is taken now: the application's
	FateOpen                // it was taken before, and nothing was said about it yet
	FateSettled             // it was taken before, and what was said is to be said again
	FateStale               // it is below the window, or of a connection that its client has left
)

// Sender is what was taken of one client: its window, the 256 numbers up to the highest that came,
// each none, open, or settled. Its lock is held for a few instructions by the loop of its connection,
// and by whoever settles; loops meet at it only while a client changes its connection.
type Sender struct {
	key senderKey

	// Guarded by the mutex of its shard.
	sessions   int           // that refer to it
	left       time.Duration // when the last of them ended
	prev, next *Sender       // among those without a session; nil otherwise, and at the ends

	mu      sync.Mutex
	high    uint64 // the highest number that came
	open    bits
	settled bits
	refused bits                 // of settled, those that a NACK was for
	words   *[SenderWidth]uint16 // of settled; nil: all are 0
	session uint64               // the handle of the newest session that has sent something
	attempt uint32               // and which connect of its sender that was
	here    bool                 // it has not ended
}

// bits are a flag for each number of a window, at the number modulo the width.
type bits [SenderWidth / 64]uint64

func (b *bits) has(number uint64) bool { return b[number/64%uint64(len(b))]>>(number%64)&1 != 0 }

func (b *bits) set(number uint64) { b[number/64%uint64(len(b))] |= 1 << (number % 64) }

func (b *bits) clear(number uint64) { b[number/64%uint64(len(b))] &^= 1 << (number % 64) }

// ID is its client id.
func (w *Sender) ID() string { return w.key.id }

// Take tells what a SEND with a number, which is not 0, is: if it is new, it is open now. It came over
// a session that is the sender's given connect. The mark is that of FateSettled.
//
// The newest session is the one of the latest connect over which a SEND has come, not the one that
// was welcomed last: a WELCOME may never arrive, and then its client goes on where it was. A client
// that has one sends again what is not settled, so nothing waits for an outcome on the wrong session.
func (w *Sender) Take(number, session uint64, attempt uint32) (Fate, Mark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if session != w.session || !w.here {
		if attempt < w.attempt {
			return FateStale, Mark{}
		}
		w.session, w.attempt, w.here = session, attempt, true
	}
	switch {
	case number > w.high:
		w.slide(number)
		w.open.set(number)
		return FateNew, Mark{}
	case w.high-number >= SenderWidth:
		return FateStale, Mark{}
	case w.open.has(number):
		return FateOpen, Mark{}
	case w.settled.has(number):
		return FateSettled, w.mark(number)
	default:
		w.open.set(number)
		return FateNew, Mark{}
	}
}

// slide moves the window up to a number. What falls out at its lower end is settled, says the client
// that has used this number.
func (w *Sender) slide(number uint64) {
	if number-w.high >= SenderWidth {
		w.open, w.settled, w.refused = bits{}, bits{}, bits{}
		w.high = number
		return
	}
	for w.high < number {
		w.high++
		w.open.clear(w.high)
		w.settled.clear(w.high)
		w.refused.clear(w.high)
	}
}

// mark is that of a number that is settled.
func (w *Sender) mark(number uint64) Mark {
	m := Mark{Refused: w.refused.has(number)}
	if w.words != nil {
		m.Word = w.words[number%SenderWidth]
	}
	return m
}

// Settle marks what is open in a range, and leaves alone what is not: of two words about a number the
// first counts, and nobody can acknowledge what was not taken. For the newest session, if it has not
// ended, tell is called first with each run of numbers that are to be told, which may hold some that
// were told the same before. Its error ends it, and that run stays open. tell must not use w.
//
// Whatever comes over another session later finds the mark: there is no moment in which an outcome
// goes to a session that its client has left and is not found by the repeat over the next.
func (w *Sender) Settle(in codec.Range, m Mark, tell func(session uint64, run codec.Range) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	in.First, in.Last = max(in.First, w.lowest()), min(in.Last, w.high)
	for n := in.First; n <= in.Last; n++ {
		if !w.open.has(n) {
			if n == math.MaxUint64 {
				break // behind it comes none
			}
			continue
		}
		run := w.run(codec.Range{First: n, Last: in.Last}, m)
		if w.here {
			if err := tell(w.session, run); err != nil {
				return err
			}
		}
		w.put(run, m)
		n = run.Last - 1 // which is not open any more
	}
	return nil
}

// lowest is the lowest number of the window.
func (w *Sender) lowest() uint64 {
	if w.high <= SenderWidth {
		return 1
	}
	return w.high - SenderWidth + 1
}

// run is the longest beginning of a range whose first number is open that may be told as one.
func (w *Sender) run(in codec.Range, m Mark) codec.Range {
	run := codec.Range{First: in.First, Last: in.First}
	for n := in.First; n < in.Last; {
		n++
		if w.open.has(n) {
			run.Last = n
		} else if !w.settled.has(n) || w.mark(n) != m {
			break
		}
	}
	return run
}

// put marks what is open in a run.
func (w *Sender) put(run codec.Range, m Mark) {
	if m.Word != 0 && w.words == nil {
		w.words = new([SenderWidth]uint16)
	}
	for n := run.First; ; n++ {
		if w.open.has(n) {
			w.open.clear(n)
			w.settled.set(n)
			if m.Refused {
				w.refused.set(n)
			}
			if w.words != nil {
				w.words[n%SenderWidth] = m.Word
			}
		}
		if n == run.Last {
			return
		}
	}
}

// Fail forgets that a number was taken over a session whose handler has failed at it, so that it may
// be taken another time. If somebody has settled it already, that stays, and open is false. If
// its sender has gone on to another session meanwhile, a repeat may have come there and been dropped:
// then the number is marked as refused with the given code, and elsewhere says that this is to be
// told to the newest session.
func (w *Sender) Fail(number, session uint64, code codec.NackCode) (open bool, newest uint64, elsewhere bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number > w.high || w.high-number >= SenderWidth || !w.open.has(number) {
		return false, 0, false
	}
	if w.here && w.session != session {
		w.put(codec.Range{First: number, Last: number}, Mark{Refused: true, Word: uint16(code)})
		return true, w.session, true
	}
	w.open.clear(number)
	return true, 0, false
}

// leave notes that a session has ended.
func (w *Sender) leave(session uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.session == session {
		w.here = false
	}
}
