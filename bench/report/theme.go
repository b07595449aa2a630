package report

import (
	"fmt"
	"strconv"
	"strings"
)

// scheme is a set of colours. The lines are told apart with any colour vision; the lightness
// of each contrasts with the paper by 3:1 at least.
type scheme struct {
	paper, ink, dim, panel string
	good, bad, odd         string
	lines                  [8]string
}

var (
	light = scheme{paper: "#ffffff", ink: "#1f2328", dim: "#59636e", panel: "#f4f6f8",
		good: "#116329", bad: "#b3261e", odd: "#7a4f00",
		lines: [8]string{"#0b62d6", "#c2410c", "#0f8a7e", "#a3308f", "#8a6d00", "#5b6470", "#3f7d20", "#7c3aed"}}
	dark = scheme{paper: "#0d1117", ink: "#e6edf3", dim: "#9198a1", panel: "#161b22",
		good: "#7ee2a8", bad: "#ff9a90", odd: "#f2c14e",
		lines: [8]string{"#6cb0ff", "#ff9b66", "#4fd1c1", "#ff8ae0", "#e6c34a", "#aab4c0", "#8fd46a", "#b99aff"}}
)

// dashes tell the lines of a comparison apart without their colours.
var dashes = [][]float64{nil, {9, 4}, {2, 3}, {12, 3, 2, 3}, {5, 2}, {14, 4, 2, 4, 2, 4}, {5, 5}, {20, 5}}

// dashOf differs for lines of the same colour.
func dashOf(i int) []float64 { return dashes[(i+i/len(light.lines))%len(dashes)] }

// ink is the colour of what no run did: ideals and rates that were set.
const ink = -1

func digit(colour int) string {
	if colour == ink {
		return "i"
	}
	return strconv.Itoa(colour % len(light.lines))
}

// pictureCSS is that of the pictures, in one file each or all in a page.
func pictureCSS() string {
	return "svg text{font:13px " + fonts + "}svg .title{font-size:17px;font-weight:600}svg .mid{text-anchor:middle}svg .end{text-anchor:end}" +
		"svg .axis,svg .grid,svg .mark{fill:none;stroke-width:1}svg .mark{stroke-width:1.5}" +
		light.css() + "@media (prefers-color-scheme:dark){" + dark.css() + "}"
}

const fonts = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif"

func (s scheme) css() string {
	var b strings.Builder
	fmt.Fprintf(&b, "svg .paper{fill:%[1]s}svg .label{paint-order:stroke;stroke:%[1]s;stroke-width:4px;stroke-linejoin:round}svg text{fill:%[2]s}svg .dim{fill:%[3]s}svg .axis{stroke:%[3]s}svg .mark{stroke:%[2]s}"+
		"svg .grid{stroke:%[3]s;stroke-opacity:.22}svg .span{fill:%[3]s;fill-opacity:.16}", s.paper, s.ink, s.dim)
	fmt.Fprintf(&b, "svg .li{fill:none;stroke:%s;stroke-width:1.5}", s.ink)
	for i, colour := range s.lines {
		fmt.Fprintf(&b, "svg .l%[1]d{fill:none;stroke:%[2]s;stroke-width:2;stroke-linejoin:round}svg .f%[1]d{fill:%[2]s}svg .a%[1]d{fill:%[2]s;fill-opacity:.16}", i, colour)
	}
	return b.String()
}

// pageCSS is that of the words around the pictures.
func pageCSS() string {
	return "*{box-sizing:border-box}body{margin:0 auto;padding:24px;max-width:1280px;font:15px/1.5 " + fonts + "}" +
		"h1{font-size:24px;margin:0}h2{font-size:18px;margin:32px 0 8px}header{display:flex;gap:12px;align-items:center;flex-wrap:wrap}" +
		".badge{padding:2px 12px;border-radius:999px;border:2px solid;font-weight:700}" +
		"pre,td code{font:13px ui-monospace,'DejaVu Sans Mono',monospace}pre{padding:12px;border-radius:6px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}" +
		".wide{overflow-x:auto}table{border-collapse:collapse}th,td{text-align:left;padding:3px 20px 3px 0;vertical-align:top;border-bottom:1px solid;overflow-wrap:anywhere}" +
		"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}" +
		".columns{display:flex;flex-wrap:wrap;gap:0 64px}.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));gap:16px}figure{margin:0}figure svg{display:block;width:100%;height:auto;border:1px solid;border-radius:8px}" +
		light.pageCSS() + ":root{color-scheme:light dark}@media (prefers-color-scheme:dark){" + dark.pageCSS() + "}"
}

func (s scheme) pageCSS() string {
	return fmt.Sprintf("body{background:%s;color:%s}th,.dim{color:%s}pre{background:%s}th,td,figure svg{border-color:%[3]s40}"+
		".pass,.ok{color:%[5]s}.fail{color:%[6]s}.invalid{color:%[7]s}", s.paper, s.ink, s.dim, s.panel, s.good, s.bad, s.odd)
}
