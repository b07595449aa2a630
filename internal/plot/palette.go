package plot

import (
	"fmt"
	"strconv"
	"strings"
)

// Scheme is a set of colours, each as #rrggbb. Those of the lines are told apart with any
// colour vision; the lightness of each contrasts with the paper by 3:1 at least.
type Scheme struct {
	Paper, Ink, Dim string
	Lines           [Colours]string
}

// Colours is how many there are; the number of a colour counts on from 0 after the last.
const Colours = 9

// Light and Dark are the schemes that a picture has. Nobody may change them.
var (
	Light = Scheme{Paper: "#ffffff", Ink: "#1f2328", Dim: "#59636e",
		Lines: [Colours]string{"#0b62d6", "#c2410c", "#0f8a7e", "#a3308f", "#8a6d00", "#5b6470", "#3f7d20", "#7c3aed", "#9f1239"}}
	Dark = Scheme{Paper: "#0d1117", Ink: "#e6edf3", Dim: "#9198a1",
		Lines: [Colours]string{"#6cb0ff", "#ff9b66", "#4fd1c1", "#ff8ae0", "#e6c34a", "#aab4c0", "#8fd46a", "#b99aff", "#fb7185"}}
)

// Ink is the colour of what nothing did: ideals, limits and rates that were set.
const Ink = -1

// Dash is the lengths of strokes and gaps in turn, in pixels; nil is a whole line.
type Dash []float64

// Dashes tell lines apart without their colours. The first is whole.
var Dashes = []Dash{nil, {9, 4}, {2, 3}, {12, 3, 2, 3}, {5, 2}, {14, 4, 2, 4, 2, 4}, {5, 5}, {20, 5}}

// DashOf is the dash of the line with that number, from 0; it differs for lines of the same
// colour.
func DashOf(i int) Dash { return Dashes[(i+i/Colours)%len(Dashes)] }

// Fonts is the font-family of all words.
const Fonts = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif"

// class is the name of a colour in the style sheet: of a line (l), what is filled (f), or the
// area below a line (a).
func class(kind string, colour int) string {
	if colour < 0 {
		return kind + "i"
	}
	return kind + strconv.Itoa(colour%Colours)
}

// CSS is the style sheet of all pictures, for a page that has them Inline.
func CSS() string {
	return "svg text{font:13px " + Fonts + "}svg .title{font-size:17px;font-weight:600}svg .strong{font-weight:700}svg .mid{text-anchor:middle}svg .end{text-anchor:end}" +
		"svg .pale{fill-opacity:.45}svg .paler{fill-opacity:.2}svg .axis,svg .grid,svg .mark{fill:none;stroke-width:1}svg .mark{stroke-width:1.5}svg .edge{stroke-width:1}" +
		Light.css() + "@media (prefers-color-scheme:dark){" + Dark.css() + "}"
}

func (s Scheme) css() string {
	var b strings.Builder
	fmt.Fprintf(&b, "svg .paper{fill:%[1]s}svg .label{paint-order:stroke;stroke:%[1]s;stroke-width:4px;stroke-linejoin:round}svg text{fill:%[2]s}svg .dim{fill:%[3]s}svg .axis{stroke:%[3]s}svg .mark{stroke:%[2]s}"+
		"svg .grid{stroke:%[3]s;stroke-opacity:.22}svg .span{fill:%[3]s;fill-opacity:.16}svg .phase{fill:%[3]s;fill-opacity:.3}svg .phase.pale{fill-opacity:.14}svg .cursor{stroke:%[2]s;stroke-width:1}", s.Paper, s.Ink, s.Dim)
	colour := func(name, colour, width string) {
		fmt.Fprintf(&b, "svg .l%[1]s{fill:none;stroke:%[2]s;stroke-width:%[3]s;stroke-linejoin:round}svg .l%[1]s.strong{stroke-width:4}svg .l%[1]s.thin{stroke-width:1}svg .l%[1]s.tie{stroke-width:1;stroke-opacity:.5}svg .f%[1]s{fill:%[2]s}svg .a%[1]s{fill:%[2]s;fill-opacity:.16}",
			name, colour, width)
	}
	colour("i", s.Ink, "1.5")
	for i, c := range s.Lines {
		colour(strconv.Itoa(i), c, "2")
	}
	return b.String()
}
