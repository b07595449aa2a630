package peer

import (
	"testing"
	"time"
)

func TestNodesFindEachOther(t *testing.T) {
	w := newWorld(t, 1)
	w.cluster(3, Config{Replace: true})
	all := map[string][]*login{"x": {w.hosts[0].open("x", 1, 0)}}
	w.run(100 * time.Millisecond)
	w.check(all)
}
