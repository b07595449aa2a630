package server

import (
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// A loop is its reactor's transport: the methods of the interface, on gnet's connections.

func (l *loop) Write(slot timingwheel.ID, b []byte) (queued int) {
	c := l.conn(slot)
	if _, err := c.Write(b); err != nil {
		return 0 // gnet has closed it and called OnClose
	}
	return c.OutboundBuffered()
}

func (l *loop) Queued(slot timingwheel.ID) int { return l.conn(slot).OutboundBuffered() }

func (l *loop) Unsent(slot timingwheel.ID) int { return unsentBytes(l.conn(slot).Fd()) }

func (l *loop) Held(slot timingwheel.ID) int { return l.conn(slot).InboundBuffered() }

func (l *loop) Waited(slot timingwheel.ID) (time.Duration, bool) { return waited(l.conn(slot).Fd()) }

func (l *loop) Unread(slot timingwheel.ID) int { return unreadBytes(l.conn(slot).Fd()) }

func (l *loop) RemoteAddr(slot timingwheel.ID) netip.Addr {
	if tcp, ok := l.conn(slot).RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}

func (l *loop) FinishWrite(slot timingwheel.ID) {
	_ = syscall.Shutdown(l.conn(slot).Fd(), syscall.SHUT_WR) // fails if the peer is gone: its event follows
}

func (l *loop) Close(slot timingwheel.ID) { _ = l.el.Close(l.conn(slot)) }

func (l *loop) Abort(slot timingwheel.ID) {
	c := l.conn(slot)
	_ = c.SetLinger(0)
	_ = l.el.Close(c)
}
