package reactor

// bulk is whole frames, and where each ends.
type bulk struct {
	frames []byte
	ends   []int
}

func (b *bulk) add(frame []byte) {
	b.frames = append(b.frames, frame...)
	b.ends = append(b.ends, len(b.frames))
}

// from is what it has behind its first n messages.
func (b *bulk) from(n int) []byte {
	switch {
	case n == 0:
		return b.frames
	case n >= len(b.ends):
		return nil
	}
	return b.frames[b.ends[n-1]:]
}

// bulks are what waits, in pieces of a walk each that leave as they are: a flood of publications is not copied to
// somewhere larger as a whole, which would take longer than a turn.
type bulks struct {
	all      []bulk
	messages int
	spare    bulk // what is empty, for the next piece
}

// add adds a frame to the last piece, or where that would have more than most bytes begins another.
func (w *bulks) add(frame []byte, most int) {
	if last := len(w.all) - 1; last < 0 || len(w.all[last].frames)+len(frame) > most {
		w.all = append(w.all, w.spare)
		w.spare = bulk{}
	}
	w.all[len(w.all)-1].add(frame)
	w.messages++
}

// take takes the first piece in the place of done, whose room it keeps.
func (w *bulks) take(done bulk) bulk {
	first := w.all[0]
	if w.all[0] = (bulk{}); len(w.all) == 1 {
		w.all = w.all[:0] // a steady flow allocates nothing
	} else {
		w.all = w.all[1:]
	}
	w.messages -= len(first.ends)
	w.spare = bulk{frames: done.frames[:0], ends: done.ends[:0]}
	return first
}

// from is the first piece that has something behind the first n messages, without these, and how many it is.
func (w *bulks) from(n int) (frames []byte, messages int) {
	for i := range w.all {
		in := len(w.all[i].ends)
		if n < in {
			return w.all[i].from(n), in - n
		}
		n -= in
	}
	return nil, 0
}
