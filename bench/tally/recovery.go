package tally

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Recovery is how far the clients that a storm hit have come.
type Recovery struct {
	Since   time.Duration // t0
	Clients int           // hit; at first, those that are about to be
	Back    int
	// T50 to T100 count from t0. They are nil until so many are back, and again when clients
	// are lost for a second time. A tenth of a second is as fine as they get.
	T50, T95, T99, T100 *time.Duration
	Noticed             *time.Duration // when the first one was hit
	Ideal               *time.Duration // nil: nobody said what the receivers admit, or nobody is hit yet
}

// Update takes what is known now.
func (v *Recovery) Update(now time.Duration, hit, back int) {
	v.Clients, v.Back = max(v.Clients, hit), back
	if hit > 0 && v.Noticed == nil {
		v.Noticed = new(now - v.Since)
	}
	for _, mark := range []struct {
		percent int
		at      **time.Duration
	}{{50, &v.T50}, {95, &v.T95}, {99, &v.T99}, {100, &v.T100}} {
		need := (v.Clients*mark.percent + 99) / 100
		switch {
		case back < need || need == 0:
			*mark.at = nil
		case *mark.at == nil:
			*mark.at = new(now - v.Since)
		}
	}
}

// Fill writes what is known of the storm before the end into a result.
func (v *Recovery) Fill(out *result.Result, n *Counters) {
	out.Storm = &result.Storm{Clients: n.StormClients, Back: n.StormBack, IdealS: Seconds(v.Ideal),
		T50S: Seconds(v.T50), T95S: Seconds(v.T95), T99S: Seconds(v.T99), T100S: Seconds(v.T100)}
}

// Seconds is a time of which nobody may know: nil then.
func Seconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return new(d.Seconds())
}
