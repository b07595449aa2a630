package fanout

import (
	"bytes"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/codec"
)

// bare writes the same frames to all connections of a loop of gnet, several in one Write.
type bare struct{ *flood.Bare }

func startBare() (hub, string, error) {
	b, err := flood.StartBare()
	if err != nil {
		return nil, "", err
	}
	return bare{b}, b.Addr, nil
}

func (b bare) joined() int { return b.Joined() }

func (b bare) gather(map[string]float64) error { return nil }

// publish writes for a stint at a time, as its connections have theirs in between. It asks the clock
// after each Write, as a turn does.
func (b bare) publish(body []byte, times int) error {
	frames := bytes.Repeat(codec.AppendDeliver(nil, 0, body), times)
	for next, all := 0, 1; next < all; {
		err := b.OnLoop(func(conns []gnet.Conn) {
			all = len(conns)
			for began := time.Now(); next < all && time.Since(began) < flood.Stint; next++ {
				_, _ = conns[next].Write(frames)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b bare) marks(body []byte) int { return marksOf(codec.AppendDeliver(nil, 0, body)) }

func (b bare) end(figures map[string]float64) { b.End(figures) }

func marksOf(frame []byte) int { return bytes.Count(frame, []byte{mark}) }
