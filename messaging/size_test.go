package messaging

import (
	"testing"
	"unsafe"
)

// The cluster costs a user one pointer, which the sizes that the allocator has hide, and a message nothing. Who waits for
// a message is part of it, and had 48 bytes of his own before.
func TestWhatAUserAndAMessageTake(t *testing.T) {
	for _, s := range []struct {
		what       string
		size, most uintptr
	}{{"user", unsafe.Sizeof(user{}), 176}, {"entry", unsafe.Sizeof(entry{}), 192 + 64}, {"device", unsafe.Sizeof(device{}), 208}} {
		if s.size > s.most {
			t.Errorf("a %s has %d bytes, %d at most", s.what, s.size, s.most)
		}
	}
}
