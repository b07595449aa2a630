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

func (l *loop) Write(slot reactor.Slot, b []byte) (queued int) {
	c := l.conn(slot)
	if _, err := c.Write(b); err != nil {
		return 0 // gnet has closed it and called OnClose
	}
	return c.OutboundBuffered()
}

func (l *loop) Queued(slot reactor.Slot) int { return l.conn(slot).OutboundBuffered() }

func (l *loop) Unsent(slot reactor.Slot) int { return unsentBytes(l.conn(slot).Fd()) }

func (l *loop) Held(slot reactor.Slot) int { return l.conn(slot).InboundBuffered() }

func (l *loop) Waited(slot reactor.Slot) (time.Duration, bool) { return waited(l.conn(slot).Fd()) }

func (l *loop) Unread(slot reactor.Slot) int { return unreadBytes(l.conn(slot).Fd()) }

func (l *loop) RemoteAddr(slot reactor.Slot) netip.Addr {
	if tcp, ok := l.conn(slot).RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}

func (l *loop) FinishWrite(slot reactor.Slot) {
	_ = syscall.Shutdown(l.conn(slot).Fd(), syscall.SHUT_WR) // fails if the peer is gone: its event follows
}

func (l *loop) Close(slot reactor.Slot) { _ = l.el.Close(l.conn(slot)) }

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
