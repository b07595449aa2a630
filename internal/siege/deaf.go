package siege

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Who does not read. Both need a node whose application is an App.
var (
	NeverReads = Enemy{"never reads", 0, neverReads} // and is pushed to without end
	Stalls     = Enemy{"stalls", 0, stalls}          // is sent a little once, and goes on to ping
)

// Narrow connects with a small receive buffer, so that what a peer does not read is soon the
// node's burden.
var Narrow = net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
}}

func neverReads(ctx context.Context, p *Peer) (codec.Code, error) {
	p.ID = sinkPrefix + p.ID
	return p.onlyWrites(ctx)
}

func stalls(ctx context.Context, p *Peer) (codec.Code, error) {
	p.ID = stallPrefix + p.ID
	return p.onlyWrites(ctx)
}

// onlyWrites notices its end by what it writes.
func (p *Peer) onlyWrites(ctx context.Context) (codec.Code, error) {
	if err := p.JoinBy(ctx, Narrow); err != nil {
		return 0, err
	}
	defer p.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := p.Write(Ping); errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, errStays
		} else if err != nil {
			return 0, nil
		}
		<-tick.C
	}
}
