package live

import (
	"math"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// look is how things are drawn: with the terminal's own sixteen colours, whose shades are
// the user's choice, so that they suit the theme; the program reduces them where there are
// fewer, or none by NO_COLOR. Whatever a colour says, a word or a sign says too.
type look struct {
	glyphs
	head, label, bright, faint, good, bad, warn, accent lipgloss.Style
}

// glyphs are the signs beyond letters.
type glyphs struct {
	full, rest       string // of a bar
	spark            []string
	holds, bad, open string
	sep, more        string
	graph
}

// graph are the signs of axes, and on graphs.
type graph struct{ side, tick, corner, under, fork, mark, guide, at, phase string }

var (
	unicodeGlyphs = glyphs{full: "█", rest: "░", spark: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
		holds: "✓", bad: "✗", open: "·", sep: "·", more: "…", graph: graph{side: "│", tick: "┤", corner: "└", under: "─", fork: "┬", mark: "•", guide: "┊", at: "▲", phase: "▏"}}
	asciiGlyphs = glyphs{full: "#", rest: ".", spark: []string{"_", ".", "-", "~", "=", "+", "*", "#"},
		holds: "+", bad: "X", open: "?", sep: "-", more: "~", graph: graph{side: "|", tick: "+", corner: "+", under: "-", fork: "+", mark: "o", guide: ":", at: "^", phase: "|"}}
)

// newLook chooses by the environment. Most terminals speak UTF-8 whether or not the locale
// says so; it is believed where it names something else. The console of Linux has not the
// glyphs.
func newLook(getenv func(string) string) look {
	l := look{glyphs: unicodeGlyphs}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := getenv(name); locale != "" {
			_, charset, _ := strings.Cut(locale, ".")
			charset = strings.ToLower(strings.ReplaceAll(charset, "-", ""))
			if locale == "POSIX" || charset != "" && !strings.HasPrefix(charset, "utf8") {
				l.glyphs = asciiGlyphs
			}
			break
		}
	}
	if getenv("TERM") == "linux" {
		l.glyphs = asciiGlyphs
	}
	return l.on(true)
}

// on is the look on a dark or a light background: yellow and cyan are hard to read on white.
func (l look) on(dark bool) look {
	choose := lipgloss.LightDark(dark)
	fg := func(light, dark string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(choose(lipgloss.Color(light), lipgloss.Color(dark)))
	}
	plain := lipgloss.NewStyle()
	l.head, l.label, l.bright, l.faint = plain.Reverse(true).Bold(true), plain.Bold(true), plain.Bold(true), plain.Faint(true)
	l.good, l.bad, l.warn, l.accent = fg("2", "2"), fg("1", "1").Bold(true), fg("5", "3"), fg("4", "6")
	return l
}

// bar is full to part of whole.
func (l look) bar(part, whole, width int) string {
	width = max(width, 0)
	n := min(max(part*width/max(whole, 1), 0), width)
	return l.accent.Render(strings.Repeat(l.full, n)) + l.faint.Render(strings.Repeat(l.rest, width-n))
}

// sparkline draws the last values, a column each, against top. Nothing is drawn for zero.
func (l look) sparkline(values []float64, top float64, width int) string {
	values = keep(values, max(width, 0))
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", max(width-len(values), 0)))
	for _, v := range values {
		if v <= 0 || top <= 0 {
			b.WriteByte(' ')
			continue
		}
		level := int(math.Ceil(v/top*float64(len(l.spark)))) - 1
		b.WriteString(l.spark[min(max(level, 0), len(l.spark)-1)])
	}
	return l.accent.Render(b.String())
}

// clip cuts s to so many columns, with a sign where something is missing.
func (l look) clip(s string, width int) string { return ansi.Truncate(s, max(width, 0), l.more) }

// pad fills s up to so many columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-lipgloss.Width(s), 0))
}

// padLeft is pad on the other side, for figures.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(width-lipgloss.Width(s), 0)) + s
}

// spread puts left and right at the two ends; left gives way.
func (l look) spread(left, right string, width int) string {
	room := width - lipgloss.Width(right)
	if room < 1 {
		return l.clip(left, width)
	}
	return pad(l.clip(left, room-1), room) + right
}

func widthOf(s string) int { return lipgloss.Width(s) }
