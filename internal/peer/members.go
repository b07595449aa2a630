package peer

// Members are the live nodes of a cluster as one of them sees it. It is never changed.
type Members struct {
	names  []string // sorted
	hashes []uint64
}

// Names are the live nodes, this one included, sorted. It must not be changed.
func (s *Members) Names() []string { return s.names }

// Has says whether a node is live, in steps as many as the logarithm of the nodes.
func (s *Members) Has(node string) bool { panic("later") }

// Home is the live node that keeps key: by rendezvous hash, so that it is the same wherever the same
// nodes are seen, and only keys of a node that comes or goes change their home. Its cost is that of a
// hash and a few instructions a node; it does not allocate.
func (s *Members) Home(key string) string { panic("later") }
