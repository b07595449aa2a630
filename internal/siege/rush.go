package siege

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Rushed is what became of a rush.
type Rushed struct {
	In      []*Peer            // have a session; the caller closes them
	Refused map[codec.Code]int // were told that code
	Failed  []error            // were told nothing
}

// Rush has n clients of one address connect as fast as they can, so many at a time, and keeps
// what gets in.
func Rush(ctx context.Context, t *Target, n, atATime int) Rushed {
	r := Rushed{Refused: make(map[codec.Code]int)}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var next atomic.Int64
	for range atATime {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				p := t.Peer("rush")
				err := p.Join(ctx)
				mu.Lock()
				switch {
				case err == nil:
					r.In = append(r.In, p)
				case p.Away.Code != 0:
					r.Refused[p.Away.Code]++
				default:
					r.Failed = append(r.Failed, err)
				}
				mu.Unlock()
				if err != nil {
					p.Close()
				}
			}
		})
	}
	wg.Wait()
	return r
}

// Beat has all peers, which have a session, send a PING at every interval and read what comes,
// until ctx ends, and closes them. It returns how long a peer was silent at most, as a busy machine has
// it, and the first error of a write, at once.
func Beat(ctx context.Context, peers []*Peer, interval time.Duration) (longest time.Duration, err error) {
	var reading sync.WaitGroup
	defer reading.Wait()
	for _, p := range peers {
		defer p.Close()
		reading.Go(func() { // so that nobody is a slow consumer
			for b := make([]byte, 4096); ; {
				if _, err := p.Read(b); err != nil {
					return
				}
			}
		})
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for before := time.Now(); ; {
		select {
		case <-ctx.Done():
			return longest, nil
		case <-tick.C:
		}
		now := time.Now()
		for _, p := range peers {
			err := p.SetDeadline(time.Now().Add(p.target.patience()))
			if _, failed := p.Write(Ping); err != nil || failed != nil {
				return max(longest, time.Since(before)), errors.Join(err, failed)
			}
		}
		longest, before = max(longest, time.Since(before)), now
	}
}
