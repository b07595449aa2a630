package peers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// Server runs for a measurement, in a process of its own.
type Server struct {
	*child.Child
	Addr string
}

// patience bounds its start and its answer to a command; Netty may be compiled first.
const patience = time.Minute

// Start starts a server of the kind and waits until it listens. It dies with us.
func Start(ctx context.Context, kind string, flags ...string) (*Server, error) {
	c, _, err := kit.Command(append([]string{"serve", kind, "--commands"}, flags...)...)
	if err != nil {
		return nil, err
	}
	ready, err := c.Start(ctx, patience)
	if err != nil {
		return nil, fmt.Errorf("%s did not start: %w", kind, err)
	}
	for _, word := range strings.Fields(ready) {
		if addr, ok := strings.CutPrefix(word, "listen="); ok {
			return &Server{c, addr}, nil
		}
	}
	c.Close()
	return nil, fmt.Errorf("%s said %q instead of being ready", kind, ready)
}

// Resident is its memory in bytes, after a collection where the runtime has one.
func (s *Server) Resident() (int64, error) {
	if _, err := s.Ask("collect", patience); err != nil {
		return 0, err
	}
	return proc.Resident(s.PID)
}
