package peers

import (
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Server runs for a measurement, in a process of its own.
type Server struct {
	*kit.Process
	Addr string
}

// answerPatience bounds its start and its answer to a command; Netty may be compiled first.
const answerPatience = time.Minute

// Start starts a server of the kind and waits until it listens. It dies with us.
func Start(kind string, flags ...string) (*Server, error) {
	p, err := kit.Start(append([]string{"serve", kind, "--commands"}, flags...)...)
	if err != nil {
		return nil, err
	}
	ready, err := p.Line(answerPatience)
	if err != nil {
		p.Stop()
		return nil, fmt.Errorf("%s did not start: %w", kind, err)
	}
	for _, word := range strings.Fields(ready) {
		if addr, ok := strings.CutPrefix(word, "listen="); ok {
			return &Server{p, addr}, nil
		}
	}
	p.Stop()
	return nil, fmt.Errorf("%s said %q instead of being ready", kind, ready)
}

// RSS is the resident memory in bytes, after a collection where the runtime has one.
func (s *Server) RSS() (int64, error) {
	if _, err := s.Ask("collect", answerPatience); err != nil {
		return 0, err
	}
	return s.Resident()
}
