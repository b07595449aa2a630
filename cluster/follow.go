package cluster

import "github.com/stormwheel/stormwheel/internal/peer"

// Follow has Handler.Login and Logout told of a user's sessions at other nodes from now on, also where logins are told to
// homes only: of users who are not followed nobody is told there. True: the user's home was asked where he is, and
// Handler.Known tells its answer, if one comes; to repeat it asks again. False: all logins are told to all.
func (n *Node) Follow(user string) (asked bool) {
	_ = n.local(func(now peer.Now, out *peer.Out) { asked = n.machine.Follow(now, user, out) })
	return asked
}

// Unfollow ends what Follow has begun.
func (n *Node) Unfollow(user string) {
	_ = n.local(func(now peer.Now, out *peer.Out) { n.machine.Unfollow(now, user, out) })
}
