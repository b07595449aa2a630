package peer

import "github.com/cespare/xxhash/v2"

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
