package reactor

import "math/bits"

// A run is a stretch of what was taken out of the mailbox. Its posts are linked by session before
// the first is done, so that all of one session leave in one Write: a Write costs a hundred times
// what a post does.

// runLength is how many posts a run has at most: enough for many of one session to meet, and
// linked within some tens of microseconds.
const runLength = 4096

// run finds the posts of one session in a run. It is as large as the largest run was, and knows no
// session beyond its run. Owned by the loop.
type run struct {
	end  int      // of the posts that are linked
	last []uint32 // a hash table by handle: the latest post of a session, from 1, of the run's; 0: none
}

// link links the posts of the next run, which begins at from. It ends before what is for no session:
// who joins a group behind a publication joins behind it.
func (u *run) link(posts []post, from int) {
	u.end = min(from+runLength, len(posts))
	posts = posts[from:u.end]
	if len(posts) == 1 {
		posts[0].next = 0
		return
	}
	power := bits.Len(uint(2*len(posts) - 1)) // half of the table is free
	if size := 1 << power; size > len(u.last) {
		u.last = make([]uint32, size)
	}
	table := u.last[:1<<power]
	clear(table)
	for i := range posts {
		p := &posts[i]
		p.next = 0
		if p.kind == postLoop {
			u.end = from + i
			return
		}
		at := uint32(p.handle>>32^p.handle) * 0x9e3779b1 >> (32 - power) // slot and generation, by the golden ratio
		for table[at] != 0 && posts[table[at]-1].handle != p.handle {
			at = (at + 1) & uint32(len(table)-1)
		}
		if before := table[at]; before != 0 {
			posts[before-1].next = int32(from + i)
		}
		table[at] = uint32(i + 1)
	}
}
