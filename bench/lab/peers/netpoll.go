package peers

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/cloudwego/netpoll"

	"github.com/stormwheel/stormwheel/codec"
)

// init, because Configure must be called there. One poller is what netpoll advises below 20
// cores, and no goroutine pool where stacks don't grow; the buffers are 4 and 8 KiB by default.
func init() {
	netpoll.LinkBufferCap = 1 << 10
	err := netpoll.Configure(netpoll.Config{BufferSize: 1 << 10, LoggerOutput: io.Discard,
		Runner: func(_ context.Context, f func()) { go f() }})
	if err != nil {
		panic(err) // no option of ours can be wrong at run time only
	}
}

// timerKey is where OnPrepare leaves a connection's timer for OnRequest.
type timerKey struct{}

// serveNetpoll has a timer for each connection: netpoll's idle timeout is TCP keep-alive,
// which a client that is silent but reachable answers, and its read timeout bounds a Read
// that waits, where an idle connection has none.
func serveNetpoll(t *Serve) (string, error) {
	l, err := netpoll.CreateListener("tcp4", t.Listen)
	if err != nil {
		return "", err
	}
	prepare := func(c netpoll.Connection) context.Context {
		timer := time.AfterFunc(t.Timeout, func() { _ = c.Close() })
		_ = c.AddCloseCallback(func(netpoll.Connection) error { timer.Stop(); return nil })
		return context.WithValue(context.Background(), timerKey{}, timer)
	}
	request := func(ctx context.Context, c netpoll.Connection) error {
		ctx.Value(timerKey{}).(*time.Timer).Reset(t.Timeout)
		err := t.desk.answerNetpoll(c)
		if err != nil {
			_ = c.Close()
		}
		return err
	}
	loop, err := netpoll.NewEventLoop(request, netpoll.WithOnPrepare(prepare), netpoll.WithReadTimeout(t.Timeout))
	if err != nil {
		return "", err
	}
	go func() { _ = loop.Serve(l) }()
	return l.Addr().String(), nil
}

// answerNetpoll answers one frame, waiting for the rest of it if need be; netpoll asks again
// as long as there is input.
func (d *desk) answerNetpoll(c netpoll.Connection) error {
	in, out := c.Reader(), c.Writer()
	head, err := in.Peek(codec.HeaderLen)
	if err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(head[4:])
	if length > codec.MaxPayload {
		return fmt.Errorf("a payload of %d bytes", length)
	}
	frame, err := in.Next(codec.Overhead + int(length))
	if err != nil {
		return err
	}
	answers := d.borrow()
	defer d.giveBack(answers)
	if *answers, _, err = d.answer(*answers, frame); err != nil {
		return err
	}
	if err := in.Release(); err != nil {
		return err
	}
	b, err := out.Malloc(len(*answers))
	if err != nil {
		return err
	}
	copy(b, *answers)
	return out.Flush()
}
