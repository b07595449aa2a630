package nodes

import (
	"errors"
	"io/fs"

	"github.com/stormwheel/stormwheel/bench/result"
)

// A target whose process is known by --pid may end while a run goes on. That says more than what its
// clients see.

// ended reports whether the process is no more, or waits for nothing but its parent.
func (r *reading) ended() bool {
	return errors.Is(r.useErr, fs.ErrNotExist) || r.use.Ended
}

// tellEnd notes that the process of a target has ended. It keeps its last reading.
func (s *Servers) tellEnd(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observers[i].ended = true
	s.gone = append(s.gone, i)
}

// Ended are the targets whose processes have ended since it was asked last.
func (s *Servers) Ended() (all []result.Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.gone {
		all = append(all, s.list[i])
	}
	s.gone = nil
	return all
}
