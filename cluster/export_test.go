package cluster

import "time"

// SetWall has a node go by another clock. Before anybody comes.
func (n *Node) SetWall(wall func() time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wall = wall
}
