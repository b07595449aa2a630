package posts

import (
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
)

// clients holds n clients and, beside them, probes that ask for PONGs while messages flow. It
// returns when the server ends.
func clients(target string, n int) (map[string]float64, error) {
	c, err := flood.Join(target, n, flood.Hello)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var flows atomic.Bool
	var last time.Time // when something came
	over := false
	told := make(chan flood.Times, 1)
	failed := make(chan error, 1)
	go func() {
		if rtts, err := flood.Probe(target, func() bool { return true }, flows.Load); err != nil {
			failed <- err
		} else {
			told <- rtts
		}
	}()
	for {
		select {
		case err := <-failed:
			return nil, err
		case rtts := <-told:
			return rtts.Figures(), nil
		default:
		}
		before := c.Bytes()
		if err := c.Read(); err != nil {
			return nil, err
		}
		switch {
		case c.Bytes() > before:
			last = time.Now()
			if c.Bytes() > 400*n && !over { // more than WELCOMEs
				flows.Store(true)
			}
		case flows.Load() && time.Since(last) > calm/3:
			over = true
			flows.Store(false)
		}
		time.Sleep(flood.ReadEvery)
	}
}
