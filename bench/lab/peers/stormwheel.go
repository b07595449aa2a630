package peers

import (
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/server"
)

// Blind is the kind of a node that does not measure what it can do.
const Blind = "stormwheel-blind"

func serveBlind(t *Serve) (string, error) {
	gate.Blind = true
	return serveStormwheel(t)
}

// serveStormwheel is a node as an embedder would make it, with Go's collector settings like
// every other server here.
func serveStormwheel(t *Serve) (string, error) {
	s, err := server.New(server.Config{Listen: t.Listen, Node: t.Node, Loops: t.Loops,
		Heartbeat: t.Heartbeat, Timeout: t.Timeout, Tick: t.Tick, AdmitRate: t.AdmitRate})
	if err != nil {
		return "", err
	}
	if err := s.Start(); err != nil {
		return "", err
	}
	return s.Addr(), nil
}
