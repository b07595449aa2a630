package report

import (
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// Clients that are gone for less than a second are seen.
func TestAShortOutageIsSeen(t *testing.T) {
	r := stormed(t, "cut", "window")
	d := &r.Result.Detail
	d.LostPer100ms, d.BackPer100ms = []uint32{500}, []uint32{0, 0, 0, 200, 300}
	p := online(r).(plot.Picture)
	var dip []plot.Point
	for _, l := range p.Layers {
		if line, ok := l.(plot.Line); ok && line.Label == "ready" {
			for _, at := range line.Points {
				if at.X > 10 && at.X < 10.75 {
					dip = append(dip, plot.At(at.X, at.Y))
				}
			}
		}
	}
	var heights []float64
	for _, at := range dip {
		heights = append(heights, at.Y)
	}
	if len(heights) == 0 {
		t.Fatal("no reading within a second after t0")
	}
	before := heights[0] + 500
	if want := []float64{before - 500, before - 500, before - 500, before - 300, before}; !slices.Equal(heights, want) {
		t.Errorf("clients online after t0: %v, want %v", heights, want)
	}
	if steps := r.goodput(); len(steps) != 6 || steps[3].Y != 2000 || steps[4].Y != 3000 {
		t.Errorf("goodput %v", steps)
	}
}
