package siege

import (
	"context"
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
)

// Enemy is a peer that misbehaves in one way.
type Enemy struct {
	Name string
	Code codec.Code // of the GOAWAY that it must be told; 0: it is told nothing, or cannot read it

	// act is one coming, and returns the code that it was told.
	act func(ctx context.Context, p *Peer) (codec.Code, error)
}

// Play has the enemy come to the target once, and returns nil if the node ends it as it must. It
// returns within the target's patience, and leaves nothing behind. It may be called from any
// number of goroutines at a time.
func (e Enemy) Play(ctx context.Context, t *Target) error {
	p := t.Peer(e.Name)
	code, err := e.act(ctx, p)
	p.Close()
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case err == nil && code != e.Code:
		err = fmt.Errorf("GOAWAY %v, want %v", code, e.Code)
	}
	return err
}

// All is one of each. Nobody may change it.
var All = []Enemy{
	SlowHello, SlowFrame, Silent, HalfHello, HalfFrame,
	HugeHello, HugeFrame, LongHello, LongFrame,
	TooManyPings, TooManyEmpty, TooManyAcks, PingFlood, EmptyFlood, AckFlood, NackFlood, MessageFlood,
	UnknownFirst, UnknownLater, FlagsFirst, FlagsLater, NibbleFirst, NibbleLater, ChecksumFirst, ChecksumLater, ReversedAck, Stranger,
	ResetSilent, ResetGarbage, ResetHello,
	HalfClosedSilent, HalfClosedHello, HalfClosedInHello,
	NeverReads, Stalls,
	StrangersToken, ForgedToken, ExpiredToken, NoToken,
	Twin,
}
