package gate

import (
	"sync/atomic"
	"time"
)

// MaxLoops is how many event loops a node may have.
const MaxLoops = 256

// Silences are, for each loop, when the longest silent of its pending connections came, since
// the server's start; zero for none. Any goroutine may use them.
type Silences [MaxLoops]atomic.Int64

// Tell is called by a loop: its longest silent connection came then, zero if there is none.
func (s *Silences) Tell(loop uint8, at time.Duration) { s[loop].Store(int64(at)) }

// Oldest is the loop that has the longest silent connection of all.
func (s *Silences) Oldest() (loop uint8, any bool) {
	var first int64
	for i := range s {
		if at := s[i].Load(); at != 0 && (!any || at < first) {
			loop, any, first = uint8(i), true, at
		}
	}
	return loop, any
}
