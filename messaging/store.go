package messaging

import (
	"context"
	"errors"
	"time"
)

// What a Store's methods return, beside the errors of what it is made of.
var (
	ErrQueueFull   = errors.New("messaging: the user's queue is full") // Record.Refused
	ErrStoreFull   = errors.New("messaging: the store is full")        // Record.Refused
	ErrStoreClosed = errors.New("messaging: the store is closed")      // any method after Close
)

// Key is a record's place: the greater came later. It is unique within its store, for ever, and not 0.
type Key uint64

// Record is one message that waits for a user.
type Record struct {
	User string    // 1 to 128 bytes without control characters
	Key  Key       // the store's, set by Put
	Put  time.Time // when it was taken, in whole ms; the caller's clock
	Due  time.Time // zero: it is in the queue; else it is delayed until then, in whole ms

	// Expires ends its life, in whole ms. A store keeps it and does nothing: it is the hub that drops
	// what has expired, and tells of it.
	Expires time.Time

	// Was, in a Put, is the Key of a delayed record of the same user, whose place this one takes, in the
	// same step; a store forgets it then. If there is none (it was dropped meanwhile), this one is not
	// stored, without an error: its Key stays 0. Bounds do not hold for it. 0 otherwise.
	Was Key

	// Refused, after a Put: why this record alone was not stored: ErrQueueFull, ErrStoreFull; nil
	// otherwise.
	Refused error

	// Body is what a DELIVER will carry. Put hands it over: nobody changes it any more. What Next and
	// Due return is the caller's.
	Body []byte
}

// Bounds limit a store. They count bodies and RecordCost for each record. 0 is the default, negative
// is none.
type Bounds struct {
	UserRecords int   // of one user, delayed ones included; default 1,000
	UserBytes   int   // of one user; default 1 MiB
	Records     int   // of all; default 1,000,000
	Bytes       int64 // of all; default 256 MiB
}

// RecordCost is what a record counts beside its body, in bytes.
const RecordCost = 96

// Waiting is what waits for one user.
type Waiting struct {
	User    string
	Records int       // in the queue
	Delayed int       // not due yet, or due and not yet moved to the queue
	Bytes   int64     // of both, as Bounds counts
	Oldest  time.Time // Record.Put of the first in the queue; zero: the queue is empty
}

// Moment is a place in the order of delayed records: by Due, and of one Due by Key. Its zero is before
// all.
type Moment struct {
	Due time.Time
	Key Key
}

// A Store keeps what waits for users: for each a queue in the order of Put, and what is delayed. It
// belongs to one node. All methods may be called from any goroutine at once, may block, and return
// when ctx ends, with its error. Package storetest holds an implementation to this contract.
type Store interface {
	// Put stores records, in their order; those of one user from one goroutine keep it over several
	// calls. When it returns nil, each record has a Key or a Refused (or a Was that is gone), and what
	// has a Key is kept as Durable says. With an error nobody knows, and records are as they were:
	// each of them may be stored, now or later. Concurrent calls share the work of a commit. A record
	// with a Due is delayed, and not in the queue. That a batch is stored in part, with an error,
	// happens only where a process dies or ctx ends.
	Put(ctx context.Context, batch []Record) error

	// Next returns the first records of a user's queue with keys greater than after, in order, at most
	// max of them; fewer if those have 64 KiB, but one at least. None: there are no more.
	Next(ctx context.Context, user string, after Key, max int) ([]Record, error)

	// Drop forgets records of a user, delayed ones too; keys that are not there are no error. When it
	// returns nil they do not come again, after a restart either if the store is durable.
	Drop(ctx context.Context, user string, keys []Key) error

	// Users returns for whom something waits, in ascending order of the names' bytes from behind after
	// on, at most max. Who is there during a whole walk is in it.
	Users(ctx context.Context, after string, max int) ([]Waiting, error)

	// Due returns delayed records that are due at until or before, in the order of Moment from behind
	// after on, at most max; fewer if they have 64 KiB, but one at least. They stay where they are: who
	// wants one in the queue Puts it with Was.
	Due(ctx context.Context, until time.Time, after Moment, max int) ([]Record, error)

	// Waiting tells what waits for one user; zero but for User if nothing does. It is exact, and does not
	// block on a disk: a commit under way counts when it has ended.
	Waiting(user string) Waiting

	// Durable tells whether what is stored outlives the process: the difference between "durable" and
	// "held" to a sender. It never changes.
	Durable() bool

	// Close ends what is under way and releases what the store holds. Calls that wait return. It may
	// be repeated.
	Close() error
}
