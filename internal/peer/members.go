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

// Home is the live node that keeps key: by rendezvous hash (Thaler and Ravishankar, 1998), so that it is
// the same wherever the same nodes are seen, and only keys of a node that comes or goes change their home. Its
// cost is that of a hash and a few instructions a node; it does not allocate.
func (s *Members) Home(key string) string { return s.names[s.home(key)] }

func (s *Members) home(key string) int {
	of := xxhash.Sum64String(key)
	best, home := uint64(0), 0
	for i, h := range s.hashes {
		if w := mix(of ^ h); w > best { // of two that weigh the same, the first by name
			best, home = w, i
		}
	}
	return home
}
