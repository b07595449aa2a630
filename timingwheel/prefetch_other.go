//go:build !amd64

package timingwheel

// prefetchAfter does nothing here: a visit waits for its entry.
func (w *Wheel) prefetchAfter(*chunk) {}
