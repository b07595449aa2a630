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
	tasks map[string]*task
}

// task is what is being handed over to one node.
type task struct{ left, moved int }

// surplus is how many go where.
type surplus struct {
	node, address string
	count         int
	more          int // in the next seconds
}

// maxSurplus is how many walks may wait.
const maxSurplus = 16

// moveTime bounds a walk over the sessions.
const moveTime = 5 * time.Second

func (m *mover) ask(s surplus) {
	select {
	case m.asked <- s:
	default:
	}
}

func (m *mover) run(n *Node) func() {
	m.asked, m.tasks = make(chan surplus, maxSurplus), make(map[string]*task)
	return func() {
		for {
			select {
			case <-n.done:
				return
			case s := <-m.asked:
				m.handOver(n, s)
			}
		}
	}
}

// handOver moves clients, and logs when it begins with a node and when that is done.
func (m *mover) handOver(n *Node, s surplus) {
	t := m.tasks[s.node]
	if t == nil || s.count+s.more != t.left {
		t = &task{left: s.count + s.more}
		m.tasks[s.node] = t
		n.log.Info("cluster: handing clients over to a node that has fewer", "peer", s.node, "clients", t.left)
	}
	t.moved += m.move(n.srv, s)
	if t.left = s.more; t.left == 0 {
		delete(m.tasks, s.node)
		n.log.Info("cluster: clients were handed over", "peer", s.node, "clients", t.moved)
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
