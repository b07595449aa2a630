package siege

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/stormwheel/stormwheel/codec"
)

// Who says more than a node takes of one client (Target.FrameRate).
var (
	TooManyPings = tooMany("too many pings", Ping)
	TooManyEmpty = tooMany("too many empty frames", ZeroLength)
	TooManyAcks  = tooMany("too many acks", AckAll)
	PingFlood    = flood("ping flood", Ping)
	EmptyFlood   = flood("empty flood", ZeroLength)
	AckFlood     = flood("ack flood", AckAll)
	NackFlood    = flood("nack flood", NackNever)
	MessageFlood = flood("message flood", codec.AppendSend(nil, 1, make([]byte, 4000)))
)

// tooMany says frame just too often, so that it can still read why it must go: a node lets a
// client use four seconds of its rate at once.
func tooMany(name string, frame []byte) Enemy {
	return Enemy{name, codec.CodeRateLimit, func(ctx context.Context, p *Peer) (codec.Code, error) {
		if err := p.Join(ctx); err != nil {
			return 0, err
		}
		var all []byte
		for range p.target.FrameRate*6 + 10 {
			all = append(all, frame...)
		}
		p.Write(all)
		return p.End()
	}}
}

// floodBytes bounds a flood that nobody cuts off.
const floodBytes = 256 << 20

// flood says frame again and again until it is cut off, and hears nothing.
func flood(name string, frame []byte) Enemy {
	return Enemy{name, 0, func(ctx context.Context, p *Peer) (codec.Code, error) {
		if err := p.Join(ctx); err != nil {
			return 0, err
		}
		burst := make([]byte, 0, 16<<10)
		for len(burst)+len(frame) <= cap(burst) {
			burst = append(burst, frame...)
		}
		var deaf sync.WaitGroup
		deaf.Go(func() { io.Copy(io.Discard, p.Socket) })
		defer deaf.Wait()
		defer p.Close()
		for said := 0; said < floodBytes; said += len(burst) {
			if _, err := p.Write(burst); errors.Is(err, os.ErrDeadlineExceeded) {
				return 0, errStays
			} else if err != nil {
				return 0, nil
			}
		}
		return 0, fmt.Errorf("it was not closed after %d bytes", floodBytes)
	}}
}
