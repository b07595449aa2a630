package live

import (
	"strings"
	"time"
	"unicode"
)

// event is something that has happened in the run.
type event struct {
	at   time.Duration
	text string
}

// maxEvents is how many are kept.
const maxEvents = 512

// log is what has happened, the latest last.
func (m *model) log() *section {
	return &section{draw: m.drawLog, steps: []step{{rankLog, 2}, {rankRows, 2}, {lastRank, maxEvents}}}
}

func (m *model) drawLog(width, height int) []string {
	l := m.look
	var lines []string
	for _, e := range keep(m.events, max(height, 0)) {
		lines = append(lines, l.clip(padLeft(secs(e.at), 7)+"s  "+e.text, width))
	}
	return lines
}

// clean makes one line of a text, without what could drive the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}
