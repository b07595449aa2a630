package peers

import "github.com/stormwheel/stormwheel/server"

// serveStormwheel is a node as an embedder would make it, with Go's collector settings like
// every other server here.
func serveStormwheel(t terms) (string, error) {
	s, err := server.New(server.Config{Listen: t.listen, Node: t.node, Loops: t.loops,
		Heartbeat: t.heartbeat, Timeout: t.timeout, Tick: t.tick, AdmitRate: t.admit})
	if err != nil {
		return "", err
	}
	if err := s.Start(); err != nil {
		return "", err
	}
	return s.Addr(), nil
}
