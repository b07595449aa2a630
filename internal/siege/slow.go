package siege

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Who keeps a node waiting. It must be cut off at its deadline, and not before.
var (
	SlowHello = Enemy{"slow hello", codec.CodeHelloTimeout, slowHello} // a byte at a time
	SlowFrame = Enemy{"slow frame", codec.CodePartialTimeout, slowFrame}
	Silent    = Enemy{"silent", codec.CodeHelloTimeout, silent} // connects, and that is all
	HalfHello = Enemy{"half a hello", codec.CodeHelloTimeout, halfHello}
	HalfFrame = Enemy{"half a frame", codec.CodePartialTimeout, halfFrame}
)

// drip sends b a byte at a time, until it is cut off. Real ones take a second a byte; the
// deadlines of a test are shorter by about as much.
func (p *Peer) drip(b []byte) {
	stop := time.NewTicker(50 * time.Millisecond)
	defer stop.Stop()
	for i := range b {
		if _, err := p.Write(b[i : i+1]); err != nil {
			return
		}
		<-stop.C
	}
}

// dripAndEnd drips b until the node ends it, after so long since then.
func (p *Peer) dripAndEnd(b []byte, since time.Time, after time.Duration) (codec.Code, error) {
	var dripping sync.WaitGroup
	dripping.Go(func() { p.drip(b) })
	defer dripping.Wait() // which the close ends
	return p.endWithin(since, after)
}

func slowHello(ctx context.Context, p *Peer) (codec.Code, error) {
	if err := p.Dial(ctx); err != nil {
		return 0, err
	}
	return p.dripAndEnd(Hello(p.ID, strings.Repeat("t", 500)), p.began, p.target.HelloTimeout)
}

func slowFrame(ctx context.Context, p *Peer) (codec.Code, error) {
	if err := p.Join(ctx); err != nil {
		return 0, err
	}
	return p.dripAndEnd(codec.AppendSend(nil, 1, make([]byte, 500)), time.Now(), p.target.PartialTimeout)
}

func silent(ctx context.Context, p *Peer) (codec.Code, error) {
	if err := p.Dial(ctx); err != nil {
		return 0, err
	}
	return p.endWithin(p.began, p.target.HelloTimeout)
}

func halfHello(ctx context.Context, p *Peer) (codec.Code, error) {
	if err := p.Dial(ctx); err != nil {
		return 0, err
	}
	b := p.Hello()
	p.Write(b[:len(b)/2])
	return p.endWithin(p.began, p.target.HelloTimeout)
}

// halfFrame says no more after its half; the complete PING just before does not help it.
func halfFrame(ctx context.Context, p *Peer) (codec.Code, error) {
	if err := p.Join(ctx); err != nil {
		return 0, err
	}
	begun := time.Now()
	p.Write(append(Ping[:len(Ping):len(Ping)], Ping[:13]...))
	return p.endWithin(begun, p.target.PartialTimeout)
}
