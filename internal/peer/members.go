package peer

import (
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Members are the live nodes of a cluster as one of them sees it. It is never changed.
type Members struct {
	names  []string // sorted
	hashes []uint64
}

// newMembers makes the members of a node and those of nodes, which are sorted by name, that are live.
func newMembers(own string, nodes []*node) *Members {
	s := &Members{names: make([]string, 0, len(nodes)+1), hashes: make([]uint64, 0, len(nodes)+1)}
	add := func(name string, hash uint64) { s.names, s.hashes = append(s.names, name), append(s.hashes, hash) }
	for _, p := range nodes {
		if own != "" && p.name > own {
			add(own, xxhash.Sum64String(own))
			own = ""
		}
		if p.live {
			add(p.name, p.hash)
		}
	}
	if own != "" {
		add(own, xxhash.Sum64String(own))
	}
	return s
}

// Names are the live nodes, this one included, sorted. It must not be changed.
func (s *Members) Names() []string { return s.names }

// Has says whether a node is live, in steps as many as the logarithm of the nodes.
func (s *Members) Has(node string) bool {
	_, found := slices.BinarySearch(s.names, node)
	return found
}
