package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows.
type page struct {
	Title      string
	CSS        template.CSS
	Verdict    result.Verdict
	Why        string
	Command    string
	First      string
	Names      []string
	Compared   []compared
	Thresholds []threshold
	Pictures   []template.HTML // our own SVG
	Above      []section       // of the pictures
	Below      []section
}

type threshold struct {
	Expr, Actual string
	OK           bool
}

type section struct {
	Title string
	Rows  []figure
}

// WriteHTML writes one page on the run, or with several a page that compares them.
func WriteHTML(w io.Writer, runs ...Run) error {
	p := pageOf(runs)
	p.CSS = template.CSS(pageCSS() + plot.CSS())
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := io.WriteString(w, onlyXML(b.String()))
	return err
}

// onlyXML drops the characters that no XML may have, however they are escaped.
func onlyXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r != 0xfffe && r != 0xffff {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func pageOf(runs []Run) (p page) {
	for _, one := range picturesOf(runs) {
		p.Pictures = append(p.Pictures, template.HTML(plot.Inline(one.chart)))
	}
	if len(runs) == 1 {
		p.one(runs[0])
		return p
	}
	p.Title = fmt.Sprintf("%d runs compared", len(runs))
	p.Compared = compare(runs)
	for i, r := range runs {
		if i == 0 {
			p.First = r.Name
		}
		p.Names = append(p.Names, r.Name)
		rows := []figure{{Name: "scenario", Value: title(r)}, {Name: "verdict", Value: string(r.Result.Verdict)}}
		if command := r.command(); command != "" {
			rows = append(rows, figure{Name: "command", Value: command})
		}
		p.Below = append(p.Below, section{r.Name, append(rows, r.setting()...)})
	}
	return p
}

func (p *page) one(r Run) {
	x := r.Result
	p.Title, p.Verdict, p.Why, p.Command = title(r), verdict(x.Verdict), why(x), r.command()
	for _, t := range x.Thresholds {
		actual := "none"
		if t.Actual != nil {
			actual = plot.Number(*t.Actual, stepOf(*t.Actual))
		}
		p.Thresholds = append(p.Thresholds, threshold{t.Expr, actual, t.OK})
	}
	p.Above, p.Below = []section{{"Where and when", r.setting()}}, []section{{"Figures", r.figures()}}
}

// verdict keeps to the words that there are: it names a class of the style sheet.
func verdict(v result.Verdict) result.Verdict {
	switch v {
	case result.Pass, result.Fail, result.Invalid:
		return v
	}
	return ""
}

func title(r Run) string {
	if s := r.Result.Storm; s != nil && r.Result.Scenario == result.Talk {
		return result.Talk + ": " + map[string]string{"kill": "a node is killed", "blackout": "the node is killed and comes back",
			"drain": "a node is drained", "restart": "the node is drained and comes back"}[s.Kind]
	} else if s != nil {
		return fmt.Sprintf("%s: %s, policy %s", r.Result.Scenario, s.Kind, s.Policy)
	}
	return r.Result.Scenario
}

// stepOf leaves two decimals to what has any.
func stepOf(v float64) float64 {
	if v == float64(int64(v)) {
		return 1
	}
	return .01
}
