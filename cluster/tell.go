package cluster

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/peer"
	"github.com/stormwheel/stormwheel/server"
)

// tell does what the machine asks for, and calls the Handler. With telling held.
func (n *Node) tell(e *event) {
	switch e.op {
	case peer.Up:
		n.up(e.node)
	case peer.Down:
		n.down(e.node)
	case peer.Login:
		if n.handler.Login != nil {
			n.handler.Login(e.node, e.login)
		}
	case peer.Logout:
		if n.handler.Logout != nil {
			n.handler.Logout(e.node, e.login)
		}
	case peer.Known:
		if n.handler.Known != nil {
			n.handler.Known(e.login.User, e.sure)
		}
	case peer.Message:
		if n.handler.Message != nil {
			n.handler.Message(e.node, e.data)
		}
	case peer.End:
		n.end(e)
	case peer.Retune:
		n.retune(e.terms)
	case peer.Move:
		n.mover.ask(surplus{e.node, e.address, e.count, e.more})
	case peer.Replaced:
		n.log.Error("cluster: another node has this one's name, and was started later", "node", n.cfg.Node)
		select {
		case n.failed <- ErrReplaced:
		default:
		}
	}
}

func (n *Node) up(node string) {
	if was, ok := n.watches[node]; ok {
		was.stop()
	}
	n.watch(node)
	n.log.Info("cluster: a node is up", "peer", node, "live", len(n.members.Load().Names()))
	if n.handler.Up != nil {
		n.handler.Up(node)
	}
}

// watch has the Bus tell when a node is gone. With telling held.
func (n *Node) watch(node string) {
	run := new(struct{ _ byte })
	n.watches[node] = watching{n.cfg.Bus.Watch(node, func() { n.gone(node, run) }), run}
}

func (n *Node) down(node string) {
	if was, ok := n.watches[node]; ok {
		was.stop()
		delete(n.watches, node)
	}
	n.log.Warn("cluster: a node is gone", "peer", node, "live", len(n.members.Load().Names()))
	if n.handler.Down != nil {
		n.handler.Down(node)
	}
}

// supersededTime is how long a session goes on whose client has another elsewhere: for what is on its way.
const supersededTime = 2 * time.Second

// ending is a session that is to end.
type ending struct {
	at  time.Duration
	ref server.Ref
}

// end ends a session of this node, whose client has a later one elsewhere.
func (n *Node) end(e *event) {
	ref := n.refOf(e.handle)
	if e.code == codec.CodeSuperseded {
		n.endSoon(ref)
		return
	}
	_ = n.srv.Close(ref, server.Close{Code: e.code, Reason: "logged in at " + e.node}) // it may have ended
}

// endSoon ends a session that is superseded, unless its client says BYE before.
func (n *Node) endSoon(ref server.Ref) {
	n.endings.mu.Lock()
	defer n.endings.mu.Unlock()
	n.endings.all = append(n.endings.all, ending{n.since() + supersededTime, ref})
	n.wake()
}

// endDue ends the sessions whose time is over, and returns when the next's is.
func (n *Node) endDue() (next time.Duration) {
	n.endings.mu.Lock()
	defer n.endings.mu.Unlock()
	all, now := n.endings.all, n.since()
	for len(all) > 0 && all[0].at <= now {
		_ = n.srv.Close(all[0].ref, server.Close{Code: codec.CodeSuperseded, Reason: "your later session took its place"}) // it may have ended
		all = all[1:]
	}
	if n.endings.all = all; len(all) == 0 {
		n.endings.all = nil
		return never
	}
	return all[0].at
}

// never is later than any time.
const never = time.Duration(1 << 62)
