// Package plot draws pictures as SVG: data in, text out. It knows no run, no file and no
// clock, and needs nothing but the standard library.
//
//	p := plot.Picture{
//		Title: "Memory of a connection",
//		X:     plot.Logarithmic("connections", 1_000, 100_000),
//		Y:     plot.FromZero("bytes", 0, 900),
//		Layers: []plot.Layer{
//			plot.Line{Label: "ours", Points: []plot.Point{plot.At(1_000, 850), plot.At(100_000, 620)}},
//			plot.Mark{At: 50_000, Label: "the limit"},
//		},
//	}
//	os.WriteFile("memory.svg", []byte(plot.SVG(p)), 0o644)
//
// A Picture has axes, and layers that are painted in turn: lines, bins, dots, shades, marks.
// Bars compares totals, a bar each. SVG makes a file of one, Inline a part of a page that
// has CSS, Stack one file of several.
//
// Lengths on the page are pixels of a picture 860 wide. Figures have the unit of their axis,
// which its label says. A figure that is no number, or beyond 1e18, is not drawn; one beyond
// the ends of its axis is drawn at the end.
//
// Colours are numbers in one palette (palette.go), the same in every picture; they follow the
// reader's light or dark scheme. Labels are data from somewhere else: none can break out of
// its text. A picture of nothing is an empty frame. Nothing here panics.
package plot
