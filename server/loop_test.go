package server

import (
	"testing"
	"unsafe"

	"github.com/panjf2000/gnet/v2"
)

// What the adapter keeps of an idle client beside gnet's own.
func TestAChunkOfConnsIsWholePages(t *testing.T) {
	if got := unsafe.Sizeof([connChunk]gnet.Conn{}); got <= 32<<10 || got%(8<<10) != 0 {
		t.Errorf("a chunk of conns has %d bytes, want whole pages of the allocator", got)
	}
}
