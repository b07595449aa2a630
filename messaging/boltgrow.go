package messaging

// Where a commit writes behind the end of its file, or into a hole of it, its fsync waits for the file system's journal too,
// and in that for what other programs write. So a Bolt has zeros there before a commit needs the place.
const (
	growAhead = 256 << 10 // that many bytes at least, unless one commit takes more
	growBytes = 512 << 10 // at once
)

// growth tells where a file is to be written with zeros, of which the first used bytes are in use, and those before grown were
// written before; n is 0 where there are enough.
func growth(used, grown int64) (from, n int64) {
	from = max(used, grown)
	if from-used >= growAhead {
		return from, 0
	}
	return from, growBytes
}

// grow writes zeros behind the used bytes of the file. No transaction has those pages, and bbolt does not write meanwhile: it is
// the committer that calls this, between two commits. An error is none of the commit's, which may find room among
// the pages that are free; else it meets the same.
func (s *Bolt) grow(used int64) {
	from, n := growth(used, s.grown)
	if n == 0 {
		return
	}
	s.grown = from + n // after an error, too: the next place is tried when it is needed
	if _, err := s.file.WriteAt(make([]byte, n), from); err == nil {
		_ = s.file.Sync() // what it may lose is zeros
	}
}
