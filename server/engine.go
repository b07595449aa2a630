package server

import (
	"context"

	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/server/internal/engine"
)

func init() {
	engine.Start = func(node any, e engine.Engine) (idle func() bool, err error) {
		s := node.(*Server)
		return s.idle, s.startOn(e)
	}
}

// stopper ends event loops: gnet's engine, or one in memory.
type stopper interface {
	Stop(ctx context.Context) error
}

// memoryDescriptors is the descriptor limit of a node that has no sockets.
const memoryDescriptors = 1 << 20

// startOn is Start for a node in memory, which binds no address.
func (s *Server) startOn(e engine.Engine) error {
	if err := s.begin(); err != nil {
		return err
	}
	s.node = gate.NewNode(s.gated.cfg.gate(), e.Random())
	s.setMemory()
	s.engine, s.addr, s.inMemory = e, "memory", true
	s.entry = s.entryConfig()
	return s.launch(memoryDescriptors, 0, e.Run)
}

// idle says whether no loop has something in its mailbox.
func (s *Server) idle() bool {
	for _, l := range *s.loops.Load() {
		if !l.reactor.Mailbox().Empty() {
			return false
		}
	}
	return true
}
