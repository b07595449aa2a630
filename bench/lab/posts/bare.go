package posts

import (
	"math/rand/v2"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/codec"
)

// bare writes the same frame to the connections of a loop of gnet, as fast as it can.
type bare struct {
	*flood.Bare
	frame    []byte
	shuffled bool // the loop's
	next     int  // the loop's
}

func startBare() (*bare, error) {
	b, err := flood.StartBare()
	return &bare{Bare: b, frame: codec.AppendDeliver(nil, 0, make([]byte, bodySize))}, err
}

func (b *bare) joined() int { return b.Joined() }

func (b *bare) end(figures map[string]float64) {
	time.Sleep(calm)
	b.End(figures)
}

// flood writes for a while, and says how often.
func (b *bare) flood(w workload, d time.Duration) (writes uint64, took time.Duration, err error) {
	began := time.Now()
	for time.Since(began) < d {
		if err := b.OnLoop(func(conns []gnet.Conn) { writes += b.stint(w, conns) }); err != nil {
			return 0, 0, err
		}
	}
	return writes, time.Since(began), nil
}

func (b *bare) stint(w workload, conns []gnet.Conn) (writes uint64) {
	if !b.shuffled {
		rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
		b.shuffled = true
	}
	for began := time.Now(); time.Since(began) < flood.Stint; {
		for range 4 {
			c := conns[b.next%len(conns)]
			if !w.apart {
				c = conns[rand.IntN(len(conns))]
			}
			b.next++
			_, _ = c.Write(b.frame)
			writes++
		}
	}
	return writes
}
