package messaging

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	boltErrors "go.etcd.io/bbolt/errors"
)

// What OpenBolt returns, with the file's name, beside the errors of the file system; ErrStoreDamaged is also
// what every method returns once a page turned out damaged.
var (
	ErrStoreInUse   = errors.New("messaging: another process has the store open")
	ErrStoreFormat  = errors.New("messaging: the file is no store, or of a newer version")
	ErrStoreDamaged = errors.New("messaging: the store's file is damaged")
)

// Bolt is a Store in one file, by bbolt: durable, of one process at a time. A commit is two fsyncs, and
// what is asked meanwhile goes into the next, which begins 2 ms after the one before at the earliest if several
// callers ask. The file grows to some times the Bounds and never shrinks.
//
// After an error of the disk (no space, above all) the store serves on: what could not be written is
// refused with that error, and what is written is there.
type Bolt struct {
	path   string
	db     *bbolt.DB
	file   *os.File // db's
	grown  int64    // its bytes that were written, with zeros at least; the committer's
	counts *tallies
	read   int                   // the transaction as of which counts are, while it opens
	broken atomic.Pointer[error] // set once: nothing is done any more

	mu      sync.Mutex
	pending []*boltOp
	took    int // ops by the committer
	closed  bool
	wake    chan struct{} // of the committer; 1

	ended    chan struct{} // the committer has returned
	closing  sync.Once
	closeErr error
}

// lockPatience is how long OpenBolt waits for another process to let go of the file.
const lockPatience = time.Second

// OpenBolt opens the store in a file, and makes the file if there is none. It reads the whole file, some
// 500 MB a second, and checks it. Only one process can have it open: another gets ErrStoreInUse after a
// second. The file is readable by its owner alone.
func OpenBolt(path string, b Bounds) (*Bolt, error) {
	s := &Bolt{path: path, counts: newTallies(b), wake: make(chan struct{}, 1), ended: make(chan struct{})}
	if err := s.check(); err != nil {
		return nil, s.wrap(err)
	}
	if err := s.guard(s.open); err != nil {
		return nil, s.wrap(err)
	}
	go s.commitAll()
	return s, nil
}

// check makes a new file, or reads the whole file before bbolt is given a chance to write it: bbolt looks for free pages on
// a goroutine of its own, whose panic over a damaged page would end the process.
func (s *Bolt) check() error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s.create()
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: it is no regular file", ErrStoreFormat)
	case info.Size() == 0:
		return nil // an empty file, made by hand
	}
	return s.guard(func() error {
		db, err := s.openBolt(s.path, bbolt.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		defer db.Close() // until then nobody else writes it
		f, err := os.Open(s.path)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err = f.Stat(); err != nil {
			return err
		}
		if err := checkPages(f, info.Size()); err != nil {
			return err
		}
		return db.View(s.readAll)
	})
}

// openBolt opens the file and closes it again if that panics.
func (s *Bolt) openBolt(path string, o bbolt.Options) (db *bbolt.DB, err error) {
	s.file = nil
	o.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		s.file, err = os.OpenFile(name, flag, mode)
		return s.file, err
	}
	defer func() {
		if db == nil && err == nil && s.file != nil {
			s.file.Close()
		}
	}()
	o.Timeout, o.NoStatistics = lockPatience, true
	o.FreelistType, o.NoFreelistSync = bbolt.FreelistMapType, true
	db, err = bbolt.Open(path, 0o600, &o)
	switch {
	case errors.Is(err, boltErrors.ErrTimeout):
		return nil, ErrStoreInUse
	case errors.Is(err, boltErrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %w", ErrStoreFormat, err)
	case errors.Is(err, boltErrors.ErrInvalid), errors.Is(err, boltErrors.ErrChecksum):
		return nil, fmt.Errorf("%w, or is no store: %w", ErrStoreDamaged, err)
	}
	return db, err
}

// open opens the file for good, and makes the buckets of a new one.
func (s *Bolt) open() error {
	db, err := s.openBolt(s.path, bbolt.Options{})
	if err != nil {
		return err
	}
	s.db = db
	made := false
	err = db.View(func(tx *bbolt.Tx) error {
		if made = tx.Bucket(bucketMeta) != nil; !made || tx.ID() == s.read {
			return nil
		}
		return s.readAll(tx) // somebody has had it since check
	})
	if err == nil && !made {
		err = db.Update(makeBuckets)
	}
	if err != nil {
		db.Close()
	}
	return err
}

// guard runs what touches pages of the file, on this goroutine. A panic over a damaged page, or a fault
// where the file has become shorter, breaks the store instead of the process.
func (s *Bolt) guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrStoreDamaged, p)
		}
		if errors.Is(err, ErrStoreDamaged) {
			s.fail(err)
		}
	}()
	return f()
}

func (s *Bolt) fail(err error) {
	err = s.wrap(err)
	s.broken.CompareAndSwap(nil, &err)
}

// wrap says which file it is about, once.
func (s *Bolt) wrap(err error) error {
	var e *boltError
	if err == nil || errors.As(err, &e) || errors.Is(err, ErrStoreClosed) {
		return err
	}
	return &boltError{s.path, err}
}

type boltError struct {
	path string
	err  error
}

func (e *boltError) Error() string { return fmt.Sprintf("%v (%s)", e.err, e.path) }
func (e *boltError) Unwrap() error { return e.err }

// Total tells how many records there are, delayed ones included, and their bytes as Bounds count.
func (s *Bolt) Total() (records int, bytes int64) { return s.counts.total() }

// Durable is true.
func (s *Bolt) Durable() bool { return true }

// Waiting does as Store says.
func (s *Bolt) Waiting(user string) Waiting { return s.counts.waiting(user) }

// Close commits what was asked for and closes the file.
func (s *Bolt) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.stir()
		<-s.ended
		if s.broken.Load() == nil { // else a transaction is open for ever, and Close would wait for it
			s.closeErr = s.wrap(s.db.Close())
		}
	})
	return s.closeErr
}
