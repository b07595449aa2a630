package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// shakes are the handshakes of each second.
func shakes(r Run) plot.Chart {
	h := r.Result.Handshake
	if h == nil || len(r.Result.Detail.Seconds) == 0 {
		return nil
	}
	ended := during(r.series(func(_ int, s result.Second) *float64 { return count(s.Handshakes) }))
	failed := during(r.series(func(_ int, s result.Second) *float64 { return count(s.HandshakesFailed) }))
	p := plot.Picture{Title: "TLS handshakes", Note: fmt.Sprintf("%s ended, %s failed, %s at a time", whole(h.Ended), whole(h.Failed), whole(h.Open)),
		X: r.timeAxis(), Y: plot.FromZero("per second", 0, most(ended, failed))}
	p.Layers = []plot.Layer{plot.Line{Label: "ended well", Points: ended, Steps: true, Filled: true}}
	if h.Failed > 0 {
		p.Layers = append(p.Layers, plot.Line{Label: "failed", Points: failed, Colour: 1, Steps: true, Dash: plot.Dashes[1]})
	}
	return p
}

// shakeLatencies is how long they took.
func shakeLatencies(r Run) plot.Chart {
	d := r.distribution("handshake", toMs)
	if d.total == 0 {
		return nil
	}
	p := spectrum("Handshake latency", "from the ClientHello until the client may speak", d)
	p.Layers = []plot.Layer{plot.Line{Points: d.spectrum()}}
	return p
}

func shakesOverlay(runs []Run) plot.Chart {
	return spectrumOverlay(runs, "Handshake latency", "from the ClientHello until the client may speak", "handshake")
}

func (t *figures) handshakes(h *result.Handshake) {
	t.add("handshakes: ended, resumed of them, failed", "", whole(h.Ended), whole(h.Resumed), whole(h.Failed))
	t.add("at a time", "", whole(h.Open))
	t.maybe("ended well", "1/s", h.PerS, 1)
	t.quantiles("from the ClientHello until the client may speak", h.LatencyMs, .01)
	t.maybe("servers' processor time for one", "us", h.ServerCPUUs, 1)
}

// handshake is a figure of runs of handshakes.
func handshake(of func(*result.Handshake) *float64) func(*result.Result) *float64 {
	return func(r *result.Result) *float64 {
		if r.Handshake == nil {
			return nil
		}
		return of(r.Handshake)
	}
}

// clients is a figure of runs that have clients, which those of handshakes have not.
func clients(of func(*result.Result) *float64) func(*result.Result) *float64 {
	return func(r *result.Result) *float64 {
		if r.Handshake != nil {
			return nil
		}
		return of(r)
	}
}

// shakeLatency is one of the quantiles.
func shakeLatency(of func(*result.Percentiles) *float64) func(*result.Result) *float64 {
	return handshake(func(h *result.Handshake) *float64 {
		if h.LatencyMs == nil {
			return nil
		}
		return of(h.LatencyMs)
	})
}
