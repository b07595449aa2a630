package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/panjf2000/gnet/v2"
)

const (
	// unixInFlight is how many connections of unix sockets may be on their way to a loop. Each has two
	// descriptors meanwhile.
	unixInFlight = 16
	// acceptPause is how long a socket rests whose accept has failed, as at the descriptor limit.
	acceptPause = 50 * time.Millisecond
)

// unixSockets are those of a node. Each has a goroutine that accepts and hands over to gnet's loops.
type unixSockets struct {
	srv    *Server
	claims []*unixClaim
	places chan struct{} // one for each connection on its way

	ended chan struct{} // closed when nothing is accepted any more

	deal            sync.Mutex // gnet's round robin is for one goroutine
	strangers, lost seldom

	mu      sync.Mutex     // who comes first of serve and end
	over    bool           // guarded by mu: ended is closed
	running sync.WaitGroup // the goroutines that accept
	landing sync.WaitGroup // the connections on their way
}

// arrival is what gnet keeps of a connection until its loop has taken it in.
type arrival struct {
	listener int
	peer     Peer
}

// claimUnixAll claims the unix sockets among the listeners, or none.
func claimUnixAll(s *Server, all []Listener) (*unixSockets, error) {
	u := &unixSockets{srv: s, places: make(chan struct{}, unixInFlight), ended: make(chan struct{})}
	for i := range all {
		if _, is := unixPath(all[i].Addr); !is {
			continue
		}
		c, err := claimUnix(&all[i], i)
		if err != nil {
			u.end()
			return nil, fmt.Errorf("server: listen %s: %w", all[i].Addr, err)
		}
		u.claims = append(u.claims, c)
	}
	return u, nil
}

// descriptors is how many the sockets need at most.
func (u *unixSockets) descriptors() int {
	if len(u.claims) == 0 {
		return 0
	}
	return 2*len(u.claims) + 2*unixInFlight // each may have accepted one that waits for a place
}

// serve accepts from now on.
func (u *unixSockets) serve(e gnet.Engine) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return
	}
	for _, c := range u.claims {
		u.running.Go(func() { u.accept(c, e) })
	}
}

// end ends the listening. It may be called more than once.
func (u *unixSockets) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return
	}
	u.over = true
	close(u.ended)
	for _, c := range u.claims {
		c.close()
	}
	u.running.Wait()
}

// close is end, and waits until what was accepted has come to its loop: gnet's loops must run still.
func (u *unixSockets) close() {
	u.end()
	u.landing.Wait()
}

func (u *unixSockets) accept(c *unixClaim, e gnet.Engine) {
	for {
		nc, err := c.socket.AcceptUnix()
		if err == nil {
			err = u.admit(c, e, nc)
		}
		switch {
		case err == nil, errors.Is(err, errStranger):
		case errors.Is(err, net.ErrClosed):
			return
		default:
			u.logLost(c, err)
			time.Sleep(acceptPause)
		}
	}
}

func (u *unixSockets) logLost(c *unixClaim, err error) {
	u.log(&u.lost, "a connection of a unix socket is lost", slog.String("path", c.path), slog.Any("err", err))
}

// log warns of what may happen often.
func (u *unixSockets) log(of *seldom, text string, attrs ...any) {
	if n, log := of.note(time.Now()); log {
		u.srv.cfg.Logger.Warn(text, append(attrs, slog.Uint64("times", n))...)
	}
}

var errStranger = errors.New("server: not one of the users that may connect")

// admit hands a connection over to a loop, or closes it.
func (u *unixSockets) admit(c *unixClaim, e gnet.Engine, nc *net.UnixConn) (err error) {
	defer func() {
		if err != nil {
			_ = nc.Close()
		}
	}()
	peer, err := peerOf(nc)
	if err != nil {
		return err
	}
	if c.users != nil && !slices.Contains(c.users, peer.UID) {
		u.log(&u.strangers, "a user that may not connect was refused at a unix socket",
			slog.String("path", c.path), slog.Uint64("uid", uint64(peer.UID)), slog.Int("pid", peer.PID))
		return errStranger
	}
	if err := nc.SetWriteBuffer(sendBuffer); err != nil {
		return err
	}
	select { // after its accept: a socket at which nobody comes keeps no place
	case u.places <- struct{}{}:
	case <-u.ended:
		return net.ErrClosed
	}
	ctx := gnet.NewContext(context.Background(), &arrival{c.index, peer})
	u.deal.Lock()
	landed, err := e.Register(gnet.NewNetConnContext(ctx, nc))
	u.deal.Unlock()
	if err != nil {
		<-u.places
		return err
	}
	u.landing.Go(func() {
		got := <-landed // a connection that gnet could not watch is closed
		<-u.places
		if got.Err != nil {
			u.logLost(c, got.Err)
		}
	})
	return nil
}
