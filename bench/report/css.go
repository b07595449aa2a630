package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// pageCSS is that of the words around the pictures. On a narrow page charts are drawn anew or one below the
// other; on paper what has no use there is left out.
func pageCSS() string {
	return "*{box-sizing:border-box}body{margin:0 auto;padding:24px;max-width:968px;font:15px/1.5 " + plot.Fonts + "}" +
		"h1{font-size:24px;margin:0}h2{font-size:18px;margin:32px 0 8px}header{display:flex;gap:12px;align-items:center;flex-wrap:wrap}p{margin:8px 0}" +
		".badge{padding:2px 12px;border-radius:999px;border:2px solid;font-weight:700}" +
		".why{padding:4px 16px;margin:12px 0;border-left:6px solid;font-weight:500;overflow-wrap:anywhere}.why p{margin:6px 0}.why.pass,.why.fail,.why.invalid{border-color:currentcolor}" +
		".story tr.fail,.story tr.cause{font-weight:700}.story th{padding-left:10px}.story tr.cause th{box-shadow:inset 4px 0 currentcolor}.why p:first-child{font-weight:700}" +
		"pre,td code{font:13px ui-monospace,'DejaVu Sans Mono',monospace}pre{padding:12px;border-radius:6px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}" +
		".wide{overflow-x:auto}table{border-collapse:collapse}th,td{text-align:left;padding:3px 20px 3px 0;vertical-align:top;border-bottom:1px solid;overflow-wrap:break-word}td code{overflow-wrap:anywhere}" +
		"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}" +
		"figure{margin:16px 0;position:relative;break-inside:avoid}figure svg{display:block;width:100%;height:auto;border:1px solid;border-radius:8px}svg:focus-visible{outline:3px solid;outline-offset:2px}" +
		"details{font-size:13px;margin-top:4px}details .wide{max-height:320px;overflow:auto}.readings thead th{white-space:normal;vertical-align:bottom;min-width:64px}" +
		".reading{position:absolute;pointer-events:none;max-width:min(320px,90%);padding:6px 10px;border:1px solid;border-radius:6px;font-size:13px;line-height:1.35;z-index:1}.reading div{display:flex;justify-content:space-between;gap:12px}.reading span{font-variant-numeric:tabular-nums;white-space:nowrap}" +
		"dt{font-weight:600}dd{margin:0 0 6px}.times{margin-top:12px}.columns{display:flex;flex-wrap:wrap;gap:0 64px}.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:0 16px}" +
		".narrow{display:none}@media (max-width:639px){body{padding:12px}.broad{display:none}.narrow{display:block}th,td{padding-right:10px}.story th.n{white-space:normal;min-width:86px}}" +
		pageColours(plot.Light, "#f4f6f8", "#116329", "#b3261e", "#7a4f00") + ":root{color-scheme:light dark}@media (prefers-color-scheme:dark){" +
		pageColours(plot.Dark, "#161b22", "#7ee2a8", "#ff9a90", "#f2c14e") + "}" +
		"@media print{body{max-width:none;padding:0;font-size:12px}details,.reading{display:none}figure svg{max-height:240mm}h2{break-after:avoid}tr{break-inside:avoid}.pictures{grid-template-columns:1fr 1fr}.broad{display:block}.narrow{display:none}}"
}

// pageColours are those of a scheme, with the ground of what is quoted and those of verdicts.
func pageColours(s plot.Scheme, panel, good, bad, odd string) string {
	return fmt.Sprintf("body{background:%s;color:%s}th,.dim{color:%s}pre,.reading{background:%s}th,td,figure svg,.reading{border-color:%[3]s40}"+
		".pass,.ok{color:%[5]s}.fail,.fail th{color:%[6]s}.invalid,.story.void tr.fail,.story.void tr.fail th{color:%[7]s}", s.Paper, s.Ink, s.Dim, panel, good, bad, odd)
}
