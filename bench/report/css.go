package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// pageCSS is that of the words around the pictures.
func pageCSS() string {
	return "*{box-sizing:border-box}body{margin:0 auto;padding:24px;max-width:1280px;font:15px/1.5 " + plot.Fonts + "}" +
		"h1{font-size:24px;margin:0}h2{font-size:18px;margin:32px 0 8px}header{display:flex;gap:12px;align-items:center;flex-wrap:wrap}" +
		".badge{padding:2px 12px;border-radius:999px;border:2px solid;font-weight:700}" +
		"pre,td code{font:13px ui-monospace,'DejaVu Sans Mono',monospace}pre{padding:12px;border-radius:6px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}" +
		".wide{overflow-x:auto}table{border-collapse:collapse}th,td{text-align:left;padding:3px 20px 3px 0;vertical-align:top;border-bottom:1px solid;overflow-wrap:anywhere}" +
		"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}" +
		".columns{display:flex;flex-wrap:wrap;gap:0 64px}.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));gap:16px}figure{margin:0}figure svg{display:block;width:100%;height:auto;border:1px solid;border-radius:8px}" +
		pageColours(plot.Light, "#f4f6f8", "#116329", "#b3261e", "#7a4f00") + ":root{color-scheme:light dark}@media (prefers-color-scheme:dark){" +
		pageColours(plot.Dark, "#161b22", "#7ee2a8", "#ff9a90", "#f2c14e") + "}"
}

// pageColours are those of a scheme, with the ground of what is quoted and those of verdicts.
func pageColours(s plot.Scheme, panel, good, bad, odd string) string {
	return fmt.Sprintf("body{background:%s;color:%s}th,.dim{color:%s}pre{background:%s}th,td,figure svg{border-color:%[3]s40}"+
		".pass,.ok{color:%[5]s}.fail{color:%[6]s}.invalid{color:%[7]s}", s.Paper, s.Ink, s.Dim, panel, good, bad, odd)
}
