package messaging

import (
	"testing"
	"unsafe"
)

// The cluster costs a user one pointer, which the sizes that the allocator has hide, and a message nothing.
func TestWhatAUserAndAMessageTake(t *testing.T) {
	for _, s := range []struct {
		what       string
		size, most uintptr
	}{{"user", unsafe.Sizeof(user{}), 176}, {"entry", unsafe.Sizeof(entry{}), 192}, {"device", unsafe.Sizeof(device{}), 208}} {
		if s.size > s.most {
			t.Errorf("a %s has %d bytes, %d before there were clusters", s.what, s.size, s.most)
		}
	}
}
