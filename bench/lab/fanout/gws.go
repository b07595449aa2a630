package fanout

import (
	"net"
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

// gwsHub is a hub over github.com/lxzan/gws as its documentation has one: a goroutine reads each
// connection, and a Broadcaster encodes a message once.
type gwsHub struct {
	gws.BuiltinEventHandler
	server http.Server

	mu  sync.Mutex
	all []*gws.Conn // guarded by mu
}

func startGWS() (hub, string, error) {
	h := new(gwsHub)
	upgrader := gws.NewUpgrader(h, &gws.ServerOption{})
	h.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := upgrader.Upgrade(w, r); err == nil {
			go conn.ReadLoop()
		}
	})
	addr, err := serve(&h.server)
	return h, addr, err
}

// serve serves HTTP at a free port.
func serve(s *http.Server) (addr string, err error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), nil
}

// OnOpen makes a member.
func (h *gwsHub) OnOpen(c *gws.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, c)
}

func (h *gwsHub) joined() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

func (h *gwsHub) gather(map[string]float64) error { return nil }

func (h *gwsHub) publish(body []byte, times int) error {
	for range times {
		b := gws.NewBroadcaster(gws.OpcodeBinary, body)
		for _, c := range h.all { // nobody joins any more
			if err := b.Broadcast(c); err != nil {
				return err
			}
		}
		if err := b.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (h *gwsHub) marks([]byte) int { return 1 }

func (h *gwsHub) end(map[string]float64) { _ = h.server.Close() }
