package benchdoc

import (
	"fmt"
	"strconv"
	"strings"
)

// Colours of series, for light and for dark pages; a chart uses them in turn.
var (
	lightColours = []string{"#0b62d6", "#5b6470", "#0f8a7e", "#c2410c", "#7c3aed", "#b5127a", "#8a6d00", "#3f7d20", "#9f1239"}
	darkColours  = []string{"#6cb0ff", "#aab4c0", "#4fd1c1", "#ff9b66", "#b99aff", "#ff7cc8", "#e6c34a", "#8fd46a", "#fb7185"}
)

// style has each series' colour for light and for dark pages. A chart has its own ground,
// so the page's does not matter where a viewer does not know which it is.
var style = func() string {
	var b strings.Builder
	rules := func(ground, text, faint string, colours []string) {
		fmt.Fprintf(&b, ".bg{fill:%s}.fg{fill:%s}.dim{fill:%s}.grid{stroke:%s;stroke-opacity:.25}.mark{stroke:%s}", ground, text, faint, faint, text)
		for i, c := range colours {
			fmt.Fprintf(&b, ".l%d{stroke:%s}.t%d{fill:%s}", i, c, i, c)
		}
	}
	b.WriteString("text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}.h{font-size:17px;font-weight:600}.ours{font-weight:700}")
	rules("#ffffff", "#1f2328", "#59636e", lightColours)
	b.WriteString("@media (prefers-color-scheme:dark){")
	rules("#0d1117", "#e6edf3", "#9198a1", darkColours)
	b.WriteString("}")
	return b.String()
}()

// open begins a picture with its title and the line below it.
func open(b *strings.Builder, width, height float64, title, sub string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s"><style>%s</style>`,
		width, height, escape(title), style)
	fmt.Fprintf(b, `<rect class="bg" width="%.0f" height="%.0f" rx="8"/>`, width, height)
	fmt.Fprintf(b, `<text class="fg h" x="24" y="32">%s</text><text class="dim" x="24" y="54">%s</text>`, escape(title), escape(sub))
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

// class of a label: the first series is ours.
func class(i int) string {
	if i == 0 {
		return fmt.Sprintf("t%d ours", i)
	}
	return fmt.Sprintf("t%d", i%len(lightColours))
}

// Grouped writes a number with a comma every three digits.
func Grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// steps are round values around low to high on a logarithmic axis: 1, 2 and 5 times a power
// of ten.
func steps(low, high float64) []float64 {
	var all []float64
	for power := 1e-6; power <= 1e12; power *= 10 {
		for _, m := range []float64{1, 2, 5} {
			all = append(all, m*power)
		}
	}
	first, last := 0, len(all)-1
	for first+1 < len(all) && all[first+1] <= low {
		first++
	}
	for last > 0 && all[last-1] >= high {
		last--
	}
	return all[first : max(last, first+1)+1]
}

func axis(v float64) string {
	if v >= 1 {
		return Grouped(int(v + 0.5))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
