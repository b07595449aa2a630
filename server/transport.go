package server

import (
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// A loop is its reactor's transport: the methods of the interface, on gnet's connections.

func (l *loop) Write(slot reactor.Slot, b []byte) (sent, queued int) {
	c := l.conn(slot)
	if l.staged != nil {
		if b = l.staged.seal(slot, b); len(b) == 0 {
			return 0, c.OutboundBuffered()
		}
	}
	if _, err := c.Write(b); err != nil {
		return 0, 0 // gnet has closed it and called OnClose
	}
	return len(b), c.OutboundBuffered()
}

func (l *loop) Queued(slot reactor.Slot) int { return l.conn(slot).OutboundBuffered() }

// Unsent is nothing at a unix socket: what our kernel has taken, its peer's has. What it would tell there is
// its own memory, until the peer has read.
func (l *loop) Unsent(slot reactor.Slot) int {
	if _, is := l.peers[slot]; is {
		return 0
	}
	return unsentBytes(l.conn(slot).Fd())
}

func (l *loop) Held(slot reactor.Slot) int {
	if lines := l.stage(slot); lines != nil {
		return l.staged.held(slot)
	}
	return l.conn(slot).InboundBuffered()
}

func (l *loop) Waited(slot reactor.Slot) (time.Duration, bool) {
	c := l.conn(slot)
	if l.reading == c {
		if wait, known := l.looked.waited(c, l.readAt); known {
			return wait, true
		}
	}
	return waited(c.Fd())
}

func (l *loop) Unread(slot reactor.Slot) int {
	unread := unreadBytes(l.conn(slot).Fd())
	if lines := l.stage(slot); lines != nil {
		unread += lines.Waiting(uint32(slot))
	}
	return unread
}

func (l *loop) RemoteAddr(slot reactor.Slot) netip.Addr {
	if l.staged != nil { // also of a session that is plain since
		if addr := l.staged.lines.Addr(uint32(slot)); addr.IsValid() {
			return addr
		}
	}
	if tcp, ok := l.conn(slot).RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}

func (l *loop) FinishWrite(slot reactor.Slot) {
	_ = syscall.Shutdown(l.conn(slot).Fd(), syscall.SHUT_WR) // fails if the peer is gone: its event follows
}

func (l *loop) Close(slot reactor.Slot) {
	c := l.conn(slot)
	l.Farewell(slot, 0) // unless it was said
	_ = l.el.Close(c)
}

func (l *loop) Abort(slot reactor.Slot) {
	c := l.conn(slot)
	_ = c.SetLinger(0)
	_ = l.el.Close(c)
}

const (
	connChunkBits = 12 // 64 KiB: whole pages, so that nothing is rounded up
	connChunk     = 1 << connChunkBits
)

// entry is where the connection of a slot stands.
func (l *loop) entry(slot reactor.Slot) *gnet.Conn {
	return &l.conns[slot>>connChunkBits][slot&(connChunk-1)]
}

func (l *loop) conn(slot reactor.Slot) gnet.Conn {
	if l.reading != nil && slot == l.readSlot {
		return l.reading
	}
	return *l.entry(slot)
}
