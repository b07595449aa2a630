package siege

import (
	"context"

	"github.com/stormwheel/stormwheel/codec"
)

// Who ends what it has begun.
var (
	ResetSilent  = resets("reset at once", nothing)
	ResetGarbage = resets("reset after garbage", func(*Peer) []byte { return []byte("x") })
	ResetHello   = resets("reset after hello", (*Peer).Hello)

	HalfClosedSilent  = halfCloses("half closed at once", nothing)
	HalfClosedHello   = halfCloses("half closed after hello", (*Peer).Hello)
	HalfClosedInHello = halfCloses("half closed in hello", func(p *Peer) []byte { return p.Hello()[:9] })
)

func nothing(*Peer) []byte { return nil }

// resets says its words, if it has any, and resets.
func resets(name string, words func(*Peer) []byte) Enemy {
	return Enemy{name, 0, func(ctx context.Context, p *Peer) (codec.Code, error) {
		if err := p.Dial(ctx); err != nil {
			return 0, err
		}
		p.Write(words(p))
		return 0, p.Reset()
	}}
}

// halfCloses says its words, if it has any, ends its write side and stays. It must be closed at
// once.
func halfCloses(name string, words func(*Peer) []byte) Enemy {
	return Enemy{name, 0, func(ctx context.Context, p *Peer) (codec.Code, error) {
		if err := p.Dial(ctx); err != nil {
			return 0, err
		}
		p.Write(words(p))
		p.CloseWrite()
		return p.endWithin(p.began, 0)
	}}
}
