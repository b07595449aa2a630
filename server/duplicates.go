package server

import (
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Duplicates says what becomes of a client that comes under an id which has Config.MaxSameID sessions on
// this node. What it comes with does not matter, whether its token was good does: who is refused, for
// whatever reason, or has gone before it was welcomed, displaces nobody.
//
// A client that comes back, from a loss or in a handover, is the same process: HELLO tells so by its
// incarnation. It is no login. Under every policy but StandBeside without Config.Index its new session
// takes the place of its old one, wherever that is on the node: that one handles no message any more
// and has ended for Server's methods, but its connection stays for 2 s at most, for what is on its way,
// and ends with codec.CodeSuperseded. A HELLO of it that is read late, behind a later one, is answered
// with that code, too. Clients that tell no incarnation are always strangers to each other.
type Duplicates uint8

// The policies.
const (
	// StandBeside: any number of sessions may have the same id. Unless Config.Index is set nothing is
	// kept of ids, and a client's return pass is what names its old session.
	StandBeside = Duplicates(gate.StandBeside)
	// Replace: the oldest login ends with codec.CodeReplaced, which stops its client.
	Replace = Duplicates(gate.Replace)
	// Refuse: the newcomer is told codec.CodeInUse, and in the delay when the oldest session has ended
	// at the latest if its client is dead. Nobody is displaced.
	Refuse = Duplicates(gate.Refuse)
)

// String names the policy.
func (d Duplicates) String() string {
	switch d {
	case StandBeside:
		return "stand_beside"
	case Replace:
		return "replace"
	case Refuse:
		return "refuse"
	default:
		return "unknown"
	}
}

// Lookup returns the sessions that a client id has on this node, the oldest login first, from any
// goroutine. It waits for no loop; its cost is that of a hash and of a step a session. It is nil if there are none,
// and always without Config.Index or a policy of Config.Duplicates.
func (s *Server) Lookup(id string) (all []Ref) {
	if s.node.Roster == nil {
		return nil
	}
	for _, handle := range s.node.Roster.Lookup([]byte(id), nil) {
		if s.live(handle) {
			all = append(all, Ref{s.Node(), s.node.Epoch, handle})
		}
	}
	return all
}

// live says whether a session goes on.
func (s *Server) live(handle uint64) bool {
	loops := *s.loops.Load()
	index := int(handle >> 56)
	return index < len(loops) && loops[index].reactor.Live(handle)
}

// Previous is the session whose place this one has taken, if it has: the client's own earlier one, or
// under Replace that of a login before. It may still be about to end, and its Closed may come later than this one's
// Opened. Without Config.Index or a policy it is the one that the client's return pass names, if that
// went on. It may be asked for at any time.
func (s *Session) Previous() (previous Ref, ok bool) {
	if s.previous == 0 {
		return Ref{}, false
	}
	return s.app.ref(s.previous - 1), true
}

// Follows keeps it.
func (a *application) Follows(slot reactor.Slot, previous uint64) {
	if v := a.views.at(slot); v != nil && a.live(previous) {
		v.previous = previous + 1
	}
}
