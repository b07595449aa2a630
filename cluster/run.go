package cluster

import (
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/peer"
)

// event is an action of the machine that is not to publish, with what is in it copied.
type event struct {
	op      peer.Op
	node    string
	login   Login
	data    []byte // a view of what has come by the Bus
	handle  uint64
	code    codec.Code
	terms   peer.Terms
	address string
	count   int
	sure    bool
	more    int
}

// local has the machine take what this node does. What it publishes leaves at once; the error is the Bus's last.
func (n *Node) local(do func(now peer.Now, out *peer.Out)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.left {
		return ErrClosed
	}
	do(n.now(), &n.out)
	asked := len(n.asked)
	err := n.carryOut(&n.out, &n.asked)
	n.out.Reset()
	if n.machine.Deadline() < n.wakeAt || len(n.asked) > asked {
		n.wake()
	}
	return err
}

// take has the machine take what is due, and tells of it.
func (n *Node) take(do func(now peer.Now, out *peer.Out)) {
	n.telling.Lock()
	defer n.telling.Unlock()
	n.takeLocked(do)
}

// takeLocked is take with telling held.
func (n *Node) takeLocked(do func(now peer.Now, out *peer.Out)) {
	n.mu.Lock()
	if n.left {
		n.mu.Unlock()
		return
	}
	do(n.now(), &n.heard)
	n.taken()
}

// received takes what the Bus brings: take without a function that would have to be made for each message.
func (n *Node) received(data []byte) {
	n.telling.Lock()
	defer n.telling.Unlock()
	n.mu.Lock()
	if n.left {
		n.mu.Unlock()
		return
	}
	n.machine.Received(n.now(), data, &n.heard)
	n.taken()
}

// taken carries out what the machine has asked for in n.heard, and tells of it. With telling and mu held; it gives mu back.
func (n *Node) taken() {
	n.events = append(n.events, n.asked...)
	n.asked = n.asked[:0]
	_ = n.carryOut(&n.heard, &n.events) // what the Bus did not take is counted, and asked for
	n.heard.Reset()
	if n.machine.Deadline() < n.wakeAt {
		n.wake()
	}
	n.mu.Unlock()
	for i := range n.events {
		n.tell(&n.events[i])
	}
	clear(n.events)
	n.events = n.events[:0]
}

// carryOut publishes, and appends what else is asked for to events. With mu held.
func (n *Node) carryOut(out *peer.Out, events *[]event) (err error) {
	changed := false
	for i := range out.Actions {
		a := &out.Actions[i]
		switch a.Op {
		case peer.Publish:
			if failed := n.cfg.Bus.Publish(subjectOf(a), a.Data); failed != nil {
				n.unsent.Add(1)
				err = failed
			}
			continue
		case peer.Up, peer.Down:
			changed = true
		}
		*events = append(*events, event{op: a.Op, node: a.Node, data: a.Data, handle: a.Handle, code: a.Code,
			terms: a.Terms, address: a.Address, count: a.Count, more: a.More, sure: a.Sure, login: loginOf(a)})
	}
	if changed {
		n.setMembers()
	}
	n.quiet.Store(n.machine.Quiet())
	return err
}

// loginOf copies what a is about, if it is about a login.
func loginOf(a *peer.Action) Login {
	if a.Op != peer.Login && a.Op != peer.Logout && a.Op != peer.End && a.Op != peer.Known {
		return Login{}
	}
	return Login{ID: string(a.Login.ID), User: string(a.Login.User), Incarnation: a.Login.Incarnation, Attempt: a.Login.Attempt, Stamp: a.Login.Stamp}
}

func subjectOf(a *peer.Action) string {
	switch a.Subject {
	case peer.Nodes:
		return subjectNodes
	case peer.All:
		return subjectAll
	default:
		return subjectTo + a.Node
	}
}

// wake has the runner look again.
func (n *Node) wake() {
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

// run is the runner: it tells the machine the time.
func (n *Node) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-n.done:
			return
		case <-n.kick:
		case <-timer.C:
		}
		n.tellLoad()
		n.take(n.machine.Tick)
		until := n.endDue()
		n.mu.Lock()
		n.wakeAt = min(until, n.machine.Deadline()) // a pulse away at most, which is soon enough for tellLoad
		wait := n.wakeAt - n.since()
		n.mu.Unlock()
		timer.Reset(max(0, wait))
	}
}

// gone is told by the Bus that a node is, of which it was told to watch that time that it was up.
func (n *Node) gone(node string, run *struct{ _ byte }) {
	n.telling.Lock()
	defer n.telling.Unlock()
	if n.watches[node].run != run {
		return
	}
	n.takeLocked(func(now peer.Now, out *peer.Out) { n.machine.Gone(now, node, out) })
	if n.watches[node].run == run { // this node was asleep: it is not believed yet, and may say so again
		n.watch(node)
	}
}
