package messaging

import (
	"hash/maphash"
	"testing"
	"time"
)

// Whoever pushes without asking what becomes of it, while the store stands still, fills no memory.
func TestWhatNobodyWaitsForIsNotKnownForEver(t *testing.T) {
	var r recent
	r.init(maphash.MakeSeed())
	const aSecond = 1000
	for i := range 60 * aSecond {
		r.add("bob", ID{"node", 1, uint64(i)}, new(entry), time.Duration(i)*time.Second/aSecond)
	}
	if most := int(underWay.Seconds()*aSecond) + recentMessages; len(r.known) > most || len(r.order)-r.head > most || cap(r.order) > 4*most {
		t.Errorf("%d are known, want %d at most", len(r.known), most)
	}
}
