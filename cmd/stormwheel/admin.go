package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/messaging/web"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/admin"
)

// adminListener is where operators ask.
type adminListener struct {
	addr     string // "-" when there is none
	listener net.Listener
	http     *http.Server
	ready    atomic.Bool
	failed   chan error // an end that nobody asked for; never ready without a listener
}

// newAdminListener takes the address, so that one that is taken is known before clients come.
func newAdminListener(addr string, srv *server.Server, m *messages, h *hooks, peers *clustered) (*adminListener, error) {
	a := &adminListener{addr: "-", failed: make(chan error, 1)}
	if addr == "" {
		return a, nil
	}
	var plain net.ListenConfig
	plain.SetMultipathTCP(false)
	listener, err := plain.Listen(context.Background(), transport.ListenNetwork(addr), addr)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	a.listener, a.addr = listener, listener.Addr().String()
	cfg := admin.Config{Ready: a.ready.Load, Stats: make(map[string]func() any)}
	if m != nil {
		cfg.Metrics = append(cfg.Metrics, messageCollector{m.hub})
		cfg.Stats["messages"] = func() any { return m.hub.Stats() }
	}
	if h != nil {
		cfg.Metrics = append(cfg.Metrics, hookCollector{h.backEnd})
		cfg.Stats["hooks"] = func() any { return h.backEnd.Stats() }
	}
	if peers != nil {
		cfg.Metrics = append(cfg.Metrics, clusterCollector{peers})
	}
	at, ok := listener.Addr().(*net.TCPAddr)
	local := ok && at.IP.IsLoopback()
	if local {
		cfg.Settings = srv // who is on this machine may change them
	}
	backEnds := m != nil && (local || len(m.tokens) > 0)
	if backEnds {
		cfg.MaxConns = backEndConns
	}
	a.http = admin.NewServer(srv, cfg)
	if peers != nil {
		leave := peers.leave
		if !local {
			leave = nil // who is on this machine may ask for it
		}
		a.http.Handler = withCluster(a.http.Handler, peers, leave)
	}
	if backEnds {
		a.http.Handler = beside(a.http.Handler, web.New(m.hub, srv, web.Config{Tokens: m.tokens, Logger: m.log}))
	}
	return a, nil
}

// backEndConns is how many connections the listener takes where back ends have calls: as many as may wait for an
// outcome, and as many again, so that one that waits need not make room.
const backEndConns = 256

// beside has the calls of back ends beside what operators ask. A ServeMux would redirect paths whose names it
// does not like.
func beside(operators, backEnds http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			backEnds.ServeHTTP(w, r)
			return
		}
		operators.ServeHTTP(w, r)
	})
}

// serve answers from now on.
func (a *adminListener) serve() {
	if a.listener == nil {
		return
	}
	go func() {
		if err := a.http.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("admin: %w", err)
		}
	}()
}

// takesClients says that the node does.
func (a *adminListener) takesClients() { a.ready.Store(true) }

func (a *adminListener) notReady() { a.ready.Store(false) }

// adminTime is how long answers that are under way have at the end: outcomes come soon when the clients have gone.
const adminTime = time.Second

func (a *adminListener) close() {
	if a.listener != nil {
		ctx, cancel := context.WithTimeout(context.Background(), adminTime)
		defer cancel()
		_ = a.http.Shutdown(ctx)
		_ = a.http.Close()
		_ = a.listener.Close() // http.Close does not know it before serve
	}
}
