package gate

import "sync/atomic"

// Publishing bounds what was published to many and has not come to all loops yet. A publication
// goes to all loops or to none, so it is admitted here and not at their mailboxes. Any goroutine
// may use it.
type Publishing struct {
	bytes atomic.Int64
	count atomic.Int64
}

const (
	maxPublishingBytes = 16 << 20
	maxPublishing      = 16 << 10
)

// Enter takes a publication of size bytes in, or says that there is no room.
func (p *Publishing) Enter(size int) bool {
	bytes, count := p.bytes.Add(int64(size)), p.count.Add(1)
	if bytes > maxPublishingBytes || count > maxPublishing {
		p.Leave(size)
		return false
	}
	return true
}

// Leave ends what Enter began.
func (p *Publishing) Leave(size int) {
	p.bytes.Add(-int64(size))
	p.count.Add(-1)
}
