package reactor

// bulk is whole frames and where each ends. Those that were taken from its front stay there until they
// are half of it.
type bulk struct {
	frames []byte
	ends   []int
	taken  int
}

func (b *bulk) add(frame []byte) {
	b.frames = append(b.frames, frame...)
	b.ends = append(b.ends, len(b.frames))
}

// left is how many messages it has that were not taken.
func (b *bulk) left() int { return len(b.ends) - b.taken }

// begin is where the first of them begins.
func (b *bulk) begin() int {
	if b.taken == 0 {
		return 0
	}
	return b.ends[b.taken-1]
}

// from is what it has behind its first n messages. None was taken.
func (b *bulk) from(n uint64) []byte {
	switch {
	case n == 0:
		return b.frames
	case n >= uint64(len(b.ends)):
		return nil
	}
	return b.frames[b.ends[n-1]:]
}

// piece is whole frames behind the first n of those that were not taken, up to most bytes and one at
// least, and how many they are.
func (b *bulk) piece(n, most int) (frames []byte, messages int) {
	first := b.taken + n
	if first >= len(b.ends) {
		return nil, 0
	}
	begin, next := 0, first+1
	if first > 0 {
		begin = b.ends[first-1]
	}
	for next < len(b.ends) && b.ends[next]-begin <= most {
		next++
	}
	return b.frames[begin:b.ends[next-1]], next - first
}

// takeFrom takes whole frames from the front of other in the place of its own, up to most bytes and one
// at least.
func (b *bulk) takeFrom(other *bulk, most int) {
	begin, n := other.begin(), other.taken+1
	for n < len(other.ends) && other.ends[n]-begin <= most {
		n++
	}
	if other.taken == 0 && n == len(other.ends) {
		*b, *other = *other, bulk{frames: b.frames[:0], ends: b.ends[:0]}
		return
	}
	b.frames, b.ends = append(b.frames[:0], other.frames[begin:other.ends[n-1]]...), b.ends[:0]
	for _, end := range other.ends[other.taken:n] {
		b.ends = append(b.ends, end-begin)
	}
	if other.taken = n; other.begin() >= len(other.frames)/2 {
		other.compact()
	}
}

// compact forgets what was taken.
func (b *bulk) compact() {
	begin := b.begin()
	b.frames = b.frames[:copy(b.frames, b.frames[begin:])]
	ends := b.ends[:0]
	for _, end := range b.ends[b.taken:] {
		ends = append(ends, end-begin)
	}
	b.ends, b.taken = ends, 0
}
