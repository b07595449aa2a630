package cluster

import (
	"context"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

// mover hands clients over to a node that has fewer. What is asked while it is busy is not done: the machine asks again.
type mover struct {
	asked chan surplus
	after server.Ref // where the last walk ended
	told  time.Time  // when clients were last asked to go
}

// surplus is how many go where.
type surplus struct {
	node, address string
	count         int
}

const (
	maxSurplus = 16               // how many walks may wait
	quietTime  = 10 * time.Second // without a walk, after which the next is told
)

// moveTime bounds a walk over the sessions.
const moveTime = 5 * time.Second

func (m *mover) ask(node, address string, count int) {
	select {
	case m.asked <- surplus{node, address, count}:
	default:
	}
}

func (m *mover) run(n *Node) func() {
	m.asked = make(chan surplus, maxSurplus)
	return func() {
		for {
			select {
			case <-n.done:
				return
			case s := <-m.asked:
				if now := time.Now(); now.Sub(m.told) > quietTime {
					m.told = now
					n.log.Info("cluster: handing clients over to a node that has fewer", "peer", s.node)
				} else {
					m.told = now
				}
				n.log.Debug("cluster: clients were asked to go", "peer", s.node, "clients", m.move(n.srv, s))
			}
		}
	}
}

// move asks so many clients to go elsewhere, from where it ended the last time on.
func (m *mover) move(srv *server.Server, s surplus) (moved int) {
	ctx, cancel := context.WithTimeout(context.Background(), moveTime)
	defer cancel()
	for range 2 { // it may begin near the end
		refs, more := m.page(ctx, srv, s.count-moved)
		for _, ref := range refs {
			if srv.Move(ref, []string{s.address}) == nil {
				moved++
			}
		}
		if more || moved >= s.count || ctx.Err() != nil {
			return moved
		}
		m.after = server.Ref{}
	}
	return moved
}

// page returns the next sessions that nobody has asked to go.
func (m *mover) page(ctx context.Context, srv *server.Server, limit int) (refs []server.Ref, more bool) {
	last, more, err := srv.Sessions(ctx, m.after, limit, func(s *server.Session) {
		if !s.Draining() {
			refs = append(refs, s.Ref())
		}
	})
	if err != nil {
		return nil, true
	}
	m.after = last
	return refs, more
}
