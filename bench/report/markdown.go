package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// WriteMarkdown writes a run for a pull request, in the Markdown of GitHub and GitLab: the verdict and why, the
// thresholds, those that failed first, and the main figures; of several runs how they compare.
func WriteMarkdown(w io.Writer, runs ...Run) error {
	var m markdown
	if len(runs) > 1 {
		m.compared(runs)
	} else {
		m.run(runs[0])
	}
	_, err := io.WriteString(w, m.String())
	return err
}

// markdown is the text as it grows.
type markdown struct{ strings.Builder }

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *markdown) run(run Run) {
	x := run.Result
	m.line("### stormwheel bench %s: %s\n", plain(kindOf(x, ", ")), x.Verdict)
	if w := voidOf(x); w != "" {
		m.line("> The figures do not count: %s\n", plain(w))
	}
	m.thresholds(x)
	m.story(run)
	m.line("| figure | | |\n|---|---:|---|")
	for _, f := range run.figures() {
		m.line("| %s | %s | %s |", plain(f.Name), plain(f.Value), plain(f.Unit))
	}
	m.line("\n<details><summary>Where, when and how</summary>\n")
	m.setting(run)
	m.line("\n</details>")
}

// mostHappenings is how many of a story's lines are shown.
const mostHappenings = 20

// story is what happened, and when.
func (m *markdown) story(run Run) {
	all := run.story()
	for i, h := range all {
		if i == mostHappenings {
			m.line("- and %d more", len(all)-i)
			break
		}
		m.line("- %s: %s", plain(h.When()), plain(h.Text))
	}
	if len(all) > 0 {
		m.line("")
	}
}

// thresholds are a table, those that failed first.
func (m *markdown) thresholds(x *result.Result) {
	if len(x.Thresholds) == 0 {
		return
	}
	all := slices.Clone(x.Thresholds)
	slices.SortStableFunc(all, func(a, b result.ThresholdSeen) int { return rank(a) - rank(b) })
	m.line("| | rule | of | came to | since |\n|---|---|---|---:|---:|")
	for _, t := range all {
		verdict, rule, since := "ok", code(nameOf(t)), ""
		if !t.OK {
			verdict = "**FAIL**"
			if t.Failed != nil {
				rule += "<br>" + plain(*t.Failed)
			}
			if t.BrokeAtS != nil {
				since = fmt.Sprintf("%.0f s", *t.BrokeAtS)
			}
		}
		m.line("| %s | %s | %s | %s | %s |", verdict, rule, setBy[typeOf(t)], result.Number(t.Actual), since)
	}
	m.line("")
	if !x.Promises {
		m.line("What the scenario promises was not judged (`--no-promises`).\n")
	}
}

// setBy are who set thresholds, in words.
var setBy = map[string]string{"promise": "the scenario", "threshold": "`--threshold`", "abort": "`--abort-on`"}

func rank(t result.ThresholdSeen) int {
	if t.OK {
		return 1
	}
	return 0
}

func (m *markdown) setting(run Run) {
	m.line("| | |\n|---|---|")
	for _, f := range run.setting() {
		m.line("| %s | %s |", plain(f.Name), plain(f.Value))
	}
	if c := run.command(); c != "" {
		m.line("| command | %s |", code(c))
	}
}

// compared lays several runs over each other.
func (m *markdown) compared(runs []Run) {
	m.line("### stormwheel bench: %s\n", plain(strings.Join(namesOf(runs), ", ")))
	head := "| figure |"
	for i, name := range namesOf(runs) {
		head += " " + plain(name) + " |"
		if i > 0 {
			head += " ratio |"
		}
	}
	m.line("%s\n|---|%s", head, strings.Repeat("---:|", 2*len(runs)-1))
	all := compare(runs)
	for _, c := range all {
		row := "| " + plain(strings.TrimSuffix(c.Name+", "+c.Unit, ", ")) + " |"
		for i, cell := range c.Cells {
			value, ratio, _ := strings.Cut(strings.TrimSuffix(cell, ")"), " (")
			own, ofRatio, _ := strings.Cut(c.Interval(i), " (")
			row += " " + plain(strings.TrimSpace(value+" "+own)) + " |"
			if i > 0 {
				row += " " + plain(strings.TrimSpace(ratio+" "+strings.TrimSuffix(ofRatio, ")"))) + " |"
			}
		}
		m.line("%s", row)
	}
	m.line("")
	for _, sentence := range remarks(runs, all) {
		m.line("- %s", plain(sentence))
	}
}

// plain is text in which nothing is markup, and which does not end a cell of a table.
func plain(s string) string {
	var b strings.Builder
	for _, r := range onlyXML(strings.Join(strings.Fields(s), " ")) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]|~@#", r):
			b.WriteRune('\\')
			fallthrough
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code is text in a typewriter's letters, which does not end a cell either.
func code(s string) string {
	s = strings.ReplaceAll(onlyXML(strings.Join(strings.Fields(s), " ")), "|", `\|`)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}
