package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
)

// writeCharts writes the pictures of the section into a folder.
func writeCharts(dir string, a *runs) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, c := range charts(a) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.svg()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// charts are the pictures by the names of their files.
func charts(a *runs) map[string]chart {
	fleet := chart{
		title: "Processor time of a fleet",
		sub:   "a beat every 30 s, timeout 75 s, tick 250 ms; median, lowest to highest",
		unit:  "% of a core, logarithmic",
	}
	tickCost := chart{
		title: "Processor time of a tick with 1,000 visits",
		sub:   "the same work whatever the number of connections; median, lowest to highest",
		unit:  "µs a tick, logarithmic",
	}
	for _, k := range kinds {
		if k.text == "" {
			continue
		}
		fleet.lines = append(fleet.lines, lineOf(a, k, "steady", 100))
		if k.lazy || k.name == "sweep" {
			tickCost.lines = append(tickCost.lines, lineOf(a, k, "flat_us", 1))
		}
	}
	return map[string]chart{"wheel-fleet.svg": fleet, "wheel-tick.svg": tickCost}
}

func lineOf(a *runs, k kind, key string, scale float64) line {
	l := line{label: strings.NewReplacer("*", "", "`", "").Replace(k.text), ours: k.name == "wheel"}
	for i, kind := range kinds {
		if kind.name == k.name {
			l.color = i
		}
	}
	for _, n := range a.sizes {
		if f := a.figure(k.name, n, key); f.ok && f.median > 0 {
			l.points = append(l.points, point{float64(n), f.median * scale, f.low * scale, f.high * scale})
		}
	}
	return l
}

// chart is a plot of lines over the number of connections, both axes logarithmic.
type chart struct {
	title, sub, unit string
	lines            []line
}

type line struct {
	label  string
	ours   bool
	color  int
	points []point
}

type point struct{ x, y, low, high float64 }

func (l line) last() point { return l.points[len(l.points)-1] }

// bounds are the exponents of whole powers of ten around all points.
func (c chart) bounds() (minX, maxX, minY, maxY float64) {
	minX, minY = math.Inf(1), math.Inf(1)
	maxX, maxY = math.Inf(-1), math.Inf(-1)
	for _, l := range c.lines {
		for _, p := range l.points {
			minX, maxX = min(minX, math.Log10(p.x)), max(maxX, math.Log10(p.x))
			low := p.y
			if p.low > 0 {
				low = p.low
			}
			minY, maxY = min(minY, math.Log10(low)), max(maxY, math.Log10(p.high))
		}
	}
	if minX > maxX { // no points at all
		return 0, 1, 0, 1
	}
	minX, maxX = math.Floor(minX), math.Ceil(maxX)
	minY, maxY = math.Floor(minY), math.Ceil(maxY)
	return minX, max(maxX, minX+1), minY, max(maxY, minY+1)
}
