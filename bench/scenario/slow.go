package scenario

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
)

// slowDown has nodes run for a share of the time only (--slow), until lift is called, which may be
// repeated. Without --slow it does nothing.
func (s *Stage) slowDown(all ...*nodes.Node) (lift func()) {
	if s.slow == (nodes.Duty{}) {
		return func() {}
	}
	over := s.Note(result.EventSlow, "", fmt.Sprintf("nodes run for %v of every %v only", s.slow.Run, s.slow.Run+s.slow.Stop))
	quick := nodes.Throttle(s.slow, all...)
	return func() {
		quick()
		over()
	}
}
