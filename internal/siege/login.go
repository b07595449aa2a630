package siege

import (
	"context"
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Who has no right to what it asks for. The tokens need a node that wants some (Target.Token).
var (
	StrangersToken = withToken("token of another id", codec.CodeUnauthorized, func(p *Peer) string {
		return p.target.token("somebody else", time.Now().Add(time.Hour))
	})
	ForgedToken = withToken("forged token", codec.CodeUnauthorized, func(p *Peer) string {
		b := []byte(p.target.token(p.ID, time.Now().Add(time.Hour)))
		b[len(b)/2] ^= 2 // another letter of the alphabet
		return string(b)
	})
	ExpiredToken = withToken("expired token", codec.CodeTokenExpired, func(p *Peer) string {
		return p.target.token(p.ID, time.Now().Add(-time.Second))
	})
	NoToken = withToken("no token", codec.CodeUnauthorized, func(*Peer) string { return "" })

	Twin = Enemy{"twin", 0, twin} // logs in as all others of its kind, and leaves at once
)

var errAdmitted = errors.New("it got a session")

func withToken(name string, code codec.Code, token func(*Peer) string) Enemy {
	return Enemy{name, code, func(ctx context.Context, p *Peer) (codec.Code, error) {
		if p.target.Token == nil {
			return 0, errors.New("the target has no tokens")
		}
		if err := p.Dial(ctx); err != nil {
			return 0, err
		}
		p.Write(Hello(p.ID, token(p)))
		code, err := p.End()
		if p.Joined {
			err = errAdmitted
		}
		return code, err
	}}
}

// twin is let in or told to wait.
func twin(ctx context.Context, p *Peer) (codec.Code, error) {
	p.ID = "twin"
	if err := p.Join(ctx); err != nil && p.Away.Code != codec.CodeBusy {
		return 0, err
	}
	return 0, nil
}
